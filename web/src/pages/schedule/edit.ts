// What a person changes about a task, as texts of a form; and what of it is told to the server. Only what was changed is
// sent: what nobody set follows the program, also when a new version ships another value. An empty text goes back to that.
import type { Missed, RetrainingStatus, ScheduleChange, ScheduleTask } from "../../api/types.ts";
import { FieldError } from "../../ui/fieldError.ts";

export const TASK_FIELDS = ["cron", "time_zone", "missed", "jitter_s"] as const;
export type TaskDraft = Record<(typeof TASK_FIELDS)[number], string>;

export const draftOf = (task: ScheduleTask): TaskDraft => ({
  cron: task.cron,
  time_zone: task.time_zone,
  missed: task.missed,
  jitter_s: String(task.jitter_s),
});

/** The jitter stays: the server has no way back for it. */
export const shippedDraft = (draft: TaskDraft): TaskDraft => ({ ...draft, cron: "", time_zone: "", missed: "" });

/** null: nothing was changed. Throws FieldError for a jitter that is no number; the rest is the server's to judge. */
export function changeOf(task: ScheduleTask, draft: TaskDraft): ScheduleChange | null {
  const before = draftOf(task);
  const change: ScheduleChange = {};
  const [cron, zone, jitter] = [draft.cron.trim().replace(/\s+/g, " "), draft.time_zone.trim(), draft.jitter_s.trim()];
  if (cron !== before.cron) change.cron = cron;
  if (zone !== before.time_zone) change.time_zone = zone;
  if (draft.missed !== before.missed) change.missed = draft.missed as Missed | "";
  if (jitter !== before.jitter_s) {
    if (!/^-?\d{1,9}$/.test(jitter)) throw new FieldError("jitter_s", "A whole number of seconds is needed.");
    change.jitter_s = Number(jitter);
  }
  return Object.keys(change).length > 0 ? change : null;
}

// The thresholds of the auto-retraining are options of the tasks that apply them: both look at the cooldown, only
// "performance" at the other two.
export const LIMIT_FIELDS = ["drift_threshold", "performance_threshold", "cooldown_h"] as const;
export type LimitField = (typeof LIMIT_FIELDS)[number];
export type LimitDraft = Record<LimitField, string>;
const LIMITS_OF: Record<string, readonly LimitField[]> = { performance: LIMIT_FIELDS, retrain: ["cooldown_h"] };

export const taskOf = (tasks: ScheduleTask[] | undefined, task: string) => tasks?.find((one) => one.task === task);

/** What is in force: what a person set, else what the program ships. */
export function limitOf(field: LimitField, status: RetrainingStatus, tasks: ScheduleTask[] | undefined): number | null {
  const own = taskOf(tasks, "performance")?.options?.[field];
  return typeof own === "number" ? own : status[field];
}

/** Empty where nobody set anything. */
export function limitsDraft(tasks: ScheduleTask[]): LimitDraft {
  const options = taskOf(tasks, "performance")?.options ?? {};
  const text = (field: LimitField) => (typeof options[field] === "number" ? String(options[field]) : "");
  return { drift_threshold: text("drift_threshold"), performance_threshold: text("performance_threshold"), cooldown_h: text("cooldown_h") };
}

function numberIn(field: LimitField, text: string): number {
  const value = Number(text.trim());
  if (!Number.isFinite(value)) throw new FieldError(field, "A number is needed.");
  if (field === "cooldown_h" && !Number.isInteger(value)) throw new FieldError(field, "A whole number of hours is needed.");
  return value;
}

/** The options that each task gets, all of them: the server keeps what it is given in place of what it had. */
export function limitChanges(tasks: ScheduleTask[], draft: LimitDraft): { name: string; options: Record<string, unknown> }[] {
  const before = limitsDraft(tasks);
  const changed = LIMIT_FIELDS.filter((field) => draft[field].trim() !== before[field]);
  return Object.entries(LIMITS_OF).flatMap(([name, fields]) => {
    const task = taskOf(tasks, name);
    const mine = changed.filter((field) => fields.includes(field));
    if (!task || mine.length === 0) return [];
    const options = { ...task.options };
    for (const field of mine) {
      if (draft[field].trim() === "") delete options[field];
      else options[field] = numberIn(field, draft[field]);
    }
    return [{ name: task.name, options }];
  });
}
