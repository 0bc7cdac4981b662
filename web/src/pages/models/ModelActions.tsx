// What can be done with a version; what cannot be undone asks first.
import { useState } from "react";
import { modelAction, modelClear, modelClearVersion, modelDownload, trainingStart } from "../../api/routes.ts";
import type { Model } from "../../api/types.ts";
import { invalidate } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Button, LinkButton } from "../../ui/Button.tsx";
import { Confirm, Dialog, type Question } from "../../ui/Dialog.tsx";
import { botName, bytes, timeframe } from "../../ui/format.ts";
import { toast } from "../../ui/toasts.ts";
import { useAction } from "../../ui/useAction.ts";

type Verb = Parameters<typeof modelAction>[1];
const DONE: Record<Verb, string> = { promote: "promoted", archive: "archived", retrain: "queued for training" };

export const nameOf = (model: Model) => `${model.subject} ${timeframe(model.variant)} ${botName(model.bot)}`;

function renew() {
  for (const key of [keys.models, keys.modelReport, keys.serving]) invalidate(key);
}

function ClearDialog({ model, onClose, onClear }: { model: Model; onClose: () => void; onClear: (isAll: boolean) => void }) {
  const choose = (isAll: boolean) => () => {
    onClose();
    onClear(isAll);
  };
  return (
    <Dialog title="Clear this model?" onClose={onClose}>
      <p>
        What is cleared stays in the history as archived; its file is deleted, and nothing predicts with it any more.
      </p>
      <div className="dialog-actions">
        <Button data-focus onClick={onClose}>
          Cancel
        </Button>
        <Button kind="danger" onClick={choose(true)}>
          All versions of {nameOf(model)}
        </Button>
        <Button kind="danger-solid" onClick={choose(false)}>
          Clear this version
        </Button>
      </div>
    </Dialog>
  );
}

async function retrain(model: Model) {
  if (model.version) return modelAction(model.version, "retrain");
  return trainingStart({ symbols: [model.subject], timeframes: [model.variant], bots: [model.bot] });
}

export function ModelActions({ model, isPicked, onPick }: { model: Model; isPicked: boolean; onPick: () => void }) {
  const [question, ask] = useState<Question | null>(null);
  const [isClearing, setClearing] = useState(false);
  const name = nameOf(model);
  const version = model.version;
  const act = useAction(async (verb: Verb) => {
    await (verb === "retrain" ? retrain(model) : modelAction(version!, verb));
    toast("good", `${name} is ${DONE[verb]}`);
    renew();
  });
  const clear = useAction(async (isAll: boolean) => {
    const { freed_bytes } = await (isAll ? modelClear(model.subject, model.variant, model.bot) : modelClearVersion(version!));
    toast("good", `${name} is cleared`, `${bytes(freed_bytes)} freed`);
    renew();
  });
  const hasFile = version !== null && Boolean(model.size_bytes);
  const confirm = (verb: Verb, title: string, text: string) =>
    ask({ title, text, confirm: title.replace("?", ""), danger: verb === "archive", action: () => act.run(verb) });
  return (
    <div className="model-foot">
      {version !== null && (
        <label className="compare-check">
          <input type="checkbox" checked={isPicked} onChange={onPick} aria-label={`Compare ${name} ${version}`} />
          Compare
        </label>
      )}
      <span className="model-buttons">
        {hasFile && (
          <Button
            small
            icon="promote"
            aria-label={`Promote ${name} ${version}`}
            title="Promote to production"
            disabled={model.stage === "Production" || act.isBusy}
            onClick={() => confirm("promote", "Promote?", `${name}, version ${version}, will serve the predictions from now on.`)}
          />
        )}
        <Button small icon="refresh" aria-label={`Retrain ${name}`} title="Train again on the present data" disabled={act.isBusy} onClick={() => void act.run("retrain")} />
        {hasFile && <LinkButton small icon="download" href={modelDownload(version)} label={`Download ${name} ${version}`} download />}
        {hasFile && (
          <Button
            small
            icon="archive"
            aria-label={`Archive ${name} ${version}`}
            title="Archive this version"
            disabled={model.status === "archived" || act.isBusy}
            onClick={() => confirm("archive", "Archive?", `Version ${version} of ${name} will not be served any more. Its file stays.`)}
          />
        )}
        {hasFile && (
          <Button small icon="trash" kind="danger" aria-label={`Clear ${name} ${version}`} title="Clear" disabled={clear.isBusy} onClick={() => setClearing(true)} />
        )}
      </span>
      {isClearing && <ClearDialog model={model} onClose={() => setClearing(false)} onClear={(isAll) => void clear.run(isAll)} />}
      {question && <Confirm question={question} onClose={() => ask(null)} />}
    </div>
  );
}
