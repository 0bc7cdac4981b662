// One clock for everything that says "4 min ago": it ticks once a second for all, and only what changed is drawn.
import { useSyncExternalStore } from "react";
import { dateTime, relative } from "./format.ts";

let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function watch(listener: () => void) {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const one of [...listeners]) one();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

export function Ago({ time }: { time: string | null | undefined }) {
  const text = useSyncExternalStore(watch, () => relative(time, now));
  if (!time) return <span className="quiet">{text}</span>;
  return (
    <time className="num nowrap" dateTime={time} title={dateTime(time)}>
      {text}
    </time>
  );
}
