// The training that runs: what, how far, how well; and the five controls.
import { useState } from "react";
import { trainingAction } from "../../api/routes.ts";
import type { CurrentTraining, TrainingStatus } from "../../api/types.ts";
import { setData } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Badge } from "../../ui/Badge.tsx";
import { Button } from "../../ui/Button.tsx";
import { Card } from "../../ui/Card.tsx";
import { Confirm, type Question } from "../../ui/Dialog.tsx";
import { botName, duration, fixed, integer, percent, plural, timeframe } from "../../ui/format.ts";
import { Progress } from "../../ui/Progress.tsx";
import { useAction } from "../../ui/useAction.ts";
import { LossCurve } from "./LossCurve.tsx";
import "./StatusCard.css";

function StateBadge({ status }: { status: TrainingStatus }) {
  if (status.is_stopping) return <Badge tone="warn" pulse>Stopping</Badge>;
  if (status.is_running) return <Badge tone="good" pulse>{status.is_paused ? "Active, then paused" : "Active"}</Badge>;
  if (status.is_paused) return <Badge tone="warn">Paused</Badge>;
  return <Badge>Idle</Badge>;
}

function Running({ current }: { current: CurrentTraining }) {
  return (
    <>
      <div>
        <p className="now-title">
          {current.symbol} · {timeframe(current.timeframe)} · {botName(current.bot)}
        </p>
        <p className="now-phase">Job {current.job_id}</p>
      </div>
      <div className="now-progress">
        <Progress value={current.progress} label="Progress of the training" />
        <p className="num">
          <span>{percent(current.progress, 0)}</span>
          <span>{current.phase}</span>
        </p>
      </div>
      <dl className="now-numbers">
        <div>
          <dt>Epoch</dt>
          <dd>
            {integer(current.epoch || null)}
            {current.epochs ? <span className="quiet"> / {integer(current.epochs)}</span> : null}
          </dd>
        </div>
        <div>
          <dt title="On the matches it learns from; the honest figures come with the holdout">Training loss</dt>
          <dd>{fixed(current.loss, 5)}</dd>
        </div>
        <div>
          <dt>Best so far</dt>
          <dd>{fixed(current.best_loss, 5)}</dd>
        </div>
        <div>
          <dt>Time left</dt>
          <dd>{duration(current.eta_s)}</dd>
        </div>
      </dl>
      {current.epochs ? <LossCurve job={current.job_id} /> : null}
    </>
  );
}

function Idle({ status }: { status: TrainingStatus }) {
  if (status.is_paused) {
    return (
      <div className="now-idle">
        <strong>The queue is held</strong>
        {status.queue_length > 0 ? `${plural(status.queue_length, "training")} will start when it is resumed.` : "What is added waits until it is resumed."}
      </div>
    );
  }
  return (
    <div className="now-idle">
      <strong>{status.queue_length > 0 ? "The next training is about to start" : "Nothing is being trained"}</strong>
      {status.queue_length > 0 ? null : "Choose leagues, targets and bots, and start."}
    </div>
  );
}

const FORCE: Omit<Question, "action"> = {
  title: "Force stop?",
  text: (
    <>
      The running training is ended now, with TERM and then KILL, and what is queued is dropped. Its checkpoints stay: it can be resumed
      later from the queue.
    </>
  ),
  confirm: "Force stop",
  danger: true,
};

function Controls({ status }: { status: TrainingStatus }) {
  const [question, ask] = useState<Question | null>(null);
  const control = useAction(async (action: Parameters<typeof trainingAction>[0]) => {
    const next = await trainingAction(action);
    setData<TrainingStatus>(keys.training, (old) => (next && "is_running" in next ? next : old));
  });
  const hasWork = status.is_running || status.queue_length > 0;
  const run = (action: Parameters<typeof trainingAction>[0]) => () => void control.run(action);
  return (
    <div className="now-controls" role="group" aria-label="Control of the training">
      {status.is_paused ? (
        <Button icon="play" kind="primary" disabled={control.isBusy} onClick={run("resume")}>
          Resume
        </Button>
      ) : (
        <Button icon="pause" disabled={control.isBusy || !hasWork} onClick={run("pause")}>
          Pause
        </Button>
      )}
      <Button icon="stop" disabled={control.isBusy || !hasWork || status.is_stopping} title="The running one finishes, the queue is cleared" onClick={run("stop")}>
        Stop
      </Button>
      <Button icon="bolt" kind="danger" disabled={control.isBusy || !hasWork} onClick={() => ask({ ...FORCE, action: () => control.run("force-stop") })}>
        Force stop
      </Button>
      {question && <Confirm question={question} onClose={() => ask(null)} />}
    </div>
  );
}

export function StatusCard({ status }: { status: TrainingStatus }) {
  return (
    <Card title="Now" actions={<span role="status" className="now-badge"><StateBadge status={status} /></span>}>
      <div className="now">
        {status.current_training ? <Running current={status.current_training} /> : <Idle status={status} />}
        <Controls status={status} />
      </div>
    </Card>
  );
}
