// Lines of a log in order of their place in the file, without gaps or doubles. Pure functions; useLog keeps one.
import type { LogLine } from "../../api/types.ts";

export const KEPT_WHILE_FOLLOWING = 5_000;
export const KEPT_WHILE_READING = 20_000;

export interface Buffer {
  lines: LogLine[];
  next: number; // byte offset that follows the last line
  dropped: number; // lines taken off the beginning since the buffer was made
}

export const emptyBuffer = (next = 0): Buffer => ({ lines: [], next, dropped: 0 });

const endOf = (line: LogLine) => line.next ?? line.offset + 1;

/** Live lines and fetched pages overlap: what is already there is skipped. */
export function append(buffer: Buffer, more: LogLine[], next: number | null, most: number): Buffer {
  const fresh = more.filter((line) => line.offset >= buffer.next);
  const end = Math.max(buffer.next, next ?? 0, fresh.length > 0 ? endOf(fresh.at(-1)!) : 0);
  if (fresh.length === 0) return end === buffer.next ? buffer : { ...buffer, next: end };
  const lines = buffer.lines.concat(fresh);
  const excess = Math.max(0, lines.length - most);
  return { lines: excess > 0 ? lines.slice(excess) : lines, next: end, dropped: buffer.dropped + excess };
}

export function prepend(buffer: Buffer, earlier: LogLine[]): Buffer {
  const first = buffer.lines[0]?.offset ?? Infinity;
  const fresh = earlier.filter((line) => line.offset < first);
  return { lines: fresh.concat(buffer.lines), next: buffer.next, dropped: buffer.dropped - fresh.length };
}

/** Where the line of this offset is, -1 if it is not here. */
export function find(buffer: Buffer, offset: number): number {
  let low = 0;
  let high = buffer.lines.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const at = buffer.lines[middle]!.offset;
    if (at === offset) return middle;
    if (at < offset) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
