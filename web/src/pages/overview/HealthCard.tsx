import { useEffect } from "react";
import { health } from "../../api/routes.ts";
import type { Stats } from "../../api/types.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Badge } from "../../ui/Badge.tsx";
import { Card } from "../../ui/Card.tsx";
import { integer } from "../../ui/format.ts";
import { Answer } from "../../ui/States.tsx";
import "../../ui/Facts.css";

const AGAIN_MS = 15_000;
const noStats = () => new Promise<Stats>(() => undefined);

export function HealthCard() {
  const answer = useQuery(keys.health, health);
  const { refetch } = answer;
  useEffect(() => {
    const timer = setInterval(() => void refetch(), AGAIN_MS); // no event tells of it
    return () => clearInterval(timer);
  }, [refetch]);
  const stats = useQuery<Stats>(keys.stats, noStats).data;
  return (
    <Card title="Health">
      <Answer of={answer} what="Health" rows={3}>
        {(state) => (
          <dl className="facts wide">
            <dt>Server</dt>
            <dd>
              <Badge tone={state.status === "ok" ? "good" : "warn"}>{state.status}</Badge>
            </dd>
            <dt>Features of the present data</dt>
            <dd>
              <Badge tone={state.features_current ? "good" : "warn"}>
                {state.features_current ? "current" : state.features_ready ? "being renewed" : "being made"}
              </Badge>
            </dd>
            <dt>Models loaded</dt>
            <dd>{integer(state.models)}</dd>
            <dt>Live clients</dt>
            <dd>{integer(stats?.ws_clients)}</dd>
            <dt>Open connections</dt>
            <dd>{integer(state.connections)}</dd>
            <dt>About this page</dt>
            <dd>
              <a href="/assets/licenses.txt">licences</a>
            </dd>
          </dl>
        )}
      </Answer>
    </Card>
  );
}
