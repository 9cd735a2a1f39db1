import { fromFileUrl } from "@std/path";
import { delay } from "@std/async";
import { isWorker, tiedCommand } from "../../config/mod.ts";
import { UsageError } from "../command.ts";
import { linesOf } from "./lines.ts";
import { ENDING } from "./child.ts";

const LOCALHOST = "127.0.0.1";

/** Addresses on this machine that nothing listens at now. */
function freeAddresses(count: number): string[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: LOCALHOST, port: 0 }));
  const addresses = listeners.map(({ addr }) => `${LOCALHOST}:${(addr as Deno.NetAddr).port}`);
  listeners.forEach((listener) => listener.close());
  return addresses;
}

/**
 * What tells each of several processes on this machine its place (see `workerPlace`): one GPU for each where there are
 * GPUs; its share of the cores.
 *
 * @throws UsageError where CUDA_VISIBLE_DEVICES shows fewer GPUs
 */
export function workerEnvironments(count: number): Record<string, string>[] {
  const shown = Deno.env.get("CUDA_VISIBLE_DEVICES")?.split(",").filter(Boolean);
  if (shown && shown.length > 0 && shown.length < count) {
    throw new UsageError(`--workers is ${count}, but CUDA_VISIBLE_DEVICES shows ${shown.length} GPUs.`);
  }
  const LAB_WORKERS = freeAddresses(count).join();
  const threads = Math.max(1, Math.floor(navigator.hardwareConcurrency / count));
  return Array.from({ length: count }, (_, rank) => ({
    LAB_WORKERS,
    RANK: `${rank}`,
    WORLD_SIZE: `${count}`,
    CUDA_VISIBLE_DEVICES: shown ? shown[rank] ?? "" : `${rank}`,
    LAB_THREADS: Deno.env.get("LAB_THREADS") ?? `${threads}`,
  }));
}

/** @throws UsageError unless it is a number of processes, which this one may start */
export function workersOf(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) {
    throw new UsageError(`--workers is "${text}"; expected a positive whole number.`);
  }
  if (isWorker()) {
    throw new UsageError(
      "--workers starts processes on this machine, but LAB_WORKERS says that this is one of several.",
    );
  }
  return Number(text);
}

/** Milliseconds for which the others may notice that one has ended, before they are ended; and then, before they are killed. */
const [NOTICE, END] = [40_000, 5_000];

interface Ended {
  rank: number;
  status: Deno.CommandStatus;
  /** The last line on standard error of any rank but 0, whose lines are seen as they come. */
  said: string;
}

/**
 * Runs a command of ./lab in several processes on this machine, which find each other by `workerPlace`. What rank 0 writes
 * is seen. A signal that ends this process is passed on; when one process fails, the others have time to end themselves.
 *
 * @param args with --workers, which is left out
 * @throws what the process that failed first said
 */
export async function runWorkers(count: number, args: readonly string[]): Promise<void> {
  const own = args.filter((arg, i) => !/^--workers(=|$)/.test(arg) && args[i - 1] !== "--workers");
  const main = fromFileUrl(new URL("../main.ts", import.meta.url));
  const children = workerEnvironments(count).map((env, rank) =>
    tiedCommand(Deno.execPath(), {
      args: ["run", "-A", "--quiet", main, ...own],
      env,
      stdin: "null",
      stdout: rank === 0 ? "inherit" : "null",
      stderr: rank === 0 ? "inherit" : "piped",
    }).spawn()
  );
  const signalAll = (signal: Deno.Signal) => {
    for (const child of children) {
      try {
        child.kill(signal);
      } catch { /* it has ended */ }
    }
  };
  let asked: keyof typeof ENDING | undefined;
  const listeners = (Object.keys(ENDING) as (keyof typeof ENDING)[]).map((signal) => {
    const listener = () => signalAll(asked ??= signal);
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  let failed: Ended | undefined;
  const stop = new AbortController(), failure = Promise.withResolvers<void>();
  const ends = children.map(async (child, rank) => {
    let said = "";
    if (rank > 0) { for await (const line of linesOf(child.stderr)) said = line || said; }
    const status = await child.status;
    if (status.success) return;
    failed ??= { rank, status, said };
    failure.resolve();
  });
  const all = Promise.all(ends);
  try {
    await Promise.race([all, failure.promise.then(() => delay(NOTICE, stop))]);
    if (failed) {
      signalAll("SIGTERM");
      await Promise.race([all, delay(END, stop)]);
      signalAll("SIGKILL");
      await all;
    }
  } finally {
    stop.abort();
    for (const remove of listeners) remove();
    if (asked) Deno.exit(128 + ENDING[asked]);
  }
  if (failed) throw new Error(failureText(failed));
}

function failureText({ rank, status, said }: Ended): string {
  const who = `the worker of rank ${rank}`;
  if (status.signal) {
    return `${who} was ended by ${status.signal}: where nobody did that, memory was used up.`;
  }
  return `${who} ended first${said ? `: ${said.replace(/^lab \w+: /, "")}` : ", with an error."}`;
}
