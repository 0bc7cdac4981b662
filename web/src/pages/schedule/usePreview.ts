// The next times of a cron expression, asked for when the typing rests, and again when the first of them has passed.
import { useEffect, useRef, useState } from "react";
import { ApiError } from "../../api/client.ts";
import { schedulePreview } from "../../api/routes.ts";
import type { SchedulePreview } from "../../api/types.ts";

const REST_MS = 300;
const LONGEST_MS = 3_600_000;
const PREVIEWED = 5; // .cron-preview has the room

export interface Preview {
  answer: SchedulePreview | null; // stays while the next one is asked for
  error: ApiError | null;
  isPending: boolean;
}

const NOTHING: Preview = { answer: null, error: null, isPending: false };

function untilNext(answer: SchedulePreview): number {
  const first = answer.times[0];
  return first ? Math.min(LONGEST_MS, Math.max(1_000, Date.parse(first) - Date.now() + 500)) : LONGEST_MS;
}

/** cron "": nothing is asked for. */
export function usePreview(cron: string, timeZone: string): Preview {
  const [preview, setPreview] = useState(NOTHING);
  const isFirst = useRef(true);
  useEffect(() => {
    if (cron === "") return setPreview(NOTHING);
    let isOver = false;
    const ask = async () => {
      try {
        const answer = await schedulePreview(cron, timeZone, PREVIEWED);
        if (isOver) return;
        setPreview({ answer, error: null, isPending: false });
        timer = setTimeout(() => void ask(), untilNext(answer));
      } catch (cause) {
        if (!isOver) setPreview({ answer: null, error: cause as ApiError, isPending: false });
      }
    };
    setPreview((old) => ({ ...old, isPending: true }));
    let timer = setTimeout(() => void ask(), isFirst.current ? 0 : REST_MS);
    isFirst.current = false;
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [cron, timeZone]);
  return preview;
}
