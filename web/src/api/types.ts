// What the server answers: one type per JSON object of the API (docs/generated/api.md, /openapi.json). Times are UTC
// ISO 8601 texts, null when there is none.

export type Time = string | null;
export type JobState = "queued" | "running" | "stopping" | "succeeded" | "failed" | "stopped";

export interface Job {
  id: number;
  task: string;
  label: string;
  queue: string;
  state: JobState;
  pid: number | null;
  priority: number;
  attempt: number;
  max_attempts: number;
  key: string | null;
  who: string | null;
  batch: string | null;
  after: number[];
  created_at: Time;
  not_before: Time;
  started_at: Time;
  ended_at: Time;
  phase: string | null;
  done: number;
  total: number;
  eta_s: number | null;
  epoch: number | null;
  epochs: number | null;
  loss: number | null;
  best_loss: number | null;
  warning: string | boolean | null;
  error: string | null;
}

export interface JobList {
  jobs: Job[];
  counts?: Record<string, number>;
}

export interface TrainingItem {
  job_id: number;
  symbol: string;
  timeframe: string;
  bot: string;
}

export interface CurrentTraining extends TrainingItem {
  phase: string | null;
  progress: number | null;
  epoch: number | null;
  epochs: number | null;
  loss: number | null;
  best_loss: number | null;
  eta_s: number | null;
}

export interface TrainingStatus {
  is_running: boolean;
  is_paused: boolean;
  is_stopping: boolean;
  current_training: CurrentTraining | null;
  queue_length: number;
  completed_count: number;
  failed_count: number;
  stopped_count: number;
  eta_s: number | null;
  batch: string | null;
  queue: TrainingItem[];
}

export interface SymbolOption {
  id: string;
  name: string;
  country: string;
  matches: number;
  from: Time;
  to: Time;
}

export type OptionType = "bool" | "int" | "real" | "text" | "date" | "enum";

export interface OptionRow {
  name: string;
  type: OptionType | string;
  unit: string | null;
  min: number | null;
  max: number | null;
  default: string | number | boolean | null;
  doc: string;
  choices: string[] | null;
}

export interface BotOption {
  id: string;
  name: string;
  engine: string;
  doc?: string;
  needs_prices?: boolean;
  is_baseline?: boolean;
  options: OptionRow[];
}

export interface TrainingOptions {
  symbols: SymbolOption[];
  timeframes: { id: string; name: string }[];
  bots: BotOption[];
  features?: { id: string; doc: string; needs_prices: boolean }[];
  train_options: OptionRow[];
  max_depth: number;
}

export interface StartAuto {
  symbols: string[];
  timeframes: string[];
  bots: string[];
  last?: number;
  parameters?: Record<string, string | number | boolean>;
  [option: string]: unknown; // of train_options: pool, holdout, folds, ...
}

export interface LogLine {
  offset: number;
  next?: number;
  at: Time;
  text: string;
}

export interface LogLines {
  lines: LogLine[];
  next_offset: number;
  size_bytes: number;
  is_final: boolean;
}

export interface LogSearch {
  lines: LogLine[];
  more: boolean;
}

export interface QueueStatus {
  name: string;
  is_running: boolean;
  is_paused: boolean;
  is_stopping: boolean;
  queued: number;
  running: number;
  completed: number;
  failed: number;
  stopped: number;
  current: number | null;
  eta_s: number | null;
  parallel: number;
  paused_by: string | null;
  paused_at: Time;
}

export type Outcome = "succeeded" | "failed" | "skipped" | "stopped" | "running";

export type Missed = "skip" | "once";

export interface ScheduleTask {
  name: string;
  doc: string;
  task: string;
  options?: Record<string, unknown>; // of the task; what is not named has its default
  cron: string;
  time_zone: string;
  is_enabled: boolean;
  is_available?: boolean; // false: this program does not have the task
  missed: Missed;
  jitter_s: number;
  last_run: Time;
  last_duration_s: number | null;
  last_outcome: Outcome | null;
  last_note: string | null;
  last_job: number | null;
  next_run: Time;
  runs: number;
  failures: number;
}

export interface Schedule {
  tasks: ScheduleTask[];
  now: string;
  time_zone: string; // of tasks that name none
  is_on?: boolean; // false: tasks start only when asked to
}

/** What is not named stays; an empty text goes back to what is shipped. */
export interface ScheduleChange {
  cron?: string;
  time_zone?: string;
  missed?: Missed | "";
  jitter_s?: number;
  options?: Record<string, unknown>;
}

export interface SchedulePreview {
  cron: string;
  time_zone: string;
  times: string[];
  local: string[]; // the same on the clock of the zone, with the offset of that moment
}

