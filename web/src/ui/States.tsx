// What is shown while there is nothing to show: empty, loading, failed. Every list and figure uses these.
import type { ReactNode } from "react";
import type { ApiError } from "../api/client.ts";
import { Button } from "./Button.tsx";
import { capital } from "./format.ts";
import { Icon, type IconName } from "./Icon.tsx";
import "./States.css";

export function Empty({ icon, title, children, action }: { icon: IconName; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="state">
      <span className="state-mark">
        <Icon name={icon} size={22} />
      </span>
      <strong>{title}</strong>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

export function Failed({ what, error, retry }: { what: string; error: ApiError; retry: () => void }) {
  return (
    <div className="state bad" role="alert">
      <span className="state-mark">
        <Icon name="alert" size={22} />
      </span>
      <strong>{what} cannot be shown</strong>
      <p>{capital(error.message)}.</p>
      <Button small icon="refresh" onClick={retry}>
        Try again
      </Button>
    </div>
  );
}

export function Skeleton({ height = 16, width = "100%" }: { height?: number; width?: number | string }) {
  return <span className="skeleton" style={{ height, width }} aria-hidden="true" />;
}

export function Loading({ rows = 4, height = 20 }: { rows?: number; height?: number }) {
  return (
    <div className="loading" role="status">
      <span className="visually-hidden">Loading</span>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} style={{ padding: "8px 0" }}>
          <Skeleton height={height} width={`${100 - ((index * 17) % 40)}%`} />
        </div>
      ))}
    </div>
  );
}

/** The three states of an answer in one place: data wins, then the error, then the wait. */
export function Answer<T>({ of, what, rows, children }: {
  of: { data: T | undefined; error: ApiError | null; refetch: () => Promise<void> };
  what: string;
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  if (of.data !== undefined) return children(of.data);
  if (of.error) return <Failed what={what} error={of.error} retry={() => void of.refetch()} />;
  return <Loading rows={rows} />;
}
