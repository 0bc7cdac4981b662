// Search through the whole log, on the server; the lines at hand are highlighted at once.
import { useCallback, useEffect, useState } from "react";
import { logSearch } from "../../api/routes.ts";
import { integer } from "../../ui/format.ts";
import type { Log } from "./useLog.ts";

const MOST = 500;
const PAUSE_MS = 200;

interface Found {
  offsets: number[];
  hasMore: boolean;
}

export function useLogSearch(job: number | null, log: Log) {
  const [text, setText] = useState("");
  const [found, setFound] = useState<Found | null>(null);
  const [place, setPlace] = useState(-1); // of the hit among those found
  const [hit, setHit] = useState<{ index: number; round: number } | null>(null);
  const { goTo } = log;
  const wanted = text.trim();

  useEffect(() => {
    setFound(null);
    setPlace(-1);
    setHit(null);
    if (job === null || wanted.length === 0) return undefined;
    let isGone = false;
    const timer = setTimeout(() => {
      logSearch(job, wanted, MOST)
        .then(({ lines, more }) => !isGone && setFound({ offsets: lines.map((line) => line.offset).sort((a, b) => a - b), hasMore: more }))
        .catch(() => !isGone && setFound({ offsets: [], hasMore: false }));
    }, PAUSE_MS);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [job, wanted]);

  const step = useCallback(
    async (by: 1 | -1) => {
      if (!found || found.offsets.length === 0) return;
      const count = found.offsets.length;
      const next = place < 0 ? (by > 0 ? 0 : count - 1) : (place + by + count) % count;
      setPlace(next);
      const index = await goTo(found.offsets[next]!);
      setHit((old) => ({ index, round: (old?.round ?? 0) + 1 }));
    },
    [found, place, goTo],
  );

  const count = found?.offsets.length ?? 0;
  const total = `${integer(count)}${found?.hasMore ? "+" : ""}`;
  const summary = found === null ? "" : count === 0 ? "none" : place < 0 ? total : `${integer(place + 1)} / ${total}`;
  return { text, setText, highlight: wanted, step, count, summary, hit };
}
