// What is in production, judged on matches it never learned from, beside the closing price on the same matches.
import { models } from "../../api/routes.ts";
import type { Model } from "../../api/types.ts";
import { Link } from "../../app/Link.tsx";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Card } from "../../ui/Card.tsx";
import { botName, compact, integer, percent, score, timeframe } from "../../ui/format.ts";
import { Ago } from "../../ui/Now.tsx";
import { Answer, Empty } from "../../ui/States.tsx";
import { GapPlot } from "./GapPlot.tsx";
import "./ProductionCard.css";

function Row({ model, widest }: { model: Model; widest: number }) {
  return (
    <li className="production-row">
      <div className="production-name">
        <strong>
          {model.subject} · {timeframe(model.variant)}
        </strong>
        <p>
          {botName(model.bot)} · {compact(model.data_points)} matches · <Ago time={model.trained_at} />
        </p>
      </div>
      <GapPlot market={model.market ?? null} widest={widest} />
      <div className="production-number">
        <span>Log loss</span>
        {score(model.holdout?.log_loss)}
      </div>
      <div className="production-number">
        <span>Brier</span>
        {score(model.holdout?.brier)}
      </div>
      <div className="production-number">
        <span>Correct</span>
        {percent(model.holdout?.accuracy)}
      </div>
    </li>
  );
}

function Rows({ all }: { all: Model[] }) {
  const served = all
    .filter((model) => model.stage === "Production")
    .sort((a, b) => a.subject.localeCompare(b.subject) || a.variant.localeCompare(b.variant) || a.bot.localeCompare(b.bot));
  const widest = Math.max(0.01, ...served.flatMap(({ market }) => [Math.abs(market?.low ?? 0), Math.abs(market?.high ?? 0)]));
  const rows = served.map(({ market }) => market?.rows ?? 0);
  if (served.length === 0) {
    return (
      <Empty icon="models" title="Nothing is in production yet" action={<Link href="/training">Train the first models</Link>}>
        A trained model that beats what is there is promoted by itself.
      </Empty>
    );
  }
  return (
    <>
      <div className="production-row head" aria-hidden="true">
        <span>Model</span>
        <span>Log loss against the closing price</span>
        <span className="production-number">Log loss</span>
        <span className="production-number">Brier</span>
        <span className="production-number">Correct</span>
      </div>
      <ul className="production">
        {served.map((model) => (
          <Row key={model.version} model={model} widest={widest} />
        ))}
      </ul>
      <p className="production-note">
        Judged on {Math.max(...rows) > 0 ? `up to ${integer(Math.max(...rows))} ` : ""}matches that no model learned from. The upright line is the closing
        price, the hardest judge there is: left of it is better, the bar is the 95 % interval.
      </p>
    </>
  );
}

export function ProductionCard() {
  const answer = useQuery(keys.models, models);
  return (
    <Card title="In production" flush actions={<Link href="/models">All models</Link>}>
      <Answer of={answer} what="The models" rows={5}>
        {({ models: all }) => <Rows all={all} />}
      </Answer>
    </Card>
  );
}
