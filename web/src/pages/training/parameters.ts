// Parameters of the engines, as the program's option tables describe them. What is left as it is is not sent.
import type { BotOption, OptionRow, TrainingOptions } from "../../api/types.ts";

export type Values = Record<string, string>;

/** The parameters that all these bots have: one form for all of them. */
export function commonOptions(bots: BotOption[]): OptionRow[] {
  const [first, ...others] = bots;
  if (!first) return [];
  return first.options.filter((row) => others.every((bot) => bot.options.some((one) => one.name === row.name && one.type === row.type)));
}

/** Of the options of a training those that have no control of their own, and that may be given for a batch. */
const BATCH_OPTIONS = ["features", "pool", "holdout", "folds", "seed"];

export function batchOptions(options: TrainingOptions): OptionRow[] {
  const rows = options.train_options.filter((row) => BATCH_OPTIONS.includes(row.name));
  const sets = options.features?.map((set) => set.id);
  return rows.map((row) => (row.name === "features" && sets ? { ...row, choices: ["", ...sets] } : row));
}

export const isWhole = (row: OptionRow) => row.type === "int" || row.type === "integer";
export const isNumeric = (row: OptionRow) => isWhole(row) || row.type === "real" || row.type === "number";
export const isFlag = (row: OptionRow) => row.type === "bool" || row.type === "flag" || row.type === "boolean";
export const defaultText = (row: OptionRow) => (row.default === null ? "" : String(row.default));

/** Why the text cannot be sent; null: it can. */
export function problemOf(row: OptionRow, text: string): string | null {
  if (!isNumeric(row) || text === defaultText(row)) return null;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) return "a number is needed";
  if (isWhole(row) && !Number.isInteger(value)) return "a whole number is needed";
  if (row.min !== null && value < row.min) return `at least ${row.min}`;
  if (row.max !== null && value > row.max) return `at most ${row.max}`;
  return null;
}

export function problemsOf(rows: OptionRow[], values: Values): string | null {
  for (const row of rows) {
    const problem = row.name in values ? problemOf(row, values[row.name]!) : null;
    if (problem) return `${row.name}: ${problem}`;
  }
  return null;
}

export function changedParameters(rows: OptionRow[], values: Values): Record<string, string | number | boolean> {
  const changed: Record<string, string | number | boolean> = {};
  for (const row of rows) {
    const text = values[row.name];
    if (text === undefined || text === defaultText(row)) continue;
    changed[row.name] = isNumeric(row) ? Number(text) : isFlag(row) ? text === "true" : text;
  }
  return changed;
}
