// The log window with its tools: which job, search through the whole log, download.
import { type KeyboardEvent } from "react";
import { jobAction, jobs as askJobs, logDownload } from "../../api/routes.ts";
import type { Job } from "../../api/types.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Badge } from "../../ui/Badge.tsx";
import { Button, LinkButton } from "../../ui/Button.tsx";
import { Card } from "../../ui/Card.tsx";
import { Select } from "../../ui/Fields.tsx";
import { jobName } from "../../ui/format.ts";
import { Icon } from "../../ui/Icon.tsx";
import { Answer } from "../../ui/States.tsx";
import { useAction } from "../../ui/useAction.ts";
import { LogWindow } from "./LogWindow.tsx";
import { useLog } from "./useLog.ts";
import { useLogSearch } from "./useLogSearch.ts";

const CURRENT = "current";
const LISTED = 30;

function choicesOf(jobs: Job[], chosen: number | null) {
  const started = jobs.filter((job) => job.started_at !== null || job.id === chosen).slice(0, LISTED);
  return [
    { id: CURRENT, name: "What runs, or ran last" },
    ...started.map((job) => ({ id: String(job.id), name: `${job.id} · ${jobName(job.label || job.task)} · ${job.state}` })),
  ];
}

function newestStarted(jobs: Job[]): number | null {
  const running = jobs.find((job) => job.queue === "training" && (job.state === "running" || job.state === "stopping"));
  const started = jobs.filter((job) => job.started_at !== null);
  return (running ?? started.find((job) => job.queue === "training") ?? started[0])?.id ?? null;
}

/** A stopped or failed job goes on where its checkpoints are; one that runs can be stopped, whichever queue it is of. */
function JobControl({ job }: { job: Job }) {
  const act = useAction((action: Parameters<typeof jobAction>[1]) => jobAction(job.id, action));
  if (job.state === "stopped" || job.state === "failed") {
    return (
      <Button small icon="play" isBusy={act.isBusy} onClick={() => void act.run("resume")}>
        Resume this job
      </Button>
    );
  }
  if (job.queue === "training" || (job.state !== "running" && job.state !== "queued")) return null;
  return (
    <Button small icon="stop" isBusy={act.isBusy} onClick={() => void act.run("stop")}>
      Stop this job
    </Button>
  );
}

export function LogCard({ current, chosen, onChoose }: { current: number | null; chosen: number | null; onChoose: (job: number | null) => void }) {
  const answer = useQuery(keys.jobs, () => askJobs(60));
  const all = answer.data?.jobs ?? [];
  const shown = chosen ?? current ?? newestStarted(all);
  const shownJob = all.find((job) => job.id === shown);
  const log = useLog(shown, shownJob?.attempt ?? 0);
  const search = useLogSearch(shown, log);
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter") {
      event.preventDefault();
      void search.step(event.shiftKey ? -1 : 1);
    }
    if (event.key === "Escape") search.setText("");
  };
  return (
    <Card
      title={
        <>
          Log {shown !== null && <span className="quiet num">of job {shown}</span>}{" "}
          {shown !== null && !log.isLoading && !log.error && (log.isFinal ? <Badge>ended</Badge> : <Badge tone="good" pulse>live</Badge>)}
        </>
      }
      flush
      actions={shown !== null && (
        <div className="log-tools">
          <Select
            label="Job whose log is shown"
            hideLabel
            value={chosen === null ? CURRENT : String(chosen)}
            choices={choicesOf(all, chosen)}
            onChange={(value) => onChoose(value === CURRENT ? null : Number(value))}
          />
          <div className="log-search" role="search">
            <Icon name="search" size={15} />
            <input
              type="search"
              placeholder="Search the log"
              aria-label="Search the log"
              value={search.text}
              onChange={(event) => search.setText(event.target.value)}
              onKeyDown={onKey}
            />
            <output className="num" aria-live="polite">
              {search.summary}
            </output>
            <Button kind="quiet" small icon="up" aria-label="Previous match" disabled={search.count === 0} onClick={() => void search.step(-1)} />
            <Button kind="quiet" small icon="down" aria-label="Next match" disabled={search.count === 0} onClick={() => void search.step(1)} />
          </div>
          {shownJob && <JobControl job={shownJob} />}
          <LinkButton small icon="download" href={logDownload(shown)} download>
            Download
          </LinkButton>
        </div>
      )}
    >
      {shown !== null ? (
        <LogWindow log={log} search={search.highlight} hit={search.hit} />
      ) : (
        <Answer of={answer} what="The log" rows={10}>
          {() => <p className="quiet log-none">No job has run yet; its lines will appear here.</p>}
        </Answer>
      )}
    </Card>
  );
}
