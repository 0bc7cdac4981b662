// The loss of each training by epoch, as it comes in: events carry only the newest value. What was before the page was
// opened is asked for once (merge).
import { useSyncExternalStore } from "react";

export type LossPoint = [epoch: number, loss: number];

const NONE: LossPoint[] = [];
const MOST_JOBS = 40;
const curves = new Map<number, LossPoint[]>();
const listeners = new Set<() => void>();

function store(job: number, points: LossPoint[]) {
  curves.set(job, points);
  if (curves.size > MOST_JOBS) curves.delete(curves.keys().next().value!);
  for (const listener of [...listeners]) listener();
}

export function mergePoints(old: LossPoint[], more: LossPoint[]): LossPoint[] {
  const byEpoch = new Map(old);
  for (const [epoch, loss] of more) byEpoch.set(epoch, loss);
  return [...byEpoch].sort((a, b) => a[0] - b[0]);
}

export function pushLoss(job: number, epoch: number | null, loss: number | null) {
  if (!epoch || loss === null || loss === undefined) return;
  const old = curves.get(job) ?? NONE;
  const last = old.at(-1);
  if (last && last[0] === epoch && last[1] === loss) return;
  if (last && epoch < last[0]) store(job, mergePoints([], [[epoch, loss]])); // a new attempt, or the next fold
  else store(job, mergePoints(old, [[epoch, loss]]));
}

export function mergeLosses(job: number, points: LossPoint[]) {
  store(job, mergePoints(points, curves.get(job) ?? NONE));
}

export function useLosses(job: number | null): LossPoint[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => (job === null ? NONE : (curves.get(job) ?? NONE)),
  );
}
