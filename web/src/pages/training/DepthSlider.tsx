// How many matches are learned from: the newest ones, up to half a million, or all there are.
import { Slider } from "../../ui/Fields.tsx";
import { compact, integer } from "../../ui/format.ts";

const STEP = 1_000;

export function DepthSlider({ value, most, available, onChange }: {
  value: number;
  most: number;
  available: number;
  onChange: (value: number) => void;
}) {
  const isAll = value === 0;
  const shown = isAll ? most : value;
  const used = Math.min(shown, available);
  const text = isAll ? `all ${integer(available)} matches` : `the last ${integer(used)} matches`;
  return (
    <div className="start-step">
      <div className="start-title">
        Data depth
        <small className="num">{integer(available)} matches available</small>
      </div>
      <div className="num">
        <span className="depth-value">{isAll ? "All" : integer(value)}</span>{" "}
        <span className="quiet">{isAll ? `${integer(available)} matches` : value > available ? `more than there are: all ${integer(available)}` : "newest matches"}</span>
      </div>
      <div>
        <Slider label="Data depth" min={STEP} max={most} step={STEP} value={shown} text={text} onChange={(next) => onChange(next >= most ? 0 : next)} />
        <div className="depth-scale num" aria-hidden="true">
          <span style={{ left: 0 }}>{compact(STEP)}</span>
          {available > most * 0.1 && available < most * 0.85 && <span style={{ left: `${(available / most) * 100}%` }}>▲ available</span>}
          <span style={{ left: "100%" }}>{compact(most).replace(/\.0/, "")}</span>
        </div>
      </div>
    </div>
  );
}
