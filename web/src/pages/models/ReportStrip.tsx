import { modelReport } from "../../api/routes.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { bytes, integer } from "../../ui/format.ts";

export function ReportStrip() {
  const report = useQuery(keys.modelReport, modelReport).data;
  const facts: [string, string][] = [
    ["Versions", integer(report?.total)],
    ["Fresh", integer(report?.fresh)],
    ["Stale", integer(report?.stale)],
    ["Leagues", integer(report?.unique_symbols)],
    ["Bots", integer(report?.unique_bots)],
    ["On disk", bytes(report?.storage_bytes)],
  ];
  return (
    <dl className="report">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
