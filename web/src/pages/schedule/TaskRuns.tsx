import { scheduleRuns } from "../../api/routes.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { OutcomeBadge } from "../../ui/Badge.tsx";
import { dateTime, duration, NONE } from "../../ui/format.ts";
import { Answer } from "../../ui/States.tsx";

const seconds = (from: string | null, to: string | null) => (from && to ? (Date.parse(to) - Date.parse(from)) / 1000 : null);

export function TaskRuns({ name }: { name: string }) {
  const answer = useQuery(`${keys.scheduleRuns}/${name}`, () => scheduleRuns(name));
  return (
    <div className="task-runs">
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
                  <th scope="col">Took</th>
                  <th scope="col">Job</th>
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
                    <td className="nowrap">{duration(seconds(run.started_at, run.ended_at))}</td>
                    <td>{run.job_id ?? NONE}</td>
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
