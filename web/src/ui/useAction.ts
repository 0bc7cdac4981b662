// An action of the person: runs once at a time, says on a toast when the server refuses.
import { useCallback, useRef, useState } from "react";
import { capital } from "./format.ts";
import { toast } from "./toasts.ts";

export function useAction<A extends unknown[]>(action: (...values: A) => Promise<unknown>, done?: string) {
  const [isBusy, setBusy] = useState(false);
  const newest = useRef(action);
  newest.current = action;
  const run = useCallback(
    async (...values: A) => {
      setBusy(true);
      try {
        await newest.current(...values);
        if (done) toast("good", done);
        return true;
      } catch (error) {
        toast("bad", "That did not work", capital(error instanceof Error ? error.message : String(error)));
        return false;
      } finally {
        setBusy(false);
      }
    },
    [done],
  );
  return { run, isBusy };
}
