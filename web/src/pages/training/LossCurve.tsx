import { useEffect, useMemo } from "react";
import { logSearch } from "../../api/routes.ts";
import { mergeLosses, useLosses, type LossPoint } from "../../live/losses.ts";
import { Chart, type Series } from "../../ui/Chart.tsx";
import { fixed } from "../../ui/format.ts";

const MOST = 1_000;
const HEIGHT = 168; // also before there is a curve, so that nothing moves when it comes

/** "metric loss = 0.9928 (step 60)", as every metric stands in the log. */
function pointOf(text: string): LossPoint | null {
  const found = /^metric loss = (\S+) \(step (\d+)\)/.exec(text);
  return found && Number.isFinite(Number(found[1])) ? [Number(found[2]), Number(found[1])] : null;
}

/** The loss of a job by epoch: what its log has kept, and then what comes in live. */
export function LossCurve({ job }: { job: number }) {
  const points = useLosses(job);
  useEffect(() => {
    logSearch(job, "metric loss", MOST)
      .then(({ lines }) => mergeLosses(job, lines.map((line) => pointOf(line.text)).filter((point) => point !== null)))
      .catch(() => undefined); // then the curve begins with what comes in
  }, [job]);
  const series = useMemo((): Series[] => [{ name: "training loss", points, colour: "--series-1" }], [points]);
  if (points.length < 2) return <div className="chart-wait" style={{ height: HEIGHT }}>The curve begins with the second loss that is measured.</div>;
  const first = points[0]!;
  const last = points.at(-1)!;
  return (
    <Chart
      label={`Training loss from ${fixed(first[1], 4)} at epoch ${first[0]} to ${fixed(last[1], 4)} at epoch ${last[0]}`}
      series={series}
      xType="value"
      xName="epoch"
      wholeX
      height={HEIGHT}
      formatY={(value) => value.toFixed(3)}
    />
  );
}
