// The log of one job: its tail first, then what is written, live; earlier parts and other places on demand.
import { useCallback, useEffect, useRef, useState } from "react";
import { logLines, logTail } from "../../api/routes.ts";
import type { LogLine } from "../../api/types.ts";
import { connection, useLiveState } from "../../live/live.tsx";
import { append, emptyBuffer, find, KEPT_WHILE_FOLLOWING, KEPT_WHILE_READING, prepend, type Buffer } from "./logBuffer.ts";

const TAIL_LINES = 2_000;
const PAGE_BYTES = 64 * 1024;
const PAGE_LINES = 1_000;
const POLL_MS = 2_000;

interface LogEvent {
  lines?: LogLine[];
  state?: string;
}

export interface Log {
  buffer: Buffer;
  isFinal: boolean;
  isLoading: boolean;
  error: string | null;
  isAtTail: boolean; // false: another place of the log is shown, nothing is added to it
  loadEarlier: () => Promise<void>;
  goTo: (offset: number) => Promise<number>; // index of the line
  toTail: () => void;
  setFollowing: (isFollowing: boolean) => void;
}

/** A page that begins inside a line has half a line first. */
const whole = (lines: LogLine[], from: number) => (from > 0 ? lines.slice(1) : lines);

async function readTail(job: number): Promise<{ buffer: Buffer; isFinal: boolean }> {
  const page = await logTail(job, TAIL_LINES);
  return { buffer: append(emptyBuffer(page.lines[0]?.offset ?? 0), page.lines, page.next_offset, KEPT_WHILE_FOLLOWING), isFinal: page.is_final };
}

/** attempt: a job that is resumed writes on, so its log is read again. */
export function useLog(job: number | null, attempt: number): Log {
  const [buffer, setBuffer] = useState<Buffer>(emptyBuffer);
  const [isFinal, setFinal] = useState(false);
  const [isLoading, setLoading] = useState(true);
  const [error, setError] = useState<string | null>(null);
  const [isAtTail, setAtTail] = useState(true);
  const [round, setRound] = useState(0);
  const newest = useRef(buffer);
  const isFollowing = useRef(true);
  const isWebSocket = useLiveState() === "websocket";

  const put = useCallback((next: Buffer) => {
    newest.current = next;
    setBuffer(next);
  }, []);

  const take = useCallback(
    (lines: LogLine[], next: number | null) =>
      put(append(newest.current, lines, next, isFollowing.current ? KEPT_WHILE_FOLLOWING : KEPT_WHILE_READING)),
    [put],
  );

  useEffect(() => {
    put(emptyBuffer());
    setFinal(false);
    setAtTail(true);
    setError(null);
    setLoading(job !== null);
    if (job === null) return undefined;
    let isGone = false;
    let leave = () => undefined as void;
    readTail(job)
      .then((tail) => {
        if (isGone) return;
        put(tail.buffer);
        setFinal(tail.isFinal);
        setLoading(false);
        if (tail.isFinal) return;
        // several events may come in one frame: they are shown together
        let waiting: LogLine[] = [];
        let frame = 0;
        const flush = () => {
          frame = 0;
          const lines = waiting;
          waiting = [];
          take(lines, null);
        };
        const stop = connection.subscribe(
          () => `logs:${job}@${newest.current.next}`,
          (data) => {
            const event = data as LogEvent;
            if (event.lines) waiting.push(...event.lines);
            if (event.state) setFinal(true);
            if (event.lines && !frame) frame = requestAnimationFrame(flush);
          },
        );
        leave = () => {
          stop();
          cancelAnimationFrame(frame);
        };
      })
      .catch((cause: unknown) => {
        if (isGone) return;
        setError(cause instanceof Error ? cause.message : String(cause));
        setLoading(false);
      });
    return () => {
      isGone = true;
      leave();
    };
  }, [job, attempt, round, put, take]);

  useEffect(() => {
    if (job === null || isWebSocket || isFinal || isLoading || !isAtTail) return undefined;
    const timer = setInterval(() => {
      logLines(job, newest.current.next, PAGE_LINES)
        .then((page) => {
          take(page.lines, page.next_offset);
          if (page.is_final && page.next_offset >= page.size_bytes) setFinal(true);
        })
        .catch(() => undefined); // the next round tries again
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [job, isWebSocket, isFinal, isLoading, isAtTail, take]);

  const loadEarlier = useCallback(async () => {
    const first = newest.current.lines[0]?.offset ?? 0;
    if (job === null || first === 0) return;
    const from = Math.max(0, first - PAGE_BYTES);
    const page = await logLines(job, from, PAGE_LINES * 2);
    put(prepend(newest.current, whole(page.lines, from)));
  }, [job, put]);

  const goTo = useCallback(
    async (offset: number) => {
      const here = find(newest.current, offset);
      if (here >= 0 || job === null) return here;
      const from = Math.max(0, offset - PAGE_BYTES / 2);
      const page = await logLines(job, from, PAGE_LINES * 2);
      setAtTail(false);
      // nothing is appended here: live lines are beyond a gap
      put({ lines: whole(page.lines, from), next: Infinity, dropped: 0 });
      return find(newest.current, offset);
    },
    [job, put],
  );

  const toTail = useCallback(() => setRound((old) => old + 1), []);
  const setFollowing = useCallback((value: boolean) => {
    isFollowing.current = value;
  }, []);
  return { buffer, isFinal, isLoading, error, isAtTail, loadEarlier, goTo, toTail, setFollowing };
}
