import { useEffect, useMemo } from "react";
import { jobMetrics } from "../../api/routes.ts";
import { mergeLosses, useLosses, type LossPoint } from "../../live/losses.ts";
import { Chart, type Series } from "../../ui/Chart.tsx";
import { fixed } from "../../ui/format.ts";

/** The loss of a job by epoch: what the server kept, and then what comes in live. */
export function LossCurve({ job }: { job: number }) {
  const points = useLosses(job);
  useEffect(() => {
    jobMetrics(job)
      .then(({ points: kept }) => mergeLosses(job, kept.filter((one) => one.value !== null).map((one): LossPoint => [one.step, one.value!])))
      .catch(() => undefined); // then the curve begins with what comes in
  }, [job]);
  const series = useMemo((): Series[] => [{ name: "loss", points, colour: "--series-1" }], [points]);
  if (points.length < 2) return null;
  const first = points[0]!;
  const last = points.at(-1)!;
  return (
    <Chart
      label={`Loss from ${fixed(first[1], 4)} at epoch ${first[0]} to ${fixed(last[1], 4)} at epoch ${last[0]}`}
      series={series}
      xType="value"
      xName="epoch"
      height={168}
      formatY={(value) => value.toFixed(3)}
    />
  );
}
