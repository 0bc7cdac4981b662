import type { CSSProperties } from "react";
import type { Model } from "../../api/types.ts";
import { Badge, ModelBadge } from "../../ui/Badge.tsx";
import { botName, bytes, capital, duration, integer, NONE, score, timeframe, year } from "../../ui/format.ts";
import { Ago } from "../../ui/Now.tsx";
import { idOf } from "./filter.ts";
import { ModelActions } from "./ModelActions.tsx";
import "./ModelCard.css";

function Scores({ model }: { model: Model }) {
  const { holdout } = model;
  const facts: [string, string][] = [
    ["Log loss", score(holdout?.log_loss)],
    ["Brier", score(holdout?.brier)],
    ["RMSE", score(holdout?.rmse)],
    ["MAE", score(holdout?.mae)],
  ];
  return (
    <dl className="model-scores">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Facts({ model }: { model: Model }) {
  return (
    <dl className="model-facts">
      <dt>Trained</dt>
      <dd>
        <Ago time={model.trained_at} />
      </dd>
      <dt>Took</dt>
      <dd>{duration(model.duration_s)}</dd>
      <dt>Data</dt>
      <dd>{integer(model.data_points)}</dd>
      <dt>Size</dt>
      <dd>{bytes(model.size_bytes)}</dd>
      <dt>Period</dt>
      <dd>
        {model.period?.from ? `${year(model.period.from)}–${year(model.period.to)}` : NONE}
      </dd>
      <dt>Features</dt>
      <dd title={model.features ?? undefined}>{model.features?.replace(/_/g, " ") ?? "–"}</dd>
    </dl>
  );
}

export function ModelCard({ model, isPicked, onPick }: { model: Model; isPicked: boolean; onPick: () => void }) {
  const style = { "--status-colour": model.status_colour } as CSSProperties;
  return (
    <li className={isPicked ? "model picked" : "model"} style={style} data-version={idOf(model)} data-status={model.status}>
      <div className="model-head">
        <div>
          <h2>
            {model.subject} · {timeframe(model.variant)}
          </h2>
          <p>
            {botName(model.bot)} <span className="mono">{model.version?.slice(0, 8)}</span>
          </p>
        </div>
        <div className="model-badges">
          <ModelBadge status={model.status} />
          {model.stage === "Production" && <Badge tone="accent">in production</Badge>}
          {model.stage === "Staging" && <Badge>staging</Badge>}
        </div>
      </div>
      {model.version !== null && <Scores model={model} />}
      {model.error && <p className="model-error">{capital(model.error)}</p>}
      <Facts model={model} />
      <ModelActions model={model} isPicked={isPicked} onPick={onPick} />
    </li>
  );
}
