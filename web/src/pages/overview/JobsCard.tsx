import { jobs } from "../../api/routes.ts";
import type { Job } from "../../api/types.ts";
import { Link } from "../../app/Link.tsx";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { JobBadge } from "../../ui/Badge.tsx";
import { Card } from "../../ui/Card.tsx";
import { duration, jobName } from "../../ui/format.ts";
import { Ago } from "../../ui/Now.tsx";
import { Progress } from "../../ui/Progress.tsx";
import { Answer, Empty } from "../../ui/States.tsx";

const SHOWN = 6;
const ORDER: Record<string, number> = { running: 0, stopping: 0, queued: 1 };
const rank = (job: Job) => ORDER[job.state] ?? 2;

export const jobShare = (job: Job) => (job.total > 0 ? job.done / job.total : null);

function Row({ job }: { job: Job }) {
  const isRunning = job.state === "running" || job.state === "stopping";
  const name = jobName(job.label || job.task);
  return (
    <li>
      <div className="list-main">
        <strong title={job.error ?? undefined}>
          <Link href={`/training?job=${job.id}`}>{name}</Link>
        </strong>
        {isRunning ? (
          <Progress thin value={jobShare(job)} label={`Progress of ${name}`} />
        ) : (
          <p>
            {job.error ? job.error : <>{job.ended_at ? <Ago time={job.ended_at} /> : <>queued <Ago time={job.created_at} /></>}</>}
          </p>
        )}
      </div>
      <div className="list-end num">
        {isRunning && job.eta_s !== null && <span className="quiet">{duration(job.eta_s)} left&ensp;</span>}
        <JobBadge state={job.state} />
      </div>
    </li>
  );
}

export function JobsCard() {
  const answer = useQuery(keys.jobs, () => jobs(60));
  return (
    <Card title="Jobs" flush actions={<Link href="/training">Training and logs</Link>}>
      <Answer of={answer} what="The jobs">
        {({ jobs: all }) =>
          all.length === 0 ? (
            <Empty icon="pulse" title="No job has run yet">
              Trainings, imports and scheduled tasks appear here while they run.
            </Empty>
          ) : (
            <ul className="list">
              {[...all]
                .sort((a, b) => rank(a) - rank(b) || b.id - a.id)
                .slice(0, SHOWN)
                .map((job) => (
                  <Row key={job.id} job={job} />
                ))}
            </ul>
          )
        }
      </Answer>
    </Card>
  );
}
