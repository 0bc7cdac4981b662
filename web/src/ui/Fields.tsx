// Form controls: native inputs, only dressed.
import { useId, type CSSProperties, type ReactNode } from "react";
import "./Fields.css";

/** hintId is for the control's aria-describedby; a problem is read out when it comes. */
export function Field({ label, hint, problem, children }: {
  label: ReactNode;
  hint?: ReactNode;
  problem?: string | null | undefined;
  children: (id: string, hintId: string | undefined) => ReactNode;
}) {
  const id = useId();
  const hintId = hint ? `${id}-hint` : undefined;
  const problemId = `${id}-problem`;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id, [problem && problemId, hintId].filter(Boolean).join(" ") || undefined)}
      <span className="field-problem" id={problemId} aria-live="polite">
        {problem}
      </span>
      {hint && (
        <span className="field-hint" id={hintId}>
          {hint}
        </span>
      )}
    </div>
  );
}

export function Select({ label, value, choices, onChange, hideLabel }: {
  label: string;
  value: string;
  choices: { id: string; name: string }[];
  onChange: (value: string) => void;
  hideLabel?: boolean;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id} className={hideLabel ? "visually-hidden" : undefined}>
        {label}
      </label>
      <select id={id} className="select" value={value} onChange={(event) => onChange(event.target.value)}>
        {choices.map((choice) => (
          <option key={choice.id} value={choice.id}>
            {choice.name}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Slider({ label, value, min, max, step, text, onChange }: {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  text: string;
  onChange: (value: number) => void;
}) {
  const share = `${((value - min) / (max - min)) * 100}%`;
  return (
    <input
      className="slider"
      type="range"
      aria-label={label}
      aria-valuetext={text}
      {...{ min, max, step, value }}
      style={{ "--share": share } as CSSProperties}
      onChange={(event) => onChange(Number(event.target.value))}
    />
  );
}

/** Several of a few. */
export function Chips({ legend, choices, chosen, onChange }: {
  legend: string;
  choices: { id: string; name: string; title?: string }[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
}) {
  return (
    <div className="chips" role="group" aria-label={legend}>
      {choices.map(({ id, name, title }) => (
        <label key={id} className="chip" title={title}>
          <input
            type="checkbox"
            checked={chosen.includes(id)}
            onChange={(event) => onChange(event.target.checked ? [...chosen, id] : chosen.filter((one) => one !== id))}
          />
          <span>{name}</span>
        </label>
      ))}
    </div>
  );
}

export function Switch({ label, checked, disabled, onChange }: {
  label: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <input
      type="checkbox"
      role="switch"
      className="switch"
      aria-label={label}
      checked={checked}
      disabled={disabled}
      onChange={(event) => onChange(event.target.checked)}
    />
  );
}
