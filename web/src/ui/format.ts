// Numbers and times for people. Pure functions; "–" stands for what is not known.
export const NONE = "–";

type Maybe = number | null | undefined;
const isNumber = (value: Maybe): value is number => typeof value === "number" && Number.isFinite(value);
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const integer = (value: Maybe) => (isNumber(value) ? whole.format(value) : NONE);
export const fixed = (value: Maybe, digits: number) => (isNumber(value) ? value.toFixed(digits) : NONE);
/** Scores of forecasts: four digits are what one season can tell apart. */
export const score = (value: Maybe) => fixed(value, 4);
export const percent = (value: Maybe, digits = 1) => (isNumber(value) ? `${(value * 100).toFixed(digits)}\u00a0%` : NONE);
export const signed = (value: Maybe, digits = 4) =>
  isNumber(value) ? `${value >= 0 ? "+" : "\u2212"}${Math.abs(value).toFixed(digits)}` : NONE;

export function compact(value: Maybe): string {
  if (!isNumber(value)) return NONE;
  if (Math.abs(value) < 10_000) return whole.format(value);
  if (Math.abs(value) < 1_000_000) return `${(value / 1e3).toFixed(Math.abs(value) < 100_000 ? 1 : 0)}k`;
  return `${(value / 1e6).toFixed(2)}M`;
}

export function rate(value: Maybe): string {
  if (!isNumber(value)) return NONE;
  return value > 0 && value < 10 ? value.toFixed(1) : compact(Math.round(value));
}

export function bytes(value: Maybe): string {
  if (!isNumber(value)) return NONE;
  if (value < 1_000) return `${value} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(value < 1e4 ? 1 : 0)} kB`;
  if (value < 1e9) return `${(value / 1e6).toFixed(value < 1e7 ? 1 : 0)} MB`;
  return `${(value / 1e9).toFixed(1)} GB`;
}

/** Two units at most: "1 h 20 min", "3 d 4 h", "12.4 s". */
export function duration(seconds: Maybe): string {
  if (!isNumber(seconds) || seconds < 0) return NONE;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  const units: [number, string][] = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = units.findIndex(([size]) => total >= size);
  const [size, name] = units[first]!;
  const [below, belowName] = units[first + 1]!;
  const rest = Math.floor((total % size) / below);
  return `${Math.floor(total / size)} ${name}${rest ? ` ${rest} ${belowName}` : ""}`;
}

/** How long since, or until: "4 min ago", "in 2 h 5 min". */
export function relative(time: string | null | undefined, now: number): string {
  if (!time) return NONE;
  const seconds = (new Date(time).getTime() - now) / 1000;
  if (Number.isNaN(seconds)) return NONE;
  if (Math.abs(seconds) < 5) return "now";
  const whole = Math.round(Math.abs(seconds));
  const text = whole < 60 ? `${whole} s` : duration(whole);
  return seconds > 0 ? `in ${text}` : `${text.replace(/ \d+ s$/, "")} ago`;
}

const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const timeFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function format(time: string | null | undefined, how: Intl.DateTimeFormat): string {
  const date = time ? new Date(time) : null;
  return date && !Number.isNaN(date.getTime()) ? how.format(date) : NONE;
}

export const day = (time: string | null | undefined) => format(time, dayFormat);
export const dateTime = (time: string | null | undefined) => format(time, timeFormat);
export const clock = (time: string | null | undefined) => format(time, clockFormat);
/** "2026-10-25T02:30:00+01:00" as its own clock shows it: "Sun, 25 Oct 2026, 02:30" */
const wallFormat = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
export const wallTime = (local: string) => format(`${local.slice(0, 19)}Z`, wallFormat);
export const year = (time: string | null | undefined) => (time ? time.slice(0, 4) : NONE);

export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
export const uncapital = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

const TIMEFRAMES: Record<string, string> = { "1x2": "1X2", ou25: "O/U 2.5", btts: "Both score" };
export const timeframe = (id: string) => TIMEFRAMES[id] ?? id;

/** "lightgbm_prices" -> "LightGBM prices" */
export function botName(id: string): string {
  return capital(id.replace(/_/g, " ").replace(/\blightgbm\b/i, "LightGBM").replace(/\belo\b/i, "Elo").replace(/\bxgboost\b/i, "XGBoost"));
}

/** "E0 1x2 lightgbm" -> "E0 1X2 LightGBM" */
export const jobName = (label: string) =>
  botName(label.trim()).replace(/\b1x2\b/, TIMEFRAMES["1x2"]!).replace(/\bou25\b/, TIMEFRAMES["ou25"]!);

export const plural = (count: number, one: string, many = `${one}s`) => `${integer(count)} ${count === 1 ? one : many}`;
