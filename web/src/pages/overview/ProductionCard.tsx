// What is in production, judged on matches it never learned from, beside the closing price on the same matches.
import { modelDetails, models } from "../../api/routes.ts";
import type { MarketScore, Model, ModelDetails } from "../../api/types.ts";
import { Link } from "../../app/Link.tsx";
import { useQuery } from "../../live/cache.ts";
import { keys } from "../../live/keys.ts";
import { Card } from "../../ui/Card.tsx";
import { botName, compact, integer, percent, score, timeframe } from "../../ui/format.ts";
import { GapPlot } from "../../ui/GapPlot.tsx";
import { marketOf, widestOf } from "../../ui/market.ts";
import { Ago } from "../../ui/Now.tsx";
import { Answer, Empty } from "../../ui/States.tsx";
import "./ProductionCard.css";

const SHOWN = 12;

interface Served {
  model: Model;
  market: MarketScore | null;
}

function Row({ served: { model, market }, widest }: { served: Served; widest: number }) {
  return (
    <li className="production-row">
      <div className="production-name">
        <strong>
          {model.subject} · {timeframe(model.variant)}
        </strong>
        <p>
          {botName(model.bot)} · {compact(model.data_points)} matches
        </p>
        <p>
          <Ago time={model.trained_at} />
        </p>
      </div>
      <GapPlot market={market} widest={widest} />
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

const nameOf = (model: Model) => `${model.subject} ${model.variant} ${model.bot}`;

/** The score sheets of what is shown: one answer of the cache for all of them, as they seldom change. */
async function sheetsOf(versions: string[]): Promise<Map<string, ModelDetails>> {
  const sheets = await Promise.all(versions.map((version) => modelDetails(version).catch(() => undefined)));
  return new Map(sheets.filter((sheet) => sheet !== undefined).map((sheet) => [sheet.model.version!, sheet]));
}

function Rows({ all }: { all: Model[] }) {
  const production = all.filter((model) => model.stage === "Production" && model.version).sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
  const shown = production.slice(0, SHOWN);
  const versions = shown.map((model) => model.version!);
  const sheets = useQuery(shown.length > 0 ? `${keys.modelDetails}/of/${versions.join(",")}` : null, () => sheetsOf(versions)).data;
  if (shown.length === 0) {
    return (
      <Empty icon="models" title="Nothing is in production yet" action={<Link href="/training">Train the first models</Link>}>
        A trained model that beats what is there is promoted by itself.
      </Empty>
    );
  }
  const rows = shown.map((model): Served => ({ model, market: model.market ?? marketOf(sheets?.get(model.version!)) }));
  const judged = Math.max(0, ...rows.map(({ market }) => market?.rows ?? 0));
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
        {rows.map((served) => (
          <Row key={served.model.version} served={served} widest={widestOf(rows.map(({ market }) => market))} />
        ))}
      </ul>
      <p className="production-note">
        {production.length > SHOWN && `${integer(production.length - SHOWN)} more are in production. `}
        Judged on {judged > 0 ? `up to ${integer(judged)} ` : ""}matches that no model learned from. The upright line is the closing price, the
        hardest judge there is: left of it is better, the bar is the 95 % interval.
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
