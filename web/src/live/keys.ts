// Keys of the cache. A key that begins with another belongs to it: invalidating the shorter one asks for both.
export const keys = {
  health: "health",
  serving: "serving",
  stats: "stats",
  jobs: "jobs",
  queues: "queues",
  training: "training/status",
  trainingOptions: "training/options",
  models: "models",
  modelReport: "model-report",
  modelDetails: "model-details",
  schedule: "schedule",
  scheduleRuns: "schedule-runs",
  drift: "drift",
  driftHistory: "drift-history",
  retraining: "retraining",
} as const;