export interface ScheduleRun {
  job_id: number | null;
  due: Time;
  started_at: Time;
  ended_at: Time;
  outcome: Outcome;
  note: string | null;
}

export interface DriftFeature {
  name: string;
  psi: number | null;
  ks: number | null;
  js: number | null;
  w1: number | null;
  missing_change: number | null;
  threshold: number | null;
  is_drifted: boolean;
}

export interface LiveLoss {
  count: number;
  mean: number | null;
  expected: number | null; // of the same matches, had the forecasts been right about their own certainty
  reference: number | null;
  page_hinkley: number | null;
  page_hinkley_threshold: number | null;
  adwin: number | null;
  adwin_threshold: number | null;
  adwin_cut: Time;
  is_alarm: boolean;
}

export interface DriftModel {
  subject: string;
  variant: string;
  bot: string;
  version: string;
  window: DriftSpan;
  reference: DriftSpan;
  features: DriftFeature[];
  share_drifted: number | null;
  share_threshold: number | null;
  live_loss: LiveLoss;
  performance: { score: number | null; threshold: number | null; matches: number; is_alarm: boolean };
  trigger: "drift" | "performance" | null;
  reason: string;
  decision: string;
  limits: { false_alarm_rate: number; horizon_matches: number; no_loss_limits: string | null; no_drift_limits: string | null };
  at: Time;
}

export interface DriftSpan {
  from: Time;
  to: Time;
  matches: number;
}

export interface Drift {
  models: DriftModel[];
  thresholds: { false_alarm_rate?: number; horizon_matches?: number };
}

export interface DriftPoint {
  at: string;
  psi_max: number | null;
  share_drifted: number | null;
  loss: number | null;
  page_hinkley: number | null;
  score: number | null;
}

export interface RetrainingDecision {
  at: Time;
  trigger: string;
  subject: string | null;
  variant: string | null;
  bot: string | null;
  reason: string | null;
  job_id: number | null;
  decision: string | null;
  outcome?: { state: string; version: string | null; promoted: boolean | null; reason: string | null } | null;
}

export interface RetrainingStatus {
  is_running: boolean;
  triggers: { schedule: boolean; drift: boolean; performance: boolean };
  drift_threshold: number;
  performance_threshold: number;
  cooldown_h: number | null;
  false_alarm_rate?: number | null;
  next_check?: Time;
  last_check: Time;
  last_trigger: Time;
  next_run: Time;
  history: RetrainingDecision[];
}

export type ModelStatus = "active" | "stale" | "failed" | "archived";

export interface Holdout {
  from: Time;
  to: Time;
  log_loss: number | null;
  brier: number | null;
  rps: number | null;
  accuracy: number | null;
  rmse?: number | null;
  mae?: number | null;
}

export interface MarketScore {
  reference: string;
  rows: number | null;
  log_loss: number | null;
  difference: number | null;
  low: number | null;
  high: number | null;
}

export interface Model {
  subject: string;
  variant: string;
  bot: string;
  version: string | null; // null: the training failed
  stage: string | null;
  status: ModelStatus;
  status_colour: string;
  trained_at: Time;
  age_h: number | null;
  duration_s: number | null;
  data_points: number | null;
  period: { from: Time; to: Time } | null;
  holdout: Holdout | null;
  market?: MarketScore | null;
  features: string | null;
  engine: string | null;
  epochs: number | null;
  path: string | null;
  size_bytes: number | null;
  error: string | null;
  job_id?: number | null;
}

export interface ServingModel {
  league: string;
  target: string;
  bot: string;
  version: string;
  is_fallback: boolean;
  feature_set: string;
  trained_at: Time;
  matches_learned: number;
  holdout: Holdout;
}

export interface ModelReport {
  total: number;
  fresh: number;
  stale: number;
  storage_bytes: number;
  unique_symbols: number;
  unique_timeframes: number;
  unique_bots: number;
}

export interface Estimate {
  value: number | null;
  low: number | null;
  high: number | null;
}

export interface ForecastScores {
  name: string;
  log_loss: Estimate;
  brier: Estimate;
  rps: Estimate;
  accuracy: Estimate;
  against_reference?: Estimate | null;
}

export interface ModelDetails {
  model: Model;
  details: {
    scores?: { rows: number; reference: string; forecasts: ForecastScores[] } | null;
    reliability?: { low: number; high: number; mean_p: number; mean_o: number; count: number }[] | null;
  } | null;
}

export interface Health {
  status: string;
  uptime_s: number;
  models: number;
  features_ready: boolean;
  features_current: boolean;
  connections: number;
}

export interface Stats {
  jobs_running: number;
  queue_length: number;
  predictions_total: number;
  predict_per_s: number;
  uptime_s: number;
  ws_clients: number;
  memory_bytes: number;
}
