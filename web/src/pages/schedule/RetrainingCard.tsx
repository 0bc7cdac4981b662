// Auto-retraining: on or off, what triggers it, and by hand.
import { useState } from "react";
import { retraining, retrainingAction } from "../../api/routes.ts";
import type { RetrainingStatus } from "../../api/types.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Badge } from "../../ui/Badge.tsx";
import { Button } from "../../ui/Button.tsx";
import { Card } from "../../ui/Card.tsx";
import { Confirm, type Question } from "../../ui/Dialog.tsx";
import { fixed } from "../../ui/format.ts";
import { Icon, type IconName } from "../../ui/Icon.tsx";
import { Ago } from "../../ui/Now.tsx";
import { Answer } from "../../ui/States.tsx";
import { useAction } from "../../ui/useAction.ts";
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
  const [question, ask] = useState<Question | null>(null);
  const act = useAction(async (action: Parameters<typeof retrainingAction>[0]) => {
    await retrainingAction(action);
    await refetch();
  });
  return (
    <>
      <ul className="triggers">
        <Trigger icon="clock" name="Schedule" isOn={status.triggers.schedule}>
          With the task “Retrain”
        </Trigger>
        <Trigger icon="pulse" name="Drift" isOn={status.triggers.drift}>
          {`When features or the live loss drift beyond ${fixed(status.drift_threshold, 2)}`}
        </Trigger>
        <Trigger icon="alert" name="Performance" isOn={status.triggers.performance}>
          {`When the live score falls below ${fixed(status.performance_threshold, 2)} of what was promised`}
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
        <dd>{status.cooldown_h === null ? "–" : `${status.cooldown_h} h`}</dd>
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
      </div>
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
