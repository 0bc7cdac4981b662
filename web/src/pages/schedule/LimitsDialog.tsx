// The thresholds of the auto-retraining, to be changed: they are options of the tasks that apply them.
import { useState } from "react";
import { scheduleChange } from "../../api/routes.ts";
import type { RetrainingStatus, ScheduleTask } from "../../api/types.ts";
import { Button } from "../../ui/Button.tsx";
import { Dialog } from "../../ui/Dialog.tsx";
import { Field } from "../../ui/Fields.tsx";
import { capital } from "../../ui/format.ts";
import { toast } from "../../ui/toasts.ts";
import { useSave } from "../../ui/useSave.ts";
import { LIMIT_FIELDS, limitChanges, limitsDraft, type LimitField } from "./edit.ts";
import "./TaskDialog.css";

const TEXTS: Record<LimitField, [label: string, hint: string]> = {
  drift_threshold: ["Drift (share of the features)", "0.01 to 1. Where the model's own past moved more than this, its past counts."],
  performance_threshold: ["Performance (score)", "0.1 to 1: expected loss by live loss. Where chance alone gets lower, that counts."],
  cooldown_h: ["Rest between two trainings (hours)", "Below 24 the run of a night is not held back by that of the night before."],
};

export function LimitsDialog({ status, tasks: before, refetch, onClose }: {
  status: RetrainingStatus;
  tasks: ScheduleTask[];
  refetch: () => Promise<void>;
  onClose: () => void;
}) {
  const [tasks] = useState(before); // as they were when the person began
  const [draft, setDraft] = useState(() => limitsDraft(tasks));
  const save = useSave(
    LIMIT_FIELDS,
    async () => {
      const changes = limitChanges(tasks, draft);
      for (const { name, options } of changes) await scheduleChange(name, { options });
      if (changes.length > 0) {
        toast("good", "The thresholds are saved", "They hold from the next check on.");
        await refetch();
      }
      onClose();
    },
    // of options the server names the one in its words
    (error) => LIMIT_FIELDS.find((field) => error.field === field || (error.field === "options" && error.message.includes(field))) ?? null,
  );
  return (
    <Dialog title="Edit the thresholds" onClose={onClose}>
      <form
        ref={save.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save.run();
        }}
      >
        <p>A field that is empty follows the program.</p>
        <div className="edit-grid">
          {LIMIT_FIELDS.map((field, index) => (
            <Field key={field} label={TEXTS[field][0]} hint={TEXTS[field][1]} problem={save.problems[field] && capital(save.problems[field])}>
              {(id, hintId) => (
                <input
                  id={id}
                  className="input num"
                  inputMode="decimal"
                  autoComplete="off"
                  data-focus={index === 0 || undefined}
                  placeholder={`${status[field]} (as shipped)`}
                  aria-describedby={hintId}
                  aria-invalid={field in save.problems}
                  value={draft[field]}
                  onChange={(event) => {
                    setDraft({ ...draft, [field]: event.target.value });
                    save.forget(field);
                  }}
                />
              )}
            </Field>
          ))}
        </div>
        <p className="edit-problem" role="alert">
          {save.problems[""] && capital(save.problems[""])}
        </p>
        <div className="dialog-actions edit-actions">
          <Button kind="quiet" icon="refresh" onClick={() => setDraft({ drift_threshold: "", performance_threshold: "", cooldown_h: "" })}>
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
