import { oneLine } from "../../jupyter/mod.ts";

/** Milliseconds between two lines: on a terminal the line is renewed, elsewhere it is printed anew. */
const [TERMINAL, ELSEWHERE] = [200, 15_000];

/** As much of a line as the terminal does not break: a broken one could not be written over. */
function fitting(text: string): string {
  const most = Math.max(2, Deno.consoleSize().columns - 1);
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** A line on standard error that says how far something is. */
export interface LiveLine extends Disposable {
  /** Shows a text, unless the last one was shown just now. */
  show(text: () => string): void;
  /** Takes the line away from a terminal, so that something else can be written. */
  close(): void;
}

export function liveLine(): LiveLine {
  const terminal = Deno.stderr.isTerminal();
  let last = performance.now(), written = false;
  const close = () => {
    if (written && terminal) Deno.stderr.writeSync(new TextEncoder().encode("\r\x1b[K"));
    written = false;
  };
  return {
    show(text) {
      const now = performance.now();
      if (now - last < (terminal ? TERMINAL : ELSEWHERE)) return;
      last = now;
      const line = oneLine(text());
      Deno.stderr.writeSync(new TextEncoder().encode(terminal ? `\r\x1b[K${fitting(line)}` : `${line}\n`));
      written = true;
    },
    close,
    [Symbol.dispose]: close,
  };
}
