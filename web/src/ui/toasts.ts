// Short messages at the edge of the screen; read out by screen readers (Toasts.tsx).
export type Tone = "good" | "bad" | "plain";

export interface Toast {
  id: number;
  tone: Tone;
  title: string;
  detail: string | undefined;
}

const SHOWN_MS = { good: 4_500, plain: 4_500, bad: 9_000 };
const MOST = 4;
let toasts: Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function change(next: Toast[]) {
  toasts = next;
  for (const listener of [...listeners]) listener();
}

export const dismiss = (id: number) => change(toasts.filter((one) => one.id !== id));

export function toast(tone: Tone, title: string, detail?: string) {
  const id = nextId++;
  change([...toasts, { id, tone, title, detail }].slice(-MOST));
  setTimeout(() => dismiss(id), SHOWN_MS[tone]);
}

export const readToasts = () => toasts;
export function watchToasts(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
