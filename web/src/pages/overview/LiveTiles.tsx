// The numbers that move: once a second while the connection is live. The trend is the last two minutes of this page.
import { useEffect, useState } from "react";
import { health } from "../../api/routes.ts";
import type { Stats } from "../../api/types.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { bytes, compact, duration, integer, rate } from "../../ui/format.ts";
import { Sparkline } from "../../ui/Sparkline.tsx";

const KEPT = 120;
const noStats = () => new Promise<Stats>(() => undefined); // only events bring them

export function LiveTiles() {
  const stats = useQuery<Stats>(keys.stats, noStats).data;
  const uptime = useQuery(keys.health, health).data?.uptime_s;
  const [trend, setTrend] = useState<number[]>([]);
  useEffect(() => {
    if (stats) setTrend((old) => [...old, stats.predict_per_s].slice(-KEPT));
  }, [stats]);
  return (
    <dl className="tiles">
      <div className="tile">
        <dt>Predictions a second</dt>
        <dd>
          {rate(stats?.predict_per_s)}
          <Sparkline values={trend} label="Predictions a second over the last two minutes" />
        </dd>
      </div>
      <div className="tile">
        <dt>Predictions served</dt>
        <dd>{compact(stats?.predictions_total)}</dd>
      </div>
      <div className="tile">
        <dt>Jobs running</dt>
        <dd>
          {integer(stats?.jobs_running)}
          {stats && <small>{integer(stats.queue_length)} waiting</small>}
        </dd>
      </div>
      <div className="tile">
        <dt>Memory of the server</dt>
        <dd>{bytes(stats?.memory_bytes)}</dd>
      </div>
      <div className="tile">
        <dt>Up for</dt>
        <dd>{duration(stats ? Math.floor(stats.uptime_s) : uptime === undefined ? undefined : Math.floor(uptime))}</dd>
      </div>
    </dl>
  );
}
