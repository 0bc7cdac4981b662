// Two versions side by side: scores (less is better, but for the share of correct ones), what they learned from, and
// whether what they say happens as often as they say.
import { modelDetails } from "../../api/routes.ts";
import type { Model, ModelDetails } from "../../api/types.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Chart, type Series } from "../../ui/Chart.tsx";
import { GapPlot } from "../../ui/GapPlot.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { botName, bytes, day, duration, integer, NONE, percent, score, timeframe } from "../../ui/format.ts";
import { marketOf, widestOf } from "../../ui/market.ts";
import "./CompareDialog.css";

interface Row {
  name: string;
  value: (model: Model) => string;
  measure?: (model: Model) => number | null | undefined; // less is better
}

const ROWS: Row[] = [
  { name: "Log loss", value: (m) => score(m.holdout?.log_loss), measure: (m) => m.holdout?.log_loss },
  { name: "Brier", value: (m) => score(m.holdout?.brier), measure: (m) => m.holdout?.brier },
  { name: "RPS", value: (m) => score(m.holdout?.rps), measure: (m) => m.holdout?.rps },
  { name: "RMSE", value: (m) => score(m.holdout?.rmse), measure: (m) => m.holdout?.rmse },
  { name: "MAE", value: (m) => score(m.holdout?.mae), measure: (m) => m.holdout?.mae },
  { name: "Correct", value: (m) => percent(m.holdout?.accuracy, 2), measure: (m) => (m.holdout?.accuracy == null ? null : -m.holdout.accuracy) },
  { name: "Status", value: (m) => (m.stage === "Production" ? `${m.status}, in production` : m.status) },
  { name: "Trained", value: (m) => day(m.trained_at) },
  { name: "Took", value: (m) => duration(m.duration_s) },
  { name: "Matches learned from", value: (m) => integer(m.data_points) },
  { name: "Judged from", value: (m) => day(m.holdout?.from) },
  { name: "Judged to", value: (m) => day(m.holdout?.to) },
  { name: "Features", value: (m) => m.features?.replace(/_/g, " ") ?? NONE },
  { name: "Size", value: (m) => bytes(m.size_bytes) },
];

function isBetter(row: Row, one: Model, other: Model) {
  const [a, b] = [row.measure?.(one), row.measure?.(other)];
  return typeof a === "number" && typeof b === "number" && a < b;
}

function Reliability({ sides }: { sides: [ModelDetails | undefined, ModelDetails | undefined] }) {
  const colours = ["--series-1", "--series-3"] as const;
  const series = sides.flatMap((side, index): Series[] => {
    const bins = side?.details?.reliability?.filter((bin) => bin.count > 0);
    if (!bins?.length) return [];
    return [{ name: index === 0 ? "first" : "second", colour: colours[index]!, points: bins.map((bin) => [bin.mean_p, bin.mean_o]) }];
  });
  if (series.length === 0) return null;
  const ideal: Series = { name: "as said", colour: "--series-2", dashed: true, points: [[0, 0], [1, 1]] };
  return (
    <div>
      <h3>What was said, and what happened</h3>
      <Chart
        label="Reliability of both versions: share of outcomes over the probability that was forecast; on the dashed line is perfect"
        series={[...series, ideal]}
        xType="value"
        xName="said"
        height={240}
        fromZero
        formatX={(value) => `${Math.round(value * 100)} %`}
        formatY={(value) => `${Math.round(value * 100)} %`}
      />
    </div>
  );
}

/** Both against the closing price, on the matches of each. */
function MarketGap({ sides }: { sides: [ModelDetails | undefined, ModelDetails | undefined] }) {
  const markets = sides.map(marketOf);
  if (markets.every((market) => market === null)) return null;
  const widest = widestOf(markets);
  return (
    <div>
      <h3>Log loss against the closing price</h3>
      <div className="compare-gaps">
        {markets.map((market, index) => (
          <GapPlot key={index} market={market} widest={widest} />
        ))}
      </div>
    </div>
  );
}

function Head({ model, mark }: { model: Model; mark: string }) {
  return (
    <th scope="col">
      <small>{mark}</small>
      {model.subject} · {timeframe(model.variant)} · {botName(model.bot)}
      <small className="mono">{model.version}</small>
    </th>
  );
}

export function CompareDialog({ a, b, onClose }: { a: Model; b: Model; onClose: () => void }) {
  const first = useQuery(`${keys.modelDetails}/${a.version}`, () => modelDetails(a.version ?? "")).data;
  const second = useQuery(`${keys.modelDetails}/${b.version}`, () => modelDetails(b.version ?? "")).data;
  const isSame = a.subject === b.subject && a.variant === b.variant;
  return (
    <Dialog title="Two versions" wide onClose={onClose}>
      <div className="compare">
        {!isSame && <p>These forecast different things; their scores do not compare.</p>}
        <div className="table-wrap" tabIndex={0} role="region" aria-label="Comparison">
          <table>
            <thead>
              <tr>
                <th scope="col">
                  <span className="visually-hidden">What</span>
                </th>
                <Head model={a} mark="First" />
                <Head model={b} mark="Second" />
              </tr>
            </thead>
            <tbody>
              {ROWS.map((row) => (
                <tr key={row.name}>
                  <th scope="row">{row.name}</th>
                  <td className={isSame && isBetter(row, a, b) ? "better" : undefined}>{row.value(a)}</td>
                  <td className={isSame && isBetter(row, b, a) ? "better" : undefined}>{row.value(b)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <MarketGap sides={[first, second]} />
        <Reliability sides={[first, second]} />
      </div>
    </Dialog>
  );
}
