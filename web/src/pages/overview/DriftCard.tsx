import { drift } from "../../api/routes.ts";
import type { DriftModel } from "../../api/types.ts";
import { Link } from "../../app/Link.tsx";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Card } from "../../ui/Card.tsx";
import { DriftBadge } from "../../ui/drift.tsx";
import { botName, percent, score, timeframe } from "../../ui/format.ts";
import { taskName } from "../../ui/names.ts";
import { Ago } from "../../ui/Now.tsx";
import { Answer, Empty } from "../../ui/States.tsx";

function Row({ model }: { model: DriftModel }) {
  return (
    <tr>
      <th scope="row">
        {model.subject} · {timeframe(model.variant)} <span className="quiet">{botName(model.bot)}</span>
      </th>
      <td className="right">{percent(model.share_drifted, 0)}</td>
      <td className="right secondary">{score(model.live_loss.mean)}</td>
      <td className="right secondary">
        <Ago time={model.at} />
      </td>
      <td className="right">
        <DriftBadge model={model} />
      </td>
    </tr>
  );
}

export function DriftCard() {
  const answer = useQuery(keys.drift, drift);
  return (
    <Card title="Drift" flush actions={<Link href="/schedule">Charts and thresholds</Link>}>
      <Answer of={answer} what="Drift">
        {({ models }) =>
          models.length === 0 ? (
            <Empty icon="pulse" title="Not measured yet">
              The task “{taskName("performance")}” compares live matches with those a model learned from.
            </Empty>
          ) : (
            <div className="table-wrap" tabIndex={0} role="region" aria-label="Drift of each model">
              <table className="table">
                <thead>
                  <tr>
                    <th scope="col">Model</th>
                    <th scope="col" className="right">Features drifted</th>
                    <th scope="col" className="right secondary">Live log loss</th>
                    <th scope="col" className="right secondary">Checked</th>
                    <th scope="col" className="right">State</th>
                  </tr>
                </thead>
                <tbody>
                  {models.map((model) => (
                    <Row key={model.version} model={model} />
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
