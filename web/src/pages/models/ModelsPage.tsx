// Every version ever trained: filter, sort, act, compare two.
import { useState } from "react";
import { models as askModels, modelClearAll, retrainStale } from "../../api/routes.ts";
import type { Model } from "../../api/types.ts";
import { Link } from "../../app/Link.tsx";
import { PageHead } from "../../app/PageHead.tsx";
import { invalidate, useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Button } from "../../ui/Button.tsx";
import { Confirm, type Question } from "../../ui/Dialog.tsx";
import { bytes, plural } from "../../ui/format.ts";
import { Answer, Empty } from "../../ui/States.tsx";
import { toast } from "../../ui/toasts.ts";
import { useAction } from "../../ui/useAction.ts";
import { CompareDialog } from "./CompareDialog.tsx";
import { Filters } from "./Filters.tsx";
import { choose, firstFilter, idOf, type Filter } from "./filter.ts";
import { ModelCard } from "./ModelCard.tsx";
import { ReportStrip } from "./ReportStrip.tsx";
import "./ModelsPage.css";

const SHOWN = 60;

function CompareBar({ picked, onClear, onOpen }: { picked: Model[]; onClear: () => void; onOpen: () => void }) {
  if (picked.length === 0) return null;
  return (
    <div className="compare-bar" role="status">
      <span>{picked.length === 1 ? "Choose a second version to compare" : "Two versions chosen"}</span>
      <span className="actions">
        <Button small kind="quiet" onClick={onClear}>
          Clear
        </Button>
        <Button small kind="primary" icon="compare" disabled={picked.length < 2} onClick={onOpen}>
          Compare
        </Button>
      </span>
    </div>
  );
}

function Cards({ all }: { all: Model[] }) {
  const [filter, setFilter] = useState<Filter>(firstFilter);
  const [picked, setPicked] = useState<string[]>([]);
  const [isComparing, setComparing] = useState(false);
  const [most, setMost] = useState(SHOWN);
  const shown = choose(all, filter);
  const pickedModels = picked.map((version) => all.find((one) => idOf(one) === version)).filter((one) => one !== undefined);
  const pick = (version: string) =>
    setPicked((old) => (old.includes(version) ? old.filter((one) => one !== version) : [...old, version].slice(-2)));
  return (
    <>
      <Filters all={all} filter={filter} count={shown.length} onChange={(part) => setFilter((old) => ({ ...old, ...part }))} />
      {shown.length === 0 ? (
        <Empty icon="search" title="No version fits" action={<Button onClick={() => setFilter(firstFilter)}>Show the usual ones</Button>}>
          Loosen a filter to see more of the {all.length}.
        </Empty>
      ) : (
        <ul className="model-grid">
          {shown.slice(0, most).map((model) => (
            <ModelCard key={idOf(model)} model={model} isPicked={picked.includes(idOf(model))} onPick={() => pick(idOf(model))} />
          ))}
        </ul>
      )}
      {shown.length > most && <Button onClick={() => setMost(most + SHOWN)}>Show {Math.min(SHOWN, shown.length - most)} more</Button>}
      <CompareBar picked={pickedModels} onClear={() => setPicked([])} onOpen={() => setComparing(true)} />
      {isComparing && pickedModels.length === 2 && <CompareDialog a={pickedModels[0]!} b={pickedModels[1]!} onClose={() => setComparing(false)} />}
    </>
  );
}

export default function ModelsPage() {
  const answer = useQuery(keys.models, askModels);
  const [question, ask] = useState<Question | null>(null);
  const retrain = useAction(() => retrainStale(), "Stale models are queued for training");
  const clear = useAction(async () => {
    const { cleared, freed_bytes } = await modelClearAll();
    toast("good", `${plural(cleared, "version")} cleared`, `${bytes(freed_bytes)} freed`);
    invalidate(keys.models);
    invalidate(keys.modelReport);
  });
  const all = answer.data?.models ?? [];
  return (
    <>
      <PageHead
        title="Models"
        actions={
          <>
            <Button icon="refresh" isBusy={retrain.isBusy} disabled={!all.some((one) => one.status === "stale")} onClick={() => void retrain.run()}>
              Retrain stale
            </Button>
            <Button
              icon="trash"
              kind="danger"
              isBusy={clear.isBusy}
              disabled={all.every((one) => !one.size_bytes)}
              onClick={() =>
                ask({
                  title: "Clear every model?",
                  text: "All versions of all leagues are archived and their files deleted, also those in production. Predictions answer with no forecast until something is trained again.",
                  confirm: "Clear everything",
                  danger: true,
                  action: () => clear.run(),
                })
              }
            >
              Clear all
            </Button>
          </>
        }
      >
        Every version, judged on matches it never learned from. Active means trained within the last 24 hours.
      </PageHead>
      <div className="page-grid">
        <ReportStrip />
        <Answer of={answer} what="The models" rows={8}>
          {({ models }) =>
            models.length === 0 ? (
              <Empty icon="models" title="No model yet" action={<Link href="/training">Train the first one</Link>}>
                Trained versions appear here with their scores, also those that failed.
              </Empty>
            ) : (
              <Cards all={models} />
            )
          }
        </Answer>
      </div>
      {question && <Confirm question={question} onClose={() => ask(null)} />}
    </>
  );
}
