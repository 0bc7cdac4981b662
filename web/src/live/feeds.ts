// What the events of each topic mean for the answers in the cache: one line per topic where it can be one.
import type { Drift, DriftModel, Job, JobList, QueueStatus, Schedule, ScheduleTask, Stats, TrainingStatus } from "../api/types.ts";
import { invalidate, setData } from "./cache.ts";
import { connection } from "./live.tsx";
import { keys } from "./keys.ts";
import { announceJob } from "./announce.ts";
import { pushLoss } from "./losses.ts";

const JOBS_KEPT = 60;
const isOver = (job: Job) => job.state === "succeeded" || job.state === "failed" || job.state === "stopped";

const unfinished = new Set<number>(); // seen by this page while they were under way

function takeJob(job: Job) {
  setData<JobList>(keys.jobs, (old) => {
    if (!old) return undefined;
    const isKnown = old.jobs.some((one) => one.id === job.id);
    const jobs = isKnown ? old.jobs.map((one) => (one.id === job.id ? job : one)) : [job, ...old.jobs].slice(0, JOBS_KEPT);
    return { ...old, jobs };
  });
  pushLoss(job.id, job.epoch, job.loss);
  if (!isOver(job)) unfinished.add(job.id);
  else if (unfinished.delete(job.id)) takeEnd(job);
}

function takeEnd(job: Job) {
  announceJob(job);
  invalidate(keys.retraining); // what came of a decision
  if (job.queue === "training") takeModel(); // also the failed one is shown among the models
}

function takeDrift(data: Drift | DriftModel) {
  if ("models" in data) return setData<Drift>(keys.drift, (old) => ({ ...old, ...data, thresholds: data.thresholds ?? old?.thresholds }));
  return invalidate(keys.drift);
}

function takeTask(task: ScheduleTask) {
  setData<Schedule>(keys.schedule, (old) => old && { ...old, tasks: old.tasks.map((one) => (one.name === task.name ? { ...one, ...task } : one)) });
  invalidate(keys.scheduleRuns);
  if (task.task === "retrain") invalidate(keys.retraining);
}

let modelTimer: ReturnType<typeof setTimeout> | undefined;
function takeModel() {
  clearTimeout(modelTimer); // clearing everything sends one event per version
  modelTimer = setTimeout(() => {
    for (const key of [keys.models, keys.modelReport, keys.serving]) invalidate(key);
  }, 150);
}

export function startFeeds() {
  const on = <T>(topic: string, handler: (data: T) => void) => connection.subscribe(topic, (data) => handler(data as T));
  on<Job>("jobs", takeJob);
  on<TrainingStatus>("training", (status) => {
    const current = status.current_training;
    if (current) pushLoss(current.job_id, current.epoch, current.loss);
    setData<TrainingStatus>(keys.training, () => status);
  });
  on<QueueStatus>("queues", (queue) =>
    setData<{ queues: QueueStatus[] }>(
      keys.queues,
      (old) => old && { queues: old.queues.map((one) => (one.name === queue.name ? { ...one, ...queue } : one)) },
    ),
  );
  on<ScheduleTask>("schedule", takeTask);
  on("models", takeModel);
  on<Drift | DriftModel>("drift", (data) => {
    takeDrift(data);
    invalidate(keys.driftHistory);
    invalidate(keys.retraining);
  });
  on<Stats>("stats", (stats) => setData<Stats>(keys.stats, () => stats));
  connection.start();
}
