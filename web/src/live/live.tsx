// The connection for components: useLiveState says how it is, useTopic listens.
import { useEffect, useRef, useSyncExternalStore } from "react";
import { invalidate } from "./cache.ts";
import { Connection, type LiveState } from "./connection.ts";

export const connection = new Connection();
const listeners = new Set<() => void>();

connection.onState = () => {
  for (const listener of [...listeners]) listener();
};
connection.onRefresh = () => invalidate("");

export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => connection.state,
  );
}

/** The newest handler is called for every event of the topic; topic null: none. */
export function useTopic<T>(topic: string | null, handler: (data: T) => void) {
  const newest = useRef(handler);
  newest.current = handler;
  useEffect(() => {
    if (topic === null) return undefined;
    return connection.subscribe(topic, (data) => newest.current(data as T));
  }, [topic]);
}
