// A cron expression (five fields, names, lists, ranges, steps, @daily ...) in words. What is too rich for a short
// sentence is shown as it is written.
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const ALIASES: Record<string, string> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const isNumber = (text: string) => /^\d+$/.test(text);
const list = (items: string[]) => (items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`);
const two = (value: string | number) => String(value).padStart(2, "0");

function named(text: string, names: string[], first: number): string {
  const short = names.findIndex((name) => name.slice(0, 3).toLowerCase() === text.toLowerCase());
  if (short >= 0) return names[short]!;
  if (!isNumber(text)) return text;
  return names[(Number(text) - first) % names.length] ?? text;
}

function spans(field: string, names: string[], first: number): string {
  const parts = field.split(",").map((part) => {
    const range = /^(\w+)-(\w+)$/.exec(part);
    return range ? `${named(range[1]!, names, first)} to ${named(range[2]!, names, first)}` : named(part, names, first);
  });
  return list(parts);
}

const step = (field: string) => /^\*\/(\d+)$/.exec(field)?.[1] ?? null;
const ordinal = (text: string) => `${text}${/1[123]$/.test(text) ? "th" : ({ 1: "st", 2: "nd", 3: "rd" }[text.at(-1)!] ?? "th")}`;

/** null: not expressible. */
function timeWords(minute: string, hour: string): string | null {
  if (minute === "*" && hour === "*") return "every minute";
  if (step(minute) && hour === "*") return `every ${step(minute)} minutes`;
  if (step(minute) && /^\d+-\d+$/.test(hour)) return `every ${step(minute)} minutes from ${two(hour.split("-")[0]!)}:00 to ${two(hour.split("-")[1]!)}:59`;
  if (!isNumber(minute)) return null;
  if (hour === "*") return minute === "0" ? "every hour" : `every hour at minute ${minute}`;
  if (step(hour)) return `every ${step(hour)} hours${minute === "0" ? "" : ` at minute ${minute}`}`;
  if (/^\d+-\d+$/.test(hour)) return `every hour from ${two(hour.split("-")[0]!)}:${two(minute)} to ${two(hour.split("-")[1]!)}:${two(minute)}`;
  if (hour.split(",").every(isNumber)) return `at ${list(hour.split(",").map((one) => `${two(one)}:${two(minute)}`))}`;
  return null;
}

export function cronWords(expression: string): string {
  const fields = (ALIASES[expression.trim()] ?? expression).trim().split(/\s+/);
  if (fields.length !== 5) return expression;
  const [minute, hour, dayOfMonth, month, weekday] = fields as [string, string, string, string, string];
  const time = timeWords(minute, hour);
  if (time === null || [dayOfMonth, month, weekday].some((field) => field.includes("/"))) return expression;
  const days: string[] = [];
  if (weekday !== "*") days.push(weekday === "1-5" ? "on weekdays" : `on ${spans(weekday, DAYS, 0)}`);
  if (dayOfMonth !== "*") {
    if (!dayOfMonth.split(",").every(isNumber)) return expression;
    days.push(`on the ${list(dayOfMonth.split(",").map(ordinal))}`);
  }
  let words = time;
  if (days.length > 0) words = `${days.join(" or ")} ${time}`;
  else if (time.startsWith("at ")) words = month === "*" ? `daily ${time}` : time;
  if (month !== "*") words += ` in ${spans(month, MONTHS, 1)}`;
  return words.charAt(0).toUpperCase() + words.slice(1);
}
