// Drift of one model: how far the live matches are from those it learned from, feature by feature, and whether its live
// loss has changed; over time, with the thresholds that were calibrated to a stated rate of false alarms.
import { useMemo, useState } from "react";
import { drift as askDrift, driftHistory } from "../../api/routes.ts";
import type { Drift, DriftFeature, DriftModel, DriftPoint } from "../../api/types.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Badge } from "../../ui/Badge.tsx";
import { Card } from "../../ui/Card.tsx";
import { Chart, type Series } from "../../ui/Chart.tsx";
import { Select } from "../../ui/Fields.tsx";
import { botName, fixed, integer, percent, score, timeframe } from "../../ui/format.ts";
import { Answer, Empty } from "../../ui/States.tsx";
import "./DriftPanel.css";

const SHOWN = 8;
const idOf = (model: DriftModel) => `${model.subject}/${model.variant}/${model.bot}`;

function Figures({ model }: { model: DriftModel }) {
  const loss = model.live_loss;
  return (
    <dl className="drift-figures">
      <div>
        <dt>Features drifted</dt>
        <dd>
          {percent(model.share_drifted, 0)} <small>of {integer(model.features.length)}</small>
        </dd>
      </div>
      <div>
        <dt>Live log loss</dt>
        <dd>
          {score(loss?.mean)} <small>promised {score(loss?.reference)}</small>
        </dd>
      </div>
      <div>
        <dt>Page-Hinkley</dt>
        <dd>
          {fixed(loss?.page_hinkley, 2)} <small>limit {fixed(loss?.page_hinkley_threshold, 2)}</small>
        </dd>
      </div>
      <div>
        <dt>Live matches</dt>
        <dd>{integer(loss?.count)}</dd>
      </div>
    </dl>
  );
}

function Feature({ feature, most }: { feature: DriftFeature; most: number }) {
  const share = (value: number | null) => `${Math.min(100, ((value ?? 0) / most) * 100)}%`;
  return (
    <li className="drift-feature">
      <b title={feature.name}>{feature.name}</b>
      <span className={feature.is_drifted ? "drift-bar over" : "drift-bar"} aria-hidden="true">
        <span style={{ width: share(feature.psi) }} />
        {feature.threshold !== null && <i style={{ left: share(feature.threshold) }} />}
      </span>
      <span>
        {fixed(feature.psi, 3)}
        {feature.is_drifted && <span className="visually-hidden"> beyond its limit</span>}
      </span>
      <span>{fixed(feature.ks, 3)}</span>
      <span>{fixed(feature.js, 3)}</span>
    </li>
  );
}

function Features({ features }: { features: DriftFeature[] }) {
  const top = [...features].sort((a, b) => (b.psi ?? 0) - (a.psi ?? 0)).slice(0, SHOWN);
  const most = Math.max(...top.map((one) => Math.max(one.psi ?? 0, one.threshold ?? 0)), 1e-6) * 1.05;
  return (
    <div className="drift-features">
      <div className="drift-feature head" aria-hidden="true">
        <h3>Features that moved most</h3>
        <span />
        <span>PSI</span>
        <span>KS</span>
        <span>JS</span>
      </div>
      <ul>
        {top.map((feature) => (
          <Feature key={feature.name} feature={feature} most={most} />
        ))}
      </ul>
    </div>
  );
}

function Charts({ points, model }: { points: DriftPoint[]; model: DriftModel }) {
  const threshold = model.live_loss?.page_hinkley_threshold ?? null;
  const charts = useMemo(() => {
    const line = (name: string, colour: Series["colour"], pick: (point: DriftPoint) => number | null): Series[] => [
      { name, colour, points: points.map((point) => [point.at, pick(point)]) },
    ];
    return {
      loss: line("log loss", "--series-1", (point) => point.loss),
      hinkley: line("Page-Hinkley", "--series-4", (point) => point.page_hinkley),
    };
  }, [points]);
  if (points.length < 2) return <p className="drift-note">The charts begin with the second check.</p>;
  const formatX = (value: number) => new Date(value).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return (
    <div className="drift-charts">
      <div>
        <h3>Live log loss</h3>
        <Chart label={`Live log loss over ${points.length} checks`} series={charts.loss} xType="time" height={180} formatX={formatX} formatY={(value) => value.toFixed(3)} />
      </div>
      <div>
        <h3>Page-Hinkley statistic</h3>
        <Chart
          label={`Page-Hinkley statistic over ${points.length} checks${threshold === null ? "" : `, limit ${fixed(threshold, 2)}`}`}
          series={charts.hinkley}
          xType="time"
          height={180}
          fromZero
          formatX={formatX}
          formatY={(value) => value.toFixed(1)}
          limit={threshold === null ? undefined : { value: threshold, name: "limit" }}
        />
      </div>
    </div>
  );
}

function One({ drift, chosen }: { drift: Drift; chosen: string }) {
  const model = drift.models.find((one) => idOf(one) === chosen) ?? drift.models[0]!;
  const history = useQuery(`${keys.driftHistory}/${idOf(model)}`, () => driftHistory(model.subject, model.variant, model.bot));
  const rate = drift.thresholds?.["false_alarm_rate"];
  return (
    <>
      <Figures model={model} />
      <Answer of={history} what="The history of drift" rows={3}>
        {({ points }) => <Charts points={points} model={model} />}
      </Answer>
      <Features features={model.features} />
      {typeof rate === "number" && (
        <p className="drift-note">The limits were found by simulation: on a stable league they are passed in {percent(rate, rate < 0.01 ? 2 : 1)} of all checks.</p>
      )}
    </>
  );
}

function isDrifting(model: DriftModel) {
  return Boolean(model.live_loss?.is_alarm) || model.features.some((one) => one.is_drifted);
}

export function DriftPanel() {
  const answer = useQuery(keys.drift, askDrift);
  const [chosen, choose] = useState("");
  const all = answer.data?.models ?? [];
  const model = all.find((one) => idOf(one) === chosen) ?? all[0];
  return (
    <Card
      title="Drift"
      actions={
        model && (
          <>
            <span role="status">{isDrifting(model) ? <Badge tone="warn">drifting</Badge> : <Badge tone="good">stable</Badge>}</span>
            <Select
              label="Model whose drift is shown"
              hideLabel
              value={idOf(model)}
              choices={all.map((one) => ({ id: idOf(one), name: `${one.subject} · ${timeframe(one.variant)} · ${botName(one.bot)}` }))}
              onChange={choose}
            />
          </>
        )
      }
    >
      <Answer of={answer} what="Drift" rows={6}>
        {(drift) =>
          drift.models.length === 0 ? (
            <Empty icon="pulse" title="Drift has not been measured yet">
              It needs a model in production and live matches; the task “Performance and drift” measures it.
            </Empty>
          ) : (
            <One drift={drift} chosen={chosen} />
          )
        }
      </Answer>
    </Card>
  );
}
