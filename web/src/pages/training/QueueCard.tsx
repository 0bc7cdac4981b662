import { jobAction } from "../../api/routes.ts";
import type { TrainingStatus } from "../../api/types.ts";
import { Badge } from "../../ui/Badge.tsx";
import { Button } from "../../ui/Button.tsx";
import { Card } from "../../ui/Card.tsx";
import { botName, duration, integer, timeframe } from "../../ui/format.ts";
import { Empty } from "../../ui/States.tsx";
import { useAction } from "../../ui/useAction.ts";
import "./QueueCard.css";

export function QueueCard({ status }: { status: TrainingStatus }) {
  const drop = useAction((job: number) => jobAction(job, "stop"));
  const waiting = status.queue.filter((one) => one.job_id !== status.current_training?.job_id);
  return (
    <Card
      title={`Queue${status.queue_length > 0 ? ` (${integer(status.queue_length)})` : ""}`}
      flush={waiting.length > 0}
      actions={
        <span className="queue-counts num">
          {status.eta_s !== null && status.queue_length > 0 && (
            <span className="quiet">about {duration(Math.max(status.eta_s, status.current_training?.eta_s ?? 0))} in all</span>
          )}
          <Badge tone={status.completed_count > 0 ? "good" : "plain"}>{integer(status.completed_count)} done</Badge>
          {status.failed_count > 0 && <Badge tone="bad">{integer(status.failed_count)} failed</Badge>}
          {status.stopped_count > 0 && <Badge>{integer(status.stopped_count)} stopped</Badge>}
        </span>
      }
    >
      {waiting.length === 0 ? (
        <div className="queue-empty">
          <Empty icon="clock" title="Nothing waits">
            What is started while a training runs waits here for its turn.
          </Empty>
        </div>
      ) : (
        <ol className="queue" tabIndex={0} aria-label="Waiting trainings">
          {waiting.map((one, index) => (
            <li key={one.job_id}>
              <span className="queue-place num">{index + 1}</span>
              <span className="queue-name">
                {one.symbol} · {timeframe(one.timeframe)} <span className="quiet">{botName(one.bot)}</span>
              </span>
              <Button
                kind="quiet"
                small
                icon="cross"
                aria-label={`Take ${one.symbol} ${timeframe(one.timeframe)} ${botName(one.bot)} out of the queue`}
                disabled={drop.isBusy}
                onClick={() => void drop.run(one.job_id)}
              />
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
