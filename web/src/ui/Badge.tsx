import type { ReactNode } from "react";
import type { JobState, ModelStatus, Outcome } from "../api/types.ts";
import "./Badge.css";

export type BadgeTone = "good" | "warn" | "bad" | "accent" | "plain";

export function Badge({ tone = "plain", pulse, children, title }: { tone?: BadgeTone; pulse?: boolean; children: ReactNode; title?: string }) {
  return (
    <span className={`badge ${tone}${pulse ? " pulse" : ""}`} title={title}>
      <span className="badge-dot" aria-hidden="true" />
      {children}
    </span>
  );
}

const JOB_TONES: Record<JobState, BadgeTone> = {
  queued: "plain",
  running: "accent",
  stopping: "warn",
  succeeded: "good",
  failed: "bad",
  stopped: "plain",
};

export function JobBadge({ state }: { state: JobState }) {
  return (
    <Badge tone={JOB_TONES[state] ?? "plain"} pulse={state === "running"}>
      {state}
    </Badge>
  );
}

const MODEL_TONES: Record<ModelStatus, BadgeTone> = { active: "good", stale: "warn", failed: "bad", archived: "plain" };

export function ModelBadge({ status }: { status: ModelStatus }) {
  return <Badge tone={MODEL_TONES[status] ?? "plain"}>{status}</Badge>;
}

const OUTCOME_TONES: Record<Outcome, BadgeTone> = { succeeded: "good", failed: "bad", skipped: "plain", stopped: "warn", running: "accent" };

export function OutcomeBadge({ outcome, title }: { outcome: Outcome; title?: string }) {
  return (
    <Badge tone={OUTCOME_TONES[outcome] ?? "plain"} pulse={outcome === "running"} title={title}>
      {outcome}
    </Badge>
  );
}
