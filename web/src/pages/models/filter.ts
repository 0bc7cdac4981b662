// Which versions are shown, and in which order. Pure functions.
import type { Model } from "../../api/types.ts";

/** A failed training has no version; its job is its name. */
export const idOf = (model: Model) => model.version ?? `job-${model.job_id ?? model.trained_at}`;

export interface Filter {
  text: string;
  status: string; // "" all; "current": all but the archived
  subject: string;
  variant: string;
  bot: string;
  order: keyof typeof ORDERS;
}

export const firstFilter: Filter = { text: "", status: "current", subject: "", variant: "", bot: "", order: "newest" };

const least = (value: number | null | undefined) => value ?? Infinity;

export const ORDERS = {
  newest: { name: "Newest first", compare: (a: Model, b: Model) => (b.trained_at ?? "").localeCompare(a.trained_at ?? "") },
  loss: { name: "Best log loss", compare: (a: Model, b: Model) => least(a.holdout?.log_loss) - least(b.holdout?.log_loss) },
  brier: { name: "Best Brier", compare: (a: Model, b: Model) => least(a.holdout?.brier) - least(b.holdout?.brier) },
  points: { name: "Most data", compare: (a: Model, b: Model) => (b.data_points ?? 0) - (a.data_points ?? 0) },
  size: { name: "Largest file", compare: (a: Model, b: Model) => (b.size_bytes ?? 0) - (a.size_bytes ?? 0) },
  name: {
    name: "By league",
    compare: (a: Model, b: Model) => `${a.subject}${a.variant}${a.bot}`.localeCompare(`${b.subject}${b.variant}${b.bot}`),
  },
};

const fits = (wanted: string, value: string) => wanted === "" || wanted === value;
const fitsStatus = (wanted: string, status: string) => (wanted === "current" ? status !== "archived" : fits(wanted, status));

export function choose(all: Model[], filter: Filter): Model[] {
  const text = filter.text.trim().toLowerCase();
  return all
    .filter(
      (model) =>
        fitsStatus(filter.status, model.status) &&
        fits(filter.subject, model.subject) &&
        fits(filter.variant, model.variant) &&
        fits(filter.bot, model.bot) &&
        `${model.subject} ${model.variant} ${model.bot} ${model.version ?? ""} ${model.features ?? ""} ${model.stage ?? ""}`.toLowerCase().includes(text),
    )
    .sort((a, b) => ORDERS[filter.order].compare(a, b) || idOf(a).localeCompare(idOf(b)));
}

export const namesOf = (all: Model[], key: "subject" | "variant" | "bot") => [...new Set(all.map((model) => model[key]))].sort();
