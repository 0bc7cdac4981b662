/** Where the server is, and how long to wait for it. */
export interface CallOptions {
  /** Default: the environment's ML_SERVICE_URL, else http://localhost:5050. */
  url?: string;
  /** For the whole call, connecting included. Default 2000. */
  timeoutMs?: number;
}

export type Target = "1x2" | "ou25";

/** One value per outcome of the target. */
export interface MatchResult {
  home: number;
  draw: number;
  away: number;
}
export interface OverUnder {
  under: number;
  over: number;
}
export type Outcomes = MatchResult | OverUnder;

/** Decimal odds: one set, or one per bookmaker ("B365", "PS", ...). */
export type Odds = Outcomes | Record<string, Outcomes>;

interface RequestCommon {
  /** Default "1x2". */
  target?: Target;
  /** How the model is made ("lightgbm", "elo_logit", ...); default: whichever is in production. */
  bot?: string;
  odds?: Odds;
}
export interface RequestById extends RequestCommon {
  /** Almanac's own id, or the source's. */
  match: string | number;
}
export interface RequestByTeams extends RequestCommon {
  league: string;
  home: string;
  away: string;
  /** "2026-03-01" or "2026-03-01T15:00Z"; default: the next moment. */
  date?: string;
}
export type PredictRequest = RequestById | RequestByTeams;

/** The server's answer. `prediction` is null, with the reason, when the model or a team is missing. */
export interface PredictAnswer {
  prediction: Outcomes | null;
  /** 1 / probability */
  fair_odds: Outcomes | null;
  /** probability * odds - 1, by bookmaker; odds without a bookmaker's name stand under "given". */
  edge: Record<string, Outcomes> | null;
  reason: string | null;
  target: Target;
  match: {
    id: number | null;
    league: string | null;
    home: string | null;
    away: string | null;
    kickoff: string | null;
    is_played: boolean;
  };
  model: {
    bot: string;
    version: string;
    calibration: string;
    uses_prices: boolean;
    /** A layer fitted on the newest settled matches was put over the model. */
    recalibrated: { at: string; matches: number } | null;
  } | null;
}

/** What predict() gives when there is no answer: server down, too late, not JSON, or the request was refused. */
export interface NoPrediction {
  prediction: null;
  edge: null;
  reason: string;
  /** The member of the request (or option) at fault, when there is one: "odds.home". */
  field?: string;
}

/** Never rejects. */
export function predict(request: PredictRequest, options?: CallOptions): Promise<PredictAnswer | NoPrediction>;

export interface Health {
  status: string;
  uptime_s: number;
  models: number;
  features_ready: boolean;
  connections: number;
}
export function health(options?: CallOptions): Promise<Health>;

export interface Model {
  league: string;
  target: Target;
  bot: string;
  version: string;
  stage: string;
  is_fallback: boolean;
  feature_set: string;
  needs_prices: boolean;
  trained_at: string | null;
  learned_from: string | null;
  learned_to: string | null;
  matches_learned: number;
  holdout: {
    from: string | null;
    to: string | null;
    log_loss: number | null;
    brier: number | null;
    rps: number | null;
    accuracy: number | null;
  };
  size_bytes: number;
  duration_ms: number;
}
export function currentModels(
  filter?: { league?: string; target?: Target; bot?: string },
  options?: CallOptions,
): Promise<Model[]>;

export interface Job {
  id: number;
  task: string;
  state: string;
  pid: number | null;
  created_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  phase: string | null;
  done: number;
  total: number;
  error: string | null;
}
export interface StartedJob {
  job_id: number;
  pid: number | null;
  job: Job;
}
/** Options of `almanac train`, with '_' in names: { league: "E0", target: "1x2", engine: "lightgbm" }. */
export function train(training?: Record<string, string | number | boolean>, options?: CallOptions): Promise<StartedJob>;
export function job(
  id: number | string,
  options?: CallOptions,
): Promise<{ job: Job; request: Record<string, unknown> | null; result: unknown }>;

/** What all calls but predict() reject with. */
export class AlmanacError extends Error {
  /** The server's code ("invalid", "not_found", "busy", ...), or "unreachable", "timeout", "bad_answer", "bad_call". */
  readonly code: string;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The member of the request at fault. */
  readonly field: string | null;
}
