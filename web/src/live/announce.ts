// Says in a word when something that a person started is over.
import type { Job } from "../api/types.ts";
import { jobName } from "../ui/format.ts";
import { toast } from "../ui/toasts.ts";

export function announceJob(job: Job) {
  const name = jobName(job.label || job.task);
  if (job.state === "failed") toast("bad", `${name} failed`, job.error ?? undefined);
  else if (job.queue !== "training") return; // what the schedule runs all day is not worth a word
  else if (job.state === "succeeded") toast("good", `${name} is done`);
  else toast("plain", `${name} was stopped`);
}
