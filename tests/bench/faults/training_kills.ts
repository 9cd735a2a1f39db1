import { join } from "@std/path";
import { rng, tiedCommand } from "@lib/config/mod.ts";
import { linesOf } from "@lib/cli/support/lines.ts";
import type { Campaign, Outcome } from "../faults.ts";

/** How a training process ended. */
interface Ended {
  /** What it says of what it trained; null if it was killed. */
  result: string | null;
  /** Steps that it did. */
  steps: number;
  /** Milliseconds from when its model was loaded to its first step, and from there to its end. */
  toFirst: number;
  fromFirst: number;
}

/** A moment, in milliseconds after a line of the process. */
interface Moment {
  after: "ready" | "step";
  ms: number;
}

/** Starts the training and kills it at a moment, if it has not ended by then. */
async function train(results: string, signal: AbortSignal, kill?: Moment): Promise<Ended> {
  const child = tiedCommand(Deno.execPath(), {
    args: ["run", "-A", "--quiet", join(import.meta.dirname!, "training_child.ts")],
    env: { LAB_RESULTS: results },
    stdin: "null",
    stdout: "piped",
    signal,
  }).spawn();
  let result: string | null = null, steps = 0, timer: ReturnType<typeof setTimeout> | undefined;
  const at = { ready: 0, step: 0 };
  for await (const line of linesOf(child.stdout)) {
    if (line !== "ready" && line !== "step") result = line;
    else {
      if (line === "step") steps++;
      at[line] ||= performance.now();
      if (line === kill?.after) timer ??= setTimeout(() => child.kill("SIGKILL"), kill.ms);
    }
  }
  clearTimeout(timer);
  const { success, signal: ending } = await child.status, end = performance.now();
  signal.throwIfAborted();
  if (!success && ending !== "SIGKILL") throw new Error("the training failed unharmed.");
  return { result, steps, toFirst: at.step - at.ready, fromFirst: end - at.step };
}

/** What is left of unfinished trainings. */
function leftovers(results: string): string[] {
  return [...Deno.readDirSync(join(results, "kept", "unfinished"))].map(({ name }) => name);
}

async function campaign(count: number, results: string, signal: AbortSignal): Promise<Outcome> {
  const random = rng(2506), forget = () => Deno.remove(results, { recursive: true });
  const whole = await train(results, signal), details: string[] = [], reached: number[] = [];
  await forget();
  let failed = 0, finished = 0, tried = 0;
  while (tried < count) {
    // Most of a small training's time goes by before its first step; most kills are to come after it.
    const kill: Moment = random() < 0.2
      ? { after: "ready", ms: random() * whole.toFirst }
      : { after: "step", ms: random() * 0.7 * whole.fromFirst };
    const { result, steps } = await train(results, signal, kill);
    if (result === null) {
      tried++;
      reached.push(steps);
    }
    // What the last kill has left is trained to its end.
    const end = result ?? (tried === count ? (await train(results, signal)).result : null);
    if (end === null) continue;
    finished++;
    const left = leftovers(results);
    if (end !== whole.result) details.push(`after kill ${tried}: ${end} instead of ${whole.result}`);
    if (left.length > 0) details.push(`after kill ${tried}: left ${left.join(", ")}`);
    if (end !== whole.result || left.length > 0) failed++;
    await forget();
  }
  const within = reached.filter((steps) => steps > 0).length;
  details.push(
    `${finished} trainings of ${whole.steps} steps reached their end over ${tried} kills, ${within} of them after a process's first step`,
  );
  return { tried, failed, details };
}

/** Kills of a process that trains, in a results folder of its own. */
export const trainingKills: Campaign = {
  name: "training",
  describe:
    "a process that trains stage 1 and a cell of stage 2 is killed at a random moment and started again; failed: a loss, a " +
    "gradient's norm or a trained tensor differs in a bit from those of a training that was not killed, or files are left",
  count: 25,
  async run(count, signal) {
    const results = await Deno.makeTempDir({ prefix: "training-kills-" });
    try {
      return await campaign(count, join(results, "results"), signal);
    } finally {
      await Deno.remove(results, { recursive: true });
    }
  },
};
