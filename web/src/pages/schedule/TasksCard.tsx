// The schedule: each task with its rhythm in words, what came of the last run, when the next one is.
import { useState } from "react";
import { schedule, scheduleAction } from "../../api/routes.ts";
import type { Schedule, ScheduleTask } from "../../api/types.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { OutcomeBadge } from "../../ui/Badge.tsx";
import { Button } from "../../ui/Button.tsx";
import { Card } from "../../ui/Card.tsx";
import { cronWords } from "../../ui/cron.ts";
import { Switch } from "../../ui/Fields.tsx";
import { capital, dateTime, duration } from "../../ui/format.ts";
import { taskName } from "../../ui/names.ts";
import { Ago } from "../../ui/Now.tsx";
import { Answer, Empty } from "../../ui/States.tsx";
import { toast } from "../../ui/toasts.ts";
import { useAction } from "../../ui/useAction.ts";
import { TaskDialog } from "./TaskDialog.tsx";
import { TaskRuns } from "./TaskRuns.tsx";

function Last({ task }: { task: ScheduleTask }) {
  if (!task.last_outcome && !task.last_run) return <p>{task.last_note ?? "has not run yet"}</p>;
  return (
    <>
      {task.last_outcome && <OutcomeBadge outcome={task.last_outcome} title={task.last_note ?? undefined} />}
      <p>
        <Ago time={task.last_run} />
        {task.last_duration_s !== null && <>, took {duration(task.last_duration_s)}</>}
        {task.last_note && <> · {task.last_note}</>}
      </p>
    </>
  );
}

function Next({ task }: { task: ScheduleTask }) {
  if (task.is_available === false) return <>not in this program</>;
  if (!task.is_enabled) return <>switched off</>;
  if (!task.next_run) return <>waits to be run by hand</>;
  return (
    <>
      next <Ago time={task.next_run} />
    </>
  );
}

function Task({ task, serverZone, refetch }: { task: ScheduleTask; serverZone: string; refetch: () => Promise<void> }) {
  const [isOpen, setOpen] = useState(false);
  const [isEdited, setEdited] = useState(false);
  const name = taskName(task.name);
  const act = useAction(async (action: Parameters<typeof scheduleAction>[1]) => {
    await scheduleAction(task.name, action);
    if (action === "run") toast("good", `${name} is started`);
    await refetch();
  });
  return (
    <li className={task.is_enabled && task.is_available !== false ? "task" : "task off"} data-task={task.name}>
      <Switch label={`${name} is on`} checked={task.is_enabled} disabled={act.isBusy} onChange={(on) => void act.run(on ? "enable" : "disable")} />
      <div className="task-name">
        <strong>{name}</strong>
        <p>{capital(task.doc)}</p>
      </div>
      <div className="task-when">
        <span title={`${task.cron} (${task.time_zone})`}>{cronWords(task.cron)}</span>
        <p title={dateTime(task.next_run)}>
          <Next task={task} />
          {task.time_zone !== serverZone && <> · {task.time_zone}</>}
        </p>
      </div>
      <div className="task-last">
        <Last task={task} />
      </div>
      <div className="task-actions">
        <Button small icon="play" isBusy={act.isBusy} disabled={task.is_available === false} aria-label={`Run ${name} now`} onClick={() => void act.run("run")}>
          Run now
        </Button>
        <Button small kind="quiet" icon="edit" aria-label={`Edit ${name}`} onClick={() => setEdited(true)}>
          Edit
        </Button>
        <Button
          small
          kind="quiet"
          icon={isOpen ? "up" : "down"}
          aria-label={`Last runs of ${name}`}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        />
      </div>
      {isOpen && <TaskRuns task={task} />}
      {isEdited && <TaskDialog task={task} serverZone={serverZone} refetch={refetch} onClose={() => setEdited(false)} />}
    </li>
  );
}

function noteOf({ time_zone, is_on }: Schedule): string {
  const zone = `Times of day are in ${time_zone}, unless a task says otherwise.`;
  return is_on === false ? `The scheduler is switched off by the setting “schedule”: tasks start only by hand. ${zone}` : zone;
}

export function TasksCard() {
  const answer = useQuery(keys.schedule, schedule);
  return (
    <Card title="Tasks" note={answer.data && noteOf(answer.data)} flush>
      <Answer of={answer} what="The schedule" rows={7}>
        {({ tasks, time_zone: serverZone }) =>
          tasks.length === 0 ? (
            <Empty icon="schedule" title="The schedule is empty" />
          ) : (
            <ul className="tasks">
              {tasks.map((task) => (
                <Task key={task.name} task={task} serverZone={serverZone} refetch={answer.refetch} />
              ))}
            </ul>
          )
        }
      </Answer>
    </Card>
  );
}
