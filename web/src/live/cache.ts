// A small cache of answers. A key is one answer of the server; whoever shows it subscribes through useQuery, live events
// write into it through setData, and it is asked for again when the connection was away. The old answer stays on the
// screen while a new one is fetched or when fetching fails.
import { useCallback, useEffect, useSyncExternalStore } from "react";
import { ApiError } from "../api/client.ts";

export interface Snapshot<T> {
  data: T | undefined;
  error: ApiError | null;
  isLoading: boolean;
}

interface Entry {
  snapshot: Snapshot<unknown>;
  listeners: Set<() => void>;
  fetcher: (() => Promise<unknown>) | null;
  running: Promise<void> | null;
  isStale: boolean;
}

const EMPTY: Snapshot<never> = { data: undefined, error: null, isLoading: true };
const entries = new Map<string, Entry>();

function entryOf(key: string): Entry {
  let entry = entries.get(key);
  if (!entry) {
    entry = { snapshot: EMPTY, listeners: new Set(), fetcher: null, running: null, isStale: true };
    entries.set(key, entry);
  }
  return entry;
}

function publish(entry: Entry, snapshot: Snapshot<unknown>) {
  entry.snapshot = snapshot;
  for (const listener of [...entry.listeners]) listener();
}

async function fetchInto(entry: Entry) {
  entry.isStale = false;
  try {
    const data = await entry.fetcher!();
    publish(entry, { data, error: null, isLoading: false });
  } catch (cause) {
    const error = cause instanceof ApiError ? cause : new ApiError(0, "bug", String(cause), null);
    entry.isStale = true;
    publish(entry, { data: entry.snapshot.data, error, isLoading: false });
  }
}

function refresh(entry: Entry): Promise<void> {
  if (!entry.fetcher) return Promise.resolve();
  if (entry.running) {
    entry.isStale = true; // what is under way may be older than what made us ask
    return entry.running;
  }
  entry.running = fetchInto(entry).finally(() => {
    entry.running = null;
    if (entry.isStale && !entry.snapshot.error && entry.listeners.size > 0) void refresh(entry);
  });
  return entry.running;
}

/** key null: nothing is asked for. */
export function useQuery<T>(key: string | null, fetcher: () => Promise<T>): Snapshot<T> & { refetch: () => Promise<void> } {
  const subscribe = useCallback(
    (listener: () => void) => {
      if (key === null) return () => undefined;
      const entry = entryOf(key);
      entry.listeners.add(listener);
      return () => entry.listeners.delete(listener);
    },
    [key],
  );
  const snapshot = useSyncExternalStore(subscribe, () => (key === null ? EMPTY : entryOf(key).snapshot)) as Snapshot<T>;
  useEffect(() => {
    if (key === null) return;
    const entry = entryOf(key);
    entry.fetcher = fetcher;
    if (entry.isStale) void refresh(entry);
    // the fetcher is the same for the same key
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [key]);
  const refetch = useCallback(() => (key === null ? Promise.resolve() : refresh(entryOf(key))), [key]);
  return { ...snapshot, refetch };
}

/** What a live event says about an answer; undefined leaves it as it is. */
export function setData<T>(key: string, update: (old: T | undefined) => T | undefined) {
  const entry = entryOf(key);
  const data = update(entry.snapshot.data as T | undefined);
  if (data === undefined) return;
  if (entry.running) entry.isStale = true; // its answer may be older than this
  publish(entry, { data, error: null, isLoading: false });
}

/** Answers whose key begins so are asked for again, at once where somebody looks at them. */
export function invalidate(prefix: string) {
  for (const [key, entry] of entries) {
    if (!key.startsWith(prefix)) continue;
    entry.isStale = true;
    if (entry.listeners.size > 0) void refresh(entry);
  }
}
