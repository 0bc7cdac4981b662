// Auto-retraining: on or off, what triggers it, and by hand.
import { useState } from "react";
import { retraining, retrainingAction, schedule } from "../../api/routes.ts";
import type { RetrainingStatus, ScheduleTask } from "../../api/types.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Badge } from "../../ui/Badge.tsx";
import { Button } from "../../ui/Button.tsx";
import { Card } from "../../ui/Card.tsx";
import { Confirm, type Question } from "../../ui/Dialog.tsx";
import { cronWords } from "../../ui/cron.ts";
import { fixed, NONE, uncapital } from "../../ui/format.ts";
import { Icon, type IconName } from "../../ui/Icon.tsx";
import { Ago } from "../../ui/Now.tsx";
import { Answer } from "../../ui/States.tsx";
import { useAction } from "../../ui/useAction.ts";
import { limitOf, taskOf } from "./edit.ts";
import { LimitsDialog } from "./LimitsDialog.tsx";
import "../../ui/Facts.css";
import "./RetrainingCard.css";

function Trigger({ icon, name, isOn, children }: { icon: IconName; name: string; isOn: boolean; children: string }) {
  return (
    <li className={isOn ? "trigger on" : "trigger"}>
      <span className="trigger-mark">
        <Icon name={icon} />
      </span>
      <div>
        <strong>{name}</strong>
        <p>{children}</p>
      </div>
      <span className="quiet">{isOn ? "on" : "off"}</span>
    </li>
  );
}

function Body({ status, refetch }: { status: RetrainingStatus; refetch: () => Promise<void> }) {
  const plan = useQuery(keys.schedule, schedule);
  const [question, ask] = useState<Question | null>(null);
  const [isEdited, setEdited] = useState(false);
  const [retrain, performance] = ["retrain", "performance"].map((task) => taskOf(plan.data?.tasks, task));
  const isOn = (trigger: boolean, task: ScheduleTask | undefined) => status.is_running && trigger && task?.is_enabled !== false;
  const limit = (field: Parameters<typeof limitOf>[0]) => limitOf(field, status, plan.data?.tasks);
  const act = useAction(async (action: Parameters<typeof retrainingAction>[0]) => {
    await retrainingAction(action);
    await refetch();
  });
  return (
    <>
      <ul className="triggers">
        <Trigger icon="clock" name="Schedule" isOn={isOn(status.triggers.schedule, retrain)}>
          {retrain ? `With the task “Retrain”: ${uncapital(cronWords(retrain.cron))}` : "With the task “Retrain”"}
        </Trigger>
        <Trigger icon="pulse" name="Drift" isOn={isOn(status.triggers.drift, performance)}>
          {`When the share of drifted features is beyond ${fixed(limit("drift_threshold"), 2)}`}
        </Trigger>
        <Trigger icon="alert" name="Performance" isOn={isOn(status.triggers.performance, performance)}>
          {`When the live score falls below ${fixed(limit("performance_threshold"), 2)} of what was promised`}
        </Trigger>
      </ul>
      <dl className="facts">
        <dt>Last check</dt>
        <dd>
          <Ago time={status.last_check} />
        </dd>
        <dt>Last trigger</dt>
        <dd>
          <Ago time={status.last_trigger} />
        </dd>
        {status.next_check !== undefined && (
          <>
            <dt>Next check</dt>
            <dd>
              <Ago time={status.next_check} />
            </dd>
          </>
        )}
        <dt>Next run</dt>
        <dd>
          <Ago time={status.next_run} />
        </dd>
        <dt>Rest between two</dt>
        <dd>{limit("cooldown_h") === null ? NONE : `${limit("cooldown_h")} h`}</dd>
      </dl>
      <div className="retraining-actions">
        {status.is_running ? (
          <Button icon="pause" isBusy={act.isBusy} onClick={() => void act.run("stop")}>
            Stop
          </Button>
        ) : (
          <Button icon="play" kind="primary" isBusy={act.isBusy} onClick={() => void act.run("start")}>
            Start
          </Button>
        )}
        <Button
          icon="bolt"
          isBusy={act.isBusy}
          onClick={() =>
            ask({
              title: "Retrain now?",
              text: "Every model in production is trained again on the present data, whatever drift and scores say. A new version serves only if it is proven better.",
              confirm: "Retrain now",
              action: () => act.run("trigger"),
            })
          }
        >
          Trigger now
        </Button>
        {plan.data && performance && (
          <Button kind="quiet" icon="edit" aria-label="Edit the thresholds" onClick={() => setEdited(true)}>
            Edit
          </Button>
        )}
      </div>
      {isEdited && plan.data && <LimitsDialog status={status} tasks={plan.data.tasks} refetch={plan.refetch} onClose={() => setEdited(false)} />}
      {question && <Confirm question={question} onClose={() => ask(null)} />}
    </>
  );
}

export function RetrainingCard() {
  const answer = useQuery(keys.retraining, retraining);
  const status = answer.data;
  return (
    <Card
      title="Auto-retraining"
      actions={status && <span role="status">{status.is_running ? <Badge tone="good" pulse>On</Badge> : <Badge>Off</Badge>}</span>}
    >
      <Answer of={answer} what="Auto-retraining" rows={6}>
        {(data) => <Body status={data} refetch={answer.refetch} />}
      </Answer>
    </Card>
  );
}
