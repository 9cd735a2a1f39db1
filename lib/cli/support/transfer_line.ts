import type { DatasetProgress } from "../../download/mod.ts";
import { oneLine } from "../../jupyter/mod.ts";
import { formatBytes } from "./bytes.ts";
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

/** Milliseconds between two lines: on a terminal the line is renewed, elsewhere it is printed anew. */
const [TERMINAL, ELSEWHERE] = [200, 15_000];

/** As much of a line as the terminal does not break: a broken one could not be written over. */
function fitting(text: string): string {
  const most = Math.max(2, Deno.consoleSize().columns - 1);
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Shows transfers on standard error. `close` ends the line. */
export function transferLine(): { show: (progress: DatasetProgress) => void; close: () => void } {
  const terminal = Deno.stderr.isTerminal(), started = performance.now();
  let last = started, written = false;
  return {
    show(progress) {
      const now = performance.now();
      if (now - last < (terminal ? TERMINAL : ELSEWHERE)) return;
      last = now;
      const text = oneLine(transferText(progress, (now - started) / 1000));
      Deno.stderr.writeSync(
        new TextEncoder().encode(terminal ? `\r\x1b[K${fitting(text)}` : `${text}\n`),
      );
      written = true;
    },
    close: () => written && terminal && Deno.stderr.writeSync(new TextEncoder().encode("\r\x1b[K")),
  };
}
