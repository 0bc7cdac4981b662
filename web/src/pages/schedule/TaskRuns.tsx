// How a task is set, as the server has it, and what became of its last due times.
import { scheduleRuns } from "../../api/routes.ts";
import type { ScheduleTask } from "../../api/types.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { OutcomeBadge } from "../../ui/Badge.tsx";
import { dateTime, duration, NONE } from "../../ui/format.ts";
import { Answer } from "../../ui/States.tsx";

const seconds = (from: string | null, to: string | null) => (from && to ? (Date.parse(to) - Date.parse(from)) / 1000 : null);

export function TaskRuns({ task }: { task: ScheduleTask }) {
  const { name } = task;
  const answer = useQuery(`${keys.scheduleRuns}/${name}`, () => scheduleRuns(name));
  return (
    <div className="task-runs">
      <p className="task-set">
        <code>{task.cron}</code> in {task.time_zone}. Missed runs are {task.missed === "once" ? "made up for by one run" : "left out"}.{" "}
        {task.jitter_s > 0 ? `A run starts up to ${duration(task.jitter_s)} later.` : "A run starts on the second."}
      </p>
      <Answer of={answer} what="The last runs" rows={2}>
        {({ runs }) =>
          runs.length === 0 ? (
            <p className="quiet">No run is on record.</p>
          ) : (
            <table>
              <thead>
                <tr>
                  <th scope="col">Due</th>
                  <th scope="col">Outcome</th>
                  <th scope="col" className="secondary">Took</th>
                  <th scope="col" className="secondary">Job</th>
                  <th scope="col">Note</th>
                </tr>
              </thead>
              <tbody>
                {runs.map((run, index) => (
                  <tr key={`${run.due}-${run.job_id}-${index}`}>
                    <td className="nowrap">{dateTime(run.due ?? run.started_at)}</td>
                    <td>
                      <OutcomeBadge outcome={run.outcome} />
                    </td>
                    <td className="nowrap secondary">{duration(seconds(run.started_at, run.ended_at))}</td>
                    <td className="secondary">{run.job_id ?? NONE}</td>
                    <td>{run.note || NONE}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Answer>
    </div>
  );
}
