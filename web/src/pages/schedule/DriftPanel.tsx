// Drift of one model: how far the live matches are from those it learned from, feature by feature, and whether its live
// loss has changed; over time, with the thresholds that were calibrated to a stated rate of false alarms.
import { useMemo, useState } from "react";
import { drift as askDrift, driftHistory } from "../../api/routes.ts";
import type { Drift, DriftFeature, DriftModel, DriftPoint } from "../../api/types.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Card } from "../../ui/Card.tsx";
import { Chart, type Series } from "../../ui/Chart.tsx";
import { DriftBadge } from "../../ui/drift.tsx";
import { Select } from "../../ui/Fields.tsx";
import { botName, capital, day, fixed, integer, percent, score, timeframe } from "../../ui/format.ts";
import { Answer, Empty } from "../../ui/States.tsx";
import "./DriftPanel.css";

const SHOWN = 8;
const idOf = (model: DriftModel) => `${model.subject}/${model.variant}/${model.bot}`;

function Figures({ model }: { model: DriftModel }) {
  const { live_loss: loss, performance } = model;
  const limit = (value: number | null, digits = 2) => (value === null ? null : <small>limit {fixed(value, digits)}</small>);
  return (
    <dl className="drift-figures">
      <div>
        <dt>Features drifted</dt>
        <dd>
          {percent(model.share_drifted, 0)} {limit(model.share_threshold)}
        </dd>
      </div>
      <div>
        <dt>Live log loss</dt>
        <dd>
          {score(loss.mean)} {loss.expected !== null && <small>expected {score(loss.expected)}</small>}
        </dd>
      </div>
      <div>
        <dt>Page-Hinkley</dt>
        <dd>
          {fixed(loss.page_hinkley, 2)} {limit(loss.page_hinkley_threshold)}
        </dd>
      </div>
      <div>
        <dt>Performance</dt>
        <dd>
          {fixed(performance.score, 2)} {limit(performance.threshold)}
        </dd>
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
        <span>PSI, and the line its limit</span>
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

interface Plot {
  name: string;
  colour: Series["colour"];
  pick: (point: DriftPoint) => number | null;
  format: (value: number) => string;
  fromZero: boolean;
  limit: (model: DriftModel) => number | null;
}

const PLOTS: Plot[] = [
  { name: "Live log loss", colour: "--series-1", pick: (p) => p.loss, format: (v) => v.toFixed(3), fromZero: false, limit: () => null },
  { name: "Features drifted", colour: "--series-2", pick: (p) => p.share_drifted, format: (v) => `${Math.round(v * 100)} %`, fromZero: true, limit: (m) => m.share_threshold },
  { name: "Page-Hinkley", colour: "--series-4", pick: (p) => p.page_hinkley, format: (v) => v.toFixed(1), fromZero: true, limit: (m) => m.live_loss.page_hinkley_threshold },
  { name: "Performance", colour: "--series-3", pick: (p) => p.score, format: (v) => v.toFixed(2), fromZero: true, limit: (m) => m.performance.threshold },
];

const formatDay = (value: number) => new Date(value).toLocaleDateString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

function DriftPlot({ plot, points, model }: { plot: Plot; points: DriftPoint[]; model: DriftModel }) {
  const series = useMemo((): Series[] => [{ name: plot.name, colour: plot.colour, points: points.map((point) => [point.at, plot.pick(point)]) }], [plot, points]);
  const limit = plot.limit(model);
  const known = points.map(plot.pick).filter((value) => value !== null);
  if (known.length < 2) return null;
  return (
    <div>
      <h3>{plot.name}</h3>
      <Chart
        label={`${plot.name} over ${known.length} checks, now ${plot.format(known.at(-1)!)}${limit === null ? "" : `, limit ${plot.format(limit)}`}`}
        series={series}
        xType="time"
        height={170}
        fromZero={plot.fromZero}
        formatX={formatDay}
        formatY={plot.format}
        limit={limit === null ? undefined : { value: limit, name: "limit" }}
      />
    </div>
  );
}

function Charts({ points, model }: { points: DriftPoint[]; model: DriftModel }) {
  if (points.filter((point) => point.loss !== null || point.psi_max !== null).length < 2) {
    return <p className="drift-note">The charts begin with the second check that had matches to look at.</p>;
  }
  return (
    <div className="drift-charts">
      {PLOTS.map((plot) => (
        <DriftPlot key={plot.name} plot={plot} points={points} model={model} />
      ))}
    </div>
  );
}

function spans({ window, reference }: DriftModel): string {
  if (window.matches === 0) return "";
  return `${integer(window.matches)} matches from ${day(window.from)} to ${day(window.to)} are compared with ${integer(reference.matches)} it learned from.`;
}

function One({ drift, chosen }: { drift: Drift; chosen: string }) {
  const model = drift.models.find((one) => idOf(one) === chosen) ?? drift.models[0]!;
  const history = useQuery(`${keys.driftHistory}/${idOf(model)}`, () => driftHistory(model.subject, model.variant, model.bot));
  return (
    <>
      <Figures model={model} />
      <Answer of={history} what="The history of drift" rows={3}>
        {({ points }) => <Charts points={points} model={model} />}
      </Answer>
      {model.features.length > 0 && <Features features={model.features} />}
      <p className="drift-note">
        {capital(model.reason)}. {spans(model)}
        {[model.limits.no_loss_limits, model.limits.no_drift_limits].filter(Boolean).map((why) => ` ${capital(why!)}.`)}
      </p>
      <p className="drift-note">
        The limits were found by simulation: in {integer(model.limits.horizon_matches)} matches of a stable league they raise a false alarm with a
        probability of {percent(model.limits.false_alarm_rate, 0)}.
      </p>
    </>
  );
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
            <span role="status">
              <DriftBadge model={model} />
            </span>
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
