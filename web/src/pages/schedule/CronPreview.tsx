// What a cron expression means: in words, and its next runs on the clock of its time zone. The box has the same height
// whatever is in it, so that nothing moves while somebody types.
import { cronWords } from "../../ui/cron.ts";
import { wallTime } from "../../ui/format.ts";
import { Ago } from "../../ui/Now.tsx";
import type { Preview } from "./usePreview.ts";

function words({ answer, error, isPending }: Preview, cron: string): string {
  if (cron === "") return "The times it is shipped with";
  if (error) return error.field === null ? error.message : "This cannot be read yet";
  if (!answer) return isPending ? "…" : "";
  const text = cronWords(answer.cron);
  return text === answer.cron ? "At these times" : text;
}

export function CronPreview({ preview, cron }: { preview: Preview; cron: string }) {
  const { answer } = preview;
  return (
    <div className={preview.isPending ? "cron-preview pending" : "cron-preview"}>
      <p role="status">
        <strong>{words(preview, cron)}</strong>
        {answer && answer.times.length > 0 && <span className="quiet">{answer.time_zone}</span>}
      </p>
      <ol aria-label="Next runs">
        {answer?.times.map((time, index) => (
          <li key={time}>
            <span className="num">{wallTime(answer.local[index]!)}</span>
            <span className="quiet">
              <Ago time={time} />
            </span>
          </li>
        ))}
      </ol>
      {cron === "" && <p className="quiet">They are shown when this is saved.</p>}
    </div>
  );
}
