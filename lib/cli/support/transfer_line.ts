import type { DatasetProgress } from "../../download/mod.ts";
import { formatBytes } from "./bytes.ts";
import { liveLine } from "./live_line.ts";
import { formatSeconds } from "./time.ts";

/** How far a transfer is: "43%, 91 MB of 212 MB, 12.3 MB/s, 9.8 s left: imgs.zip". `seconds` since the run began. */
export function transferText({ doing, done, total, fetched }: DatasetProgress, seconds: number): string {
  const rate = seconds > 0 ? fetched / seconds : 0, parts: string[] = [];
  if (total !== null && total > 0) parts.push(`${Math.floor((100 * done) / total)}%`);
  parts.push(total === null ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`);
  if (rate > 0) parts.push(`${formatBytes(Math.round(rate))}/s`);
  if (rate > 0 && total !== null && total > done) parts.push(`${formatSeconds((total - done) / rate)} left`);
  return `${parts.join(", ")}: ${doing}`;
}

/** Shows transfers on standard error. `close` ends the line. */
export function transferLine(): { show: (progress: DatasetProgress) => void; close: () => void } {
  const line = liveLine(), started = performance.now();
  return {
    show: (progress) => line.show(() => transferText(progress, (performance.now() - started) / 1000)),
    close: line.close,
  };
}
