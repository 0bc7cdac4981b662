// Every decision of the auto-retraining, with its reason.
import { retraining } from "../../api/routes.ts";
import type { RetrainingDecision } from "../../api/types.ts";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Badge, type BadgeTone } from "../../ui/Badge.tsx";
import { Card } from "../../ui/Card.tsx";
import { botName, capital, dateTime, NONE, timeframe } from "../../ui/format.ts";
import { Answer, Empty } from "../../ui/States.tsx";

const DECISIONS: Record<string, [tone: BadgeTone, name: string]> = {
  train: ["accent", "train"],
  cooldown: ["plain", "rests"],
  off: ["plain", "switched off"],
  rejected: ["warn", "rejected"],
  failed: ["bad", "failed"],
};

function DecisionBadge({ one }: { one: RetrainingDecision }) {
  if (one.outcome?.promoted) return <Badge tone="good">promoted</Badge>;
  if (one.outcome?.promoted === false) return <Badge>kept the old</Badge>;
  if (!one.decision) return <>{NONE}</>;
  const [tone, name] = DECISIONS[one.decision] ?? ["plain", one.decision];
  return <Badge tone={tone}>{name}</Badge>;
}

export function HistoryCard() {
  const answer = useQuery(keys.retraining, retraining);
  return (
    <Card title="Decisions" flush>
      <Answer of={answer} what="The decisions">
        {({ history }) =>
          history.length === 0 ? (
            <Empty icon="clock" title="Nothing has been decided yet">
              Each check that finds a reason to train again, or finds one and waits, is written down here.
            </Empty>
          ) : (
            <div className="table-wrap" tabIndex={0} role="region" aria-label="Decisions of the auto-retraining">
              <table className="table decisions">
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">Trigger</th>
                    <th scope="col">Model</th>
                    <th scope="col">Decision</th>
                    <th scope="col">Reason</th>
                    <th scope="col" className="right">Job</th>
                  </tr>
                </thead>
                <tbody>
                  {history.map((one, index) => (
                    <tr key={`${one.at}-${index}`}>
                      <td className="num nowrap">{dateTime(one.at)}</td>
                      <td className="decision-trigger">{one.trigger}</td>
                      <td className="nowrap decision-model">
                        {one.subject ? `${one.subject} · ${timeframe(one.variant ?? "")}` : "all"} <span className="quiet">{one.bot ? botName(one.bot) : ""}</span>
                      </td>
                      <td className="decision-badge">
                        <DecisionBadge one={one} />
                      </td>
                      <td className="decision-reason">{[one.reason, one.outcome?.reason].filter(Boolean).map((text) => capital(text!)).join(". ") || NONE}</td>
                      <td className="right decision-job">{one.job_id ?? NONE}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Answer>
    </Card>
  );
}
