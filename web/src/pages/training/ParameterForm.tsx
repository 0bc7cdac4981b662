import type { OptionRow } from "../../api/types.ts";
import { Button } from "../../ui/Button.tsx";
import { Field } from "../../ui/Fields.tsx";
import { capital, integer, plural } from "../../ui/format.ts";
import { Icon } from "../../ui/Icon.tsx";
import { changedParameters, defaultText, isFlag, isNumeric, isWhole, problemOf, type Values } from "./parameters.ts";

const bound = (value: number) => (Number.isInteger(value) ? integer(value) : String(value));

function rangeText(row: OptionRow): string {
  const unit = row.unit && !row.choices ? ` ${row.unit}` : "";
  return isNumeric(row) && row.min !== null && row.max !== null ? `${bound(row.min)} to ${bound(row.max)}${unit}` : unit.trim();
}

function Control({ row, id, hintId, value, onChange }: {
  row: OptionRow;
  id: string;
  hintId: string | undefined;
  value: string;
  onChange: (value: string) => void;
}) {
  const choices = row.choices ?? (isFlag(row) ? ["false", "true"] : null);
  if (choices) {
    return (
      <select id={id} className="select" aria-describedby={hintId} value={value} onChange={(event) => onChange(event.target.value)}>
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {choice === "" ? "as the league's profile says" : choice.replace(/_/g, " ")}
          </option>
        ))}
      </select>
    );
  }
  return (
    <input
      id={id}
      className="input num"
      aria-describedby={hintId}
      aria-invalid={problemOf(row, value) !== null}
      inputMode={isWhole(row) ? "numeric" : isNumeric(row) ? "decimal" : "text"}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

export function ParameterForm({ title, rows, none, values, onChange }: {
  title: string;
  rows: OptionRow[];
  none: string; // said when there is no row
  values: Values;
  onChange: (values: Values) => void;
}) {
  const changed = Object.keys(changedParameters(rows, values)).length;
  return (
    <details className="parameters">
      <summary>
        <Icon name="right" size={16} />
        {title}
        <small>{rows.length === 0 ? "none" : changed === 0 ? "as preset" : plural(changed, "change")}</small>
      </summary>
      {rows.length === 0 ? (
        <p className="quiet">{none}</p>
      ) : (
        <div className="parameters-grid">
          {rows.map((row) => {
            const value = values[row.name] ?? defaultText(row);
            const problem = problemOf(row, value);
            return (
              <Field key={row.name} label={row.name.replace(/_/g, " ")} hint={[row.doc, rangeText(row)].filter(Boolean).join(" ")} problem={problem && capital(problem)}>
                {(id, hintId) => (
                  <Control {...{ row, id, hintId, value }} onChange={(next) => onChange({ ...values, [row.name]: next })} />
                )}
              </Field>
            );
          })}
        </div>
      )}
      {changed > 0 && (
        <Button small kind="quiet" icon="refresh" onClick={() => onChange({})}>
          Back to the presets
        </Button>
      )}
    </details>
  );
}
