import { useSyncExternalStore } from "react";
import { Button } from "./Button.tsx";
import { dismiss, readToasts, watchToasts } from "./toasts.ts";
import "./Toasts.css";

export function Toasts() {
  const toasts = useSyncExternalStore(watchToasts, readToasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map((one) => (
        <div key={one.id} className={`toast ${one.tone}`}>
          <div>
            <strong>{one.title}</strong>
            {one.detail && <p>{one.detail}</p>}
          </div>
          <Button kind="quiet" small icon="cross" aria-label="Dismiss" onClick={() => dismiss(one.id)} />
        </div>
      ))}
    </div>
  );
}
