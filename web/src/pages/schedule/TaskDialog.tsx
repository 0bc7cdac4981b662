// When a task runs, to be changed: what is typed is read back in words and in times before it is saved.
import { useState } from "react";
import { scheduleChange } from "../../api/routes.ts";
import type { ScheduleTask } from "../../api/types.ts";
import { Button } from "../../ui/Button.tsx";
import { cronWords } from "../../ui/cron.ts";
import { Dialog } from "../../ui/Dialog.tsx";
import { Field } from "../../ui/Fields.tsx";
import { capital } from "../../ui/format.ts";
import { taskName } from "../../ui/names.ts";
import { toast } from "../../ui/toasts.ts";
import { useSave } from "../../ui/useSave.ts";
import { CronPreview } from "./CronPreview.tsx";
import { changeOf, draftOf, shippedDraft, TASK_FIELDS } from "./edit.ts";
import { usePreview } from "./usePreview.ts";
import "./TaskDialog.css";

const ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];
const AS_SHIPPED = "as shipped";

export function TaskDialog({ task: before, serverZone, refetch, onClose }: {
  task: ScheduleTask;
  serverZone: string;
  refetch: () => Promise<void>;
  onClose: () => void;
}) {
  const [task] = useState(before); // as it was when the person began
  const [draft, setDraft] = useState(() => draftOf(task));
  const cron = draft.cron.trim();
  const preview = usePreview(cron, draft.time_zone.trim());
  const name = taskName(task.name);
  const save = useSave(TASK_FIELDS, async () => {
    const change = changeOf(task, draft);
    if (change) {
      const saved = await scheduleChange(task.name, change);
      toast("good", `${name} is saved`, `${cronWords(saved.cron)}, ${saved.time_zone}`);
      await refetch();
    }
    onClose();
  });
  const isNever = preview.answer !== null && preview.answer.times.length === 0;
  const problemOf = (field: string) =>
    save.problems[field] ?? (preview.error?.field === field ? capital(preview.error.message) : field === "cron" && isNever ? "No day ever fits this." : null);
  const props = (field: keyof typeof draft) => ({
    value: draft[field],
    "aria-invalid": Boolean(problemOf(field)),
    onChange: ({ target }: { target: { value: string } }) => {
      setDraft((old) => ({ ...old, [field]: target.value }));
      save.forget(field);
    },
  });
  const plain = { className: "input", autoComplete: "off", autoCapitalize: "off", spellCheck: false };
  return (
    <Dialog title={`Edit ${name}`} onClose={onClose}>
      <form
        ref={save.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save.run();
        }}
      >
        <p>{capital(task.doc)}.</p>
        <div className="edit-grid">
          <Field label="When (cron)" hint="Minute, hour, day, month, weekday; or @daily and the like." problem={problemOf("cron")}>
            {(id, hintId) => <input {...plain} {...props("cron")} id={id} className="input mono" data-focus maxLength={127} placeholder={AS_SHIPPED} aria-describedby={hintId} />}
          </Field>
          <CronPreview preview={preview} cron={cron} />
          <Field label="Time zone" problem={problemOf("time_zone")}>
            {(id, hintId) => (
              <>
                <input {...plain} {...props("time_zone")} id={id} list={`${id}-zones`} maxLength={63} placeholder={`${AS_SHIPPED} (${serverZone})`} aria-describedby={hintId} />
                <datalist id={`${id}-zones`}>
                  {ZONES.map((zone) => (
                    <option key={zone} value={zone} />
                  ))}
                </datalist>
              </>
            )}
          </Field>
          <Field label="Runs that were missed" hint="Because no server ran, or the machine slept." problem={problemOf("missed")}>
            {(id, hintId) => (
              <select {...props("missed")} id={id} className="select" aria-describedby={hintId}>
                {draft.missed === "" && <option value="">{AS_SHIPPED}</option>}
                <option value="skip">are left out</option>
                <option value="once">are made up for by one run</option>
              </select>
            )}
          </Field>
          <Field label="Jitter (seconds)" hint="Each run starts up to so much later, so that not everything starts at once." problem={problemOf("jitter_s")}>
            {(id, hintId) => <input {...plain} {...props("jitter_s")} id={id} className="input num" inputMode="numeric" aria-describedby={hintId} />}
          </Field>
        </div>
        <p className="edit-problem" role="alert">
          {save.problems[""] && capital(save.problems[""])}
        </p>
        <div className="dialog-actions edit-actions">
          <Button
            kind="quiet"
            icon="refresh"
            onClick={() => {
              setDraft(shippedDraft);
              for (const field of TASK_FIELDS) save.forget(field);
            }}
          >
            Back to the default
          </Button>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" isBusy={save.isBusy}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
