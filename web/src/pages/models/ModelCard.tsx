import { useState, type CSSProperties } from "react";
import { modelAction, modelClear, modelDownload } from "../../api/routes.ts";
import type { Model } from "../../api/types.ts";
import { invalidate } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Badge, ModelBadge } from "../../ui/Badge.tsx";
import { Button, LinkButton } from "../../ui/Button.tsx";
import { Confirm, type Question } from "../../ui/Dialog.tsx";
import { botName, bytes, duration, integer, score, timeframe, year } from "../../ui/format.ts";
import { Ago } from "../../ui/Now.tsx";
import { toast } from "../../ui/toasts.ts";
import { useAction } from "../../ui/useAction.ts";
import "./ModelCard.css";

type Verb = Parameters<typeof modelAction>[1];
const DONE: Record<Verb, string> = { promote: "promoted", archive: "archived", retrain: "queued for training" };

function renew() {
  for (const key of [keys.models, keys.modelReport, keys.serving]) invalidate(key);
}

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
        {year(model.period?.from)}–{year(model.period?.to)}
      </dd>
      <dt>Features</dt>
      <dd title={model.features ?? undefined}>{model.features?.replace(/_/g, " ") ?? "–"}</dd>
    </dl>
  );
}

function Actions({ model, isPicked, onPick }: { model: Model; isPicked: boolean; onPick: () => void }) {
  const [question, ask] = useState<Question | null>(null);
  const name = `${model.subject} ${timeframe(model.variant)} ${botName(model.bot)}`;
  const act = useAction(async (verb: Verb) => {
    await modelAction(model.version, verb);
    toast("good", `${name} is ${DONE[verb]}`);
    renew();
  });
  const clear = useAction(async () => {
    const { freed_bytes } = await modelClear(model.subject, model.variant, model.bot);
    toast("good", `${name} is cleared`, `${bytes(freed_bytes)} freed`);
    renew();
  });
  const hasFile = Boolean(model.size_bytes);
  const isServing = model.stage === "Production";
  const confirm = (verb: Verb, title: string, text: string, danger = false) =>
    ask({ title, text, confirm: title.replace("?", ""), danger, action: () => act.run(verb) });
  return (
    <div className="model-foot">
      <label className="compare-check">
        <input type="checkbox" checked={isPicked} onChange={onPick} aria-label={`Compare ${name} ${model.version}`} />
        Compare
      </label>
      <Button
        small
        icon="promote"
        aria-label={`Promote ${name} ${model.version}`}
        title="Promote to production"
        disabled={!hasFile || isServing || act.isBusy}
        onClick={() => confirm("promote", "Promote?", `${name}, version ${model.version}, will serve the predictions from now on.`)}
      />
      <Button small icon="refresh" aria-label={`Retrain ${name}`} title="Train again on the present data" disabled={act.isBusy} onClick={() => void act.run("retrain")} />
      {hasFile && <LinkButton small icon="download" href={modelDownload(model.version)} label={`Download ${name} ${model.version}`} download />}
      <Button
        small
        icon="archive"
        aria-label={`Archive ${name} ${model.version}`}
        title="Archive this version"
        disabled={model.status === "archived" || act.isBusy}
        onClick={() => confirm("archive", "Archive?", `Version ${model.version} of ${name} will not be served any more. Its file stays.`)}
      />
      <Button
        small
        icon="trash"
        kind="danger"
        aria-label={`Clear ${name}`}
        title="Clear all versions of this model"
        disabled={!hasFile || clear.isBusy}
        onClick={() =>
          ask({
            title: "Clear this model?",
            text: `All versions of ${name} are archived and their files deleted.`,
            confirm: "Clear",
            danger: true,
            action: () => clear.run(),
          })
        }
      />
      {question && <Confirm question={question} onClose={() => ask(null)} />}
    </div>
  );
}

export function ModelCard({ model, isPicked, onPick }: { model: Model; isPicked: boolean; onPick: () => void }) {
  const style = { "--status-colour": model.status_colour } as CSSProperties;
  return (
    <li className={isPicked ? "model picked" : "model"} style={style} data-version={model.version} data-status={model.status}>
      <div className="model-head">
        <div>
          <h2>
            {model.subject} · {timeframe(model.variant)}
          </h2>
          <p>
            {botName(model.bot)} <span className="mono">{model.version.slice(0, 8)}</span>
          </p>
        </div>
        <div className="model-badges">
          <ModelBadge status={model.status} />
          {model.stage === "Production" && <Badge tone="accent">in production</Badge>}
          {model.stage === "Staging" && <Badge>staging</Badge>}
        </div>
      </div>
      <Scores model={model} />
      {model.error && <p className="model-error">{model.error}</p>}
      <Facts model={model} />
      <Actions model={model} isPicked={isPicked} onPick={onPick} />
    </li>
  );
}
