// Search through the whole log, on the server; the lines at hand are highlighted at once. While the log grows the search
// is repeated, so new hits are counted and can be stepped to.
import { useCallback, useEffect, useState } from "react";
import { logSearch } from "../../api/routes.ts";
import { integer } from "../../ui/format.ts";
import type { Log } from "./useLog.ts";

const MOST = 500;
const PAUSE_MS = 200;
const AGAIN_MS = 2_000;

interface Found {
  offsets: number[];
  hasMore: boolean;
}

export function useLogSearch(job: number | null, log: Log) {
  const [text, setText] = useState("");
  const [found, setFound] = useState<Found | null>(null);
  const [current, setCurrent] = useState<number | null>(null); // offset of the hit that is shown
  const [hit, setHit] = useState<{ index: number; round: number } | null>(null);
  const { goTo, isFinal } = log;
  const wanted = text.trim();

  useEffect(() => {
    setFound(null);
    setCurrent(null);
    setHit(null);
  }, [job, wanted]);

  useEffect(() => {
    if (job === null || wanted.length === 0) return undefined;
    let timer: ReturnType<typeof setTimeout>;
    let isGone = false;
    const ask = async () => {
      const answer = await logSearch(job, wanted, MOST).catch(() => null); // then the next round tries again
      if (isGone) return;
      if (answer) setFound({ offsets: answer.lines.map((line) => line.offset).sort((a, b) => a - b), hasMore: answer.more });
      if (!isFinal || !answer) timer = setTimeout(() => void ask(), AGAIN_MS);
    };
    timer = setTimeout(() => void ask(), PAUSE_MS);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [job, wanted, isFinal]);

  const place = current === null ? -1 : (found?.offsets.indexOf(current) ?? -1);
  const step = useCallback(
    async (by: 1 | -1) => {
      if (!found || found.offsets.length === 0) return;
      const count = found.offsets.length;
      const next = found.offsets[place < 0 ? (by > 0 ? 0 : count - 1) : (place + by + count) % count]!;
      setCurrent(next);
      const index = await goTo(next);
      setHit((old) => ({ index, round: (old?.round ?? 0) + 1 }));
    },
    [found, place, goTo],
  );

  const count = found?.offsets.length ?? 0;
  const total = `${integer(count)}${found?.hasMore ? "+" : ""}`;
  const summary = found === null ? "" : count === 0 ? "none" : place < 0 ? total : `${integer(place + 1)} / ${total}`;
  return { text, setText, highlight: wanted, step, count, summary, hit };
}
