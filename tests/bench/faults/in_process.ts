/** Faults that may end or hang the process that meets them: tried in processes that are replaced. */
import { delay } from "@std/async";
import { tiedCommand } from "@lib/config/mod.ts";
import { linesOf } from "@lib/cli/support/lines.ts";
import type { Outcome } from "../faults.ts";

/** A damaged thing, ready to be read. */
export interface Attempt {
  /** What it is and how it was damaged. */
  name: string;
  /** Reads it, or says in a sentence why not. */
  read(): Promise<void>;
}

type Said = { begins: string } | { read: boolean; harm: string | null };
const say = (what: Said) => console.log(JSON.stringify(what));

/** Why an error is no sentence for people; null when it is one. */
export function harmOf(error: unknown): string | null {
  const sentence = error instanceof Error && error.constructor === Error &&
    !/undefined|\[object|\bat .*:\d+:\d+/.test(error.message);
  return sentence ? null : String(error).slice(0, 300);
}

/** In the process that {@link tryInProcesses} starts: reads one thing after another, saying on stdout what comes of each. */
export async function tryEach(prepare: (index: number) => Promise<Attempt>): Promise<void> {
  const [from, to] = Deno.args.map(Number);
  for (let index = from; index < to; index++) {
    const { name, read } = await prepare(index);
    say({ begins: name });
    try {
      await read();
      say({ read: true, harm: null });
    } catch (error) {
      say({ read: false, harm: harmOf(error) });
    }
  }
}

/**
 * Starts `script`, which calls {@link tryEach}, and starts it again after what has ended or hung it.
 * @param limitMs a thing longer at work than this hangs
 */
export async function tryInProcesses(
  script: string,
  count: number,
  limitMs: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const details: string[] = [];
  let next = 0, readable = 0;
  while (next < count) {
    signal.throwIfAborted();
    const child = tiedCommand(Deno.execPath(), {
      args: ["run", "-A", "--quiet", script, String(next), String(count)],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
      signal,
    }).spawn();
    const lines = linesOf(child.stdout)[Symbol.asyncIterator]();
    let under: string | null = null;
    for (;;) {
      const timer = new AbortController();
      const late = delay(limitMs, { signal: timer.signal }).then(
        () => "late" as const,
        () => "late" as const,
      );
      const line = await Promise.race([lines.next(), late]);
      timer.abort();
      if (line === "late") {
        details.push(`${under ?? "start"}: hangs`);
        child.kill("SIGKILL");
        break;
      }
      if (line.done) {
        if (under !== null) details.push(`${under}: the process died`);
        break;
      }
      const said = JSON.parse(line.value) as Said;
      if ("begins" in said) {
        under = said.begins;
        next++;
        continue;
      }
      if (said.read) readable++;
      if (said.harm !== null) details.push(`${under}: ${said.harm}`);
      under = null;
    }
    const { success } = await child.status;
    if (!success && under === null) throw new Error("the campaign's process failed before it read a file.");
  }
  const failed = details.length;
  details.push(
    `${readable} of ${count} files were still valid and loaded; the others were refused by a sentence.`,
  );
  return { tried: count, failed, details };
}

/**
 * Runs `script` with the count as its argument. Its lines are outcomes so far, the last one counts, also when `signal` ends it.
 * @param env of that process, beside this one's
 * @throws when it fails
 */
export async function lastOutcome(
  script: string,
  count: number,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<Outcome> {
  const child = tiedCommand(Deno.execPath(), {
    args: ["run", "-A", "--quiet", script, String(count)],
    env,
    stdin: "null",
    stdout: "piped",
    signal,
  }).spawn();
  let outcome: Outcome = { tried: 0, failed: 0, details: [] };
  for await (const line of linesOf(child.stdout)) outcome = JSON.parse(line);
  const { success } = await child.status;
  if (!success && !signal.aborted) throw new Error("the campaign's process failed.");
  return outcome;
}
