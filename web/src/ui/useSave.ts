// Saving a form: what the server refuses is said at the field it names, and the focus goes there.
import { useEffect, useRef, useState } from "react";
import { ApiError } from "../api/client.ts";
import { FieldError } from "./fieldError.ts";

/** By the names of the fields; "" is the form as a whole. */
export type Problems = Record<string, string>;

export function useSave(fields: readonly string[], save: () => Promise<unknown>, fieldOf = (error: ApiError | FieldError) => error.field) {
  const form = useRef<HTMLFormElement>(null);
  const [isBusy, setBusy] = useState(false);
  const [problems, setProblems] = useState<Problems>({});
  const [refusals, setRefusals] = useState(0);
  useEffect(() => {
    if (refusals > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [refusals]);

  async function run() {
    setBusy(true);
    setProblems({});
    try {
      await save(); // closes the dialog when it is done
    } catch (cause) {
      const field = cause instanceof ApiError || cause instanceof FieldError ? fieldOf(cause) : null;
      const text = cause instanceof Error ? cause.message : String(cause);
      setProblems({ [field !== null && fields.includes(field) ? field : ""]: text });
      setRefusals((count) => count + 1);
    } finally {
      setBusy(false);
    }
  }

  return { form, isBusy, problems, run, forget: (field: string) => setProblems(({ [field]: _, ...rest }) => rest) };
}
