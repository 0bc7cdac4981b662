// History routing for four pages. Beside the path there is one thing an address can say: /training?job=17 shows that log.
import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();

function changed() {
  for (const listener of [...listeners]) listener();
}

addEventListener("popstate", changed);

export function navigate(path: string) {
  if (path === location.pathname + location.search) return;
  history.pushState(null, "", path);
  changed();
  scrollTo(0, 0);
}

export const usePath = () =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => location.pathname,
  );
