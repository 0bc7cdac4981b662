// The lines that fit are drawn, no more. The window follows the newest line until the person scrolls up, and again when
// the person comes back to the end or asks for it.
import { memo, useCallback, useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import type { LogLine } from "../../api/types.ts";
import { Button } from "../../ui/Button.tsx";
import { capital, clock, integer } from "../../ui/format.ts";
import type { Log } from "./useLog.ts";
import "./LogWindow.css";

const LINE = 20; // px, as in the style sheet
const SPARE = 20; // lines drawn above and below
const NEAR = 24; // px from the end that still count as the end

function marked(text: string, search: string): ReactNode {
  if (!search) return text;
  const parts: ReactNode[] = [];
  const lower = text.toLowerCase();
  const wanted = search.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + wanted.length)}</mark>);
    from = at + wanted.length;
  }
  return parts.length > 0 ? [...parts, text.slice(from)] : text;
}

function toneOf(text: string) {
  if (/\b(error|failed|fatal)\b/i.test(text)) return " bad";
  return /\bwarn(ing)?\b/i.test(text) ? " warn" : "";
}

const Line = memo(function Line({ line, search, isHit }: { line: LogLine; search: string; isHit: boolean }) {
  return (
    <div className={`log-line${toneOf(line.text)}${isHit ? " hit" : ""}`} data-offset={line.offset}>
      <time dateTime={line.at ?? undefined}>{clock(line.at)}</time>
      <span>{marked(line.text, search)}</span>
    </div>
  );
});

export function LogWindow({ log, search, hit }: { log: Log; search: string; hit: { index: number; round: number } | null }) {
  const view = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(true);
  const [isAway, setAway] = useState(false);
  const [seen, setSeen] = useState(0); // lines there were when the person left the end
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(380);
  const { buffer, setFollowing } = log;
  const count = buffer.lines.length;
  const total = count + buffer.dropped;

  const follow = useCallback(
    (value: boolean) => {
      if (value === isFollowing.current) return;
      isFollowing.current = value;
      setFollowing(value);
      setAway(!value);
      if (!value) setSeen(total);
    },
    [setFollowing, total],
  );

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setHeight(entry!.contentRect.height));
    observer.observe(view.current!);
    return () => observer.disconnect();
  }, []);

  // lines taken off or put on at the beginning must not move what is being read
  const lastDropped = useRef(buffer.dropped);
  const lastTop = useRef(0); // where we, or the person, put the window last
  useLayoutEffect(() => {
    const element = view.current!;
    const moved = buffer.dropped - lastDropped.current;
    lastDropped.current = buffer.dropped;
    if (isFollowing.current && log.isAtTail) element.scrollTop = element.scrollHeight;
    else if (moved !== 0 && Math.abs(moved) < count) element.scrollTop -= moved * LINE;
    lastTop.current = element.scrollTop;
    setTop(element.scrollTop);
  }, [buffer, count, log.isAtTail]);

  useLayoutEffect(() => {
    if (!hit || hit.index < 0) return;
    follow(false);
    view.current!.scrollTop = hit.index * LINE - height / 2;
    view.current!.scrollIntoView({ block: "nearest" });
    setTop(view.current!.scrollTop);
    // only when another hit is asked for
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [hit]);

  const onScroll = () => {
    const element = view.current!;
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    if (isAtEnd && log.isAtTail) follow(true);
    else if (element.scrollTop < lastTop.current || !log.isAtTail) follow(false); // upwards; a longer log is not a scroll
    lastTop.current = element.scrollTop;
    setTop(element.scrollTop);
  };
  const toNewest = () => {
    if (!log.isAtTail) log.toTail();
    follow(true);
    view.current!.scrollTop = view.current!.scrollHeight;
    view.current!.focus({ preventScroll: true });
  };

  const hasEarlier = count > 0 && buffer.lines[0]!.offset > 0;
  const first = Math.max(0, Math.floor(top / LINE) - SPARE);
  const last = Math.min(count, Math.ceil((top + height) / LINE) + SPARE);
  const fresh = Math.max(0, total - seen);
  return (
    <div className="log-frame">
      <div className="log-view" ref={view} onScroll={onScroll} tabIndex={0} role="log" aria-live="off" aria-label="Log lines" data-following={!isAway}>
        {count === 0 ? (
          <div className="log-note">{log.error ? `${capital(log.error)}.` : (log.isLoading ? "Reading the log…" : log.isFinal ? "Nothing was written." : "Nothing has been written yet.")}</div>
        ) : (
          <div className="log-lines" style={{ paddingTop: first * LINE, paddingBottom: (count - last) * LINE }}>
            {hasEarlier && first === 0 && (
              <Button className="log-earlier" small kind="quiet" icon="up" onClick={() => void log.loadEarlier()}>
                Earlier lines
              </Button>
            )}
            {buffer.lines.slice(first, last).map((line, index) => (
              <Line key={line.offset} line={line} search={search} isHit={hit?.index === first + index} />
            ))}
          </div>
        )}
      </div>
      {isAway && count > 0 && (
        <Button className="log-newest" small icon="end" onClick={toNewest}>
          {log.isAtTail && fresh > 0 ? `${integer(fresh)} new, to the newest` : "To the newest line"}
        </Button>
      )}
    </div>
  );
}
