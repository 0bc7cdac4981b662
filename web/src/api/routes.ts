// The routes that the dashboard uses, one function each.
import { get, post, put, query, remove } from "./client.ts";
import type {
  Drift,
  DriftPoint,
  Health,
  Job,
  JobList,
  LogLines,
  LogSearch,
  Model,
  ModelDetails,
  ModelReport,
  QueueStatus,
  RetrainingStatus,
  Schedule,
  ScheduleChange,
  SchedulePreview,
  ScheduleRun,
  ScheduleTask,
  ServingModel,
  StartAuto,
  TrainingOptions,
  TrainingStatus,
} from "./types.ts";

const part = encodeURIComponent;

export const health = () => get<Health>("/health");
export const serving = () => get<{ models: ServingModel[] }>("/model/current");

export const jobs = (limit: number) => get<JobList>(`/api/jobs${query({ limit })}`);
export const job = (id: number) => get<{ job: Job }>(`/api/jobs/${id}`);
export const jobAction = (id: number, action: "stop" | "force-stop" | "resume") => post<{ job: Job }>(`/api/jobs/${id}/${action}`);
export const queues = () => get<{ queues: QueueStatus[] }>("/api/queues");

export const logLines = (id: number, offset: number, limit: number) =>
  get<LogLines>(`/api/jobs/${id}/logs/lines${query({ offset, limit })}`);
export const logTail = (id: number, tail: number) => get<LogLines>(`/api/jobs/${id}/logs/lines${query({ tail, limit: tail })}`);
export const logSearch = (id: number, q: string, limit: number) =>
  get<LogSearch>(`/api/jobs/${id}/logs/search${query({ q, limit })}`);
export const logDownload = (id: number) => `/api/jobs/${id}/logs/download`;

export const trainingOptions = () => get<TrainingOptions>("/api/training/options");
export const trainingStatus = () => get<TrainingStatus>("/api/training/status");
export const trainingStart = (request: StartAuto) =>
  post<{ batch: string; queued: number; jobs: Job[] }>("/api/training/start-auto", request);
export const trainingAction = (action: "pause" | "resume" | "stop" | "force-stop") => post<TrainingStatus>(`/api/training/${action}`);

export const models = () => get<{ models: Model[] }>("/api/models?limit=500");
export const modelReport = () => get<ModelReport>("/api/models/report");
export const modelDetails = (version: string) => get<ModelDetails>(`/api/models/versions/${part(version)}`);
export const modelAction = (version: string, action: "promote" | "archive" | "retrain") =>
  post<unknown>(`/api/models/versions/${part(version)}/${action}`);
export const modelDownload = (version: string) => `/api/models/versions/${part(version)}/download`;
export const modelClear = (subject: string, variant: string, bot: string) =>
  remove<{ cleared: number; freed_bytes: number }>(`/api/models/clear/${part(subject)}/${part(variant)}/${part(bot)}`);
export const modelClearVersion = (version: string) =>
  remove<{ cleared: number; freed_bytes: number }>(`/api/models/versions/${part(version)}`);
export const modelClearAll = () => remove<{ cleared: number; freed_bytes: number }>("/api/models/clear-all?confirm=true");
export const retrainStale = () => post<unknown>("/api/models/retrain-stale");

export const schedule = () => get<Schedule>("/api/schedule");
export const scheduleChange = (name: string, change: ScheduleChange) => put<ScheduleTask>(`/api/schedule/${part(name)}`, change);
/** time_zone "": the server's. */
export const schedulePreview = (cron: string, time_zone: string, count: number) =>
  get<SchedulePreview>(`/api/schedule/preview${query({ cron, time_zone, count })}`);
export const scheduleAction = (name: string, action: "enable" | "disable" | "run") =>
  post<unknown>(`/api/schedule/${part(name)}/${action}`);
export const scheduleRuns = (name: string) => get<{ runs: ScheduleRun[] }>(`/api/schedule/${part(name)}/runs?limit=10`);

export const drift = () => get<Drift>("/api/drift");
export const driftHistory = (subject: string, variant: string, bot: string) =>
  get<{ points: DriftPoint[] }>(`/api/drift/history${query({ subject, variant, bot })}`);
export const retraining = () => get<RetrainingStatus>("/api/ml-management/retraining/status");
export const retrainingAction = (action: "start" | "stop" | "trigger", body: object = {}) =>
  post<unknown>(`/api/ml-management/retraining/${action}`, body);
