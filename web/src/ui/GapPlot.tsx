// How far a forecast is from the closing price: a point with its 95 % interval on a scale that all rows share.
import type { MarketScore } from "../api/types.ts";
import { NONE, signed } from "./format.ts";

import "./GapPlot.css";

const WIDTH = 240;
const MIDDLE = 10;

export function GapPlot({ market, widest }: { market: MarketScore | null; widest: number }) {
  if (!market || market.difference === null) return <div className="gap gap-text">{NONE} not judged beside prices</div>;
  const zero = WIDTH * 0.3; // models are seldom better than the closing price: most of the room is on the other side
  const x = (value: number) => Math.max(3, Math.min(WIDTH - 3, zero + (value / widest) * (WIDTH - zero - 6)));
  const { difference, low, high } = market;
  const isApart = low !== null && high !== null && (low > 0 || high < 0);
  const colour = !isApart ? "var(--active)" : difference < 0 ? "var(--active)" : "var(--series-1)";
  const verdict = !isApart ? "not apart" : difference < 0 ? "better" : "behind";
  return (
    <div className="gap">
      <svg
        viewBox={`0 0 ${WIDTH} 20`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Log loss ${signed(difference)} against ${market.reference}, interval ${signed(low)} to ${signed(high)}: ${verdict}`}
      >
        <line x1="0" x2={WIDTH} y1={MIDDLE} y2={MIDDLE} stroke="var(--line)" />
        <line x1={zero} x2={zero} y1="1" y2="19" stroke="var(--ink-3)" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
        {low !== null && high !== null && (
          <line x1={x(low)} x2={x(high)} y1={MIDDLE} y2={MIDDLE} stroke={colour} strokeWidth="7" opacity="0.3" strokeLinecap="butt" vectorEffect="non-scaling-stroke" />
        )}
        <line x1={x(difference)} x2={x(difference)} y1="4" y2="16" stroke={colour} strokeWidth="4" strokeLinecap="round" vectorEffect="non-scaling-stroke" />
      </svg>
      <div className="gap-text" aria-hidden="true">
        <span>
          <b className="num">{signed(difference)}</b> {verdict}
        </span>
        <span>{market.reference}</span>
      </div>
    </div>
  );
}
