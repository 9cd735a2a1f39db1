import { join } from "@std/path";
import { rng, tiedCommand } from "../../config/mod.ts";
import { linesOf } from "../support/lines.ts";
import type { Campaign, Outcome } from "./faults.ts";

/** How a training process ended. */
interface Ended {
  /** What it says of what it trained; null if it was killed. */
  result: string | null;
  /** Steps that it did. */
  steps: number;
  /** From when its model was loaded to its end. */
  ms: number;
}

/** Starts the training and kills it `afterMs` after its model is loaded, if it has not ended by then. */
async function train(results: string, signal: AbortSignal, afterMs?: number): Promise<Ended> {
  const child = tiedCommand(Deno.execPath(), {
    args: ["run", "-A", "--quiet", join(import.meta.dirname!, "training_child.ts")],
    env: { LAB_RESULTS: results },
    stdin: "null",
    stdout: "piped",
    signal,
  }).spawn();
  let result: string | null = null, steps = 0, ready = 0, timer: ReturnType<typeof setTimeout> | undefined;
  for await (const line of linesOf(child.stdout)) {
    if (line === "step") steps++;
    else if (line !== "ready") result = line;
    else {
      ready = performance.now();
      if (afterMs !== undefined) timer = setTimeout(() => child.kill("SIGKILL"), afterMs);
    }
  }
  clearTimeout(timer);
  const { success, signal: ending } = await child.status;
  signal.throwIfAborted();
  if (!success && ending !== "SIGKILL") throw new Error("the training failed unharmed.");
  return { result, steps, ms: performance.now() - ready };
}

/** What is left of unfinished trainings. */
function leftovers(results: string): string[] {
  return [...Deno.readDirSync(join(results, "kept", "unfinished"))].map(({ name }) => name);
}

async function campaign(count: number, results: string, signal: AbortSignal): Promise<Outcome> {
  const random = rng(2506), forget = () => Deno.remove(results, { recursive: true });
  const whole = await train(results, signal), details: string[] = [], reached: number[] = [];
  await forget();
  let longest = whole.ms, failed = 0, finished = 0, tried = 0, done = 0;
  while (tried < count) {
    const { result, steps, ms } = await train(results, signal, longest * random());
    done += steps;
    if (result === null) {
      tried++;
      reached.push(steps);
    } else longest = Math.max(0.2 * longest, ms);
    // What the kills before have left is trained to its end.
    const end = result ?? (tried === count ? (await train(results, signal)).result : null);
    if (end === null) continue;
    finished++;
    const left = leftovers(results);
    if (end === whole.result && left.length === 0) {
      await forget();
      continue;
    }
    failed++;
    details.push(
      end === whole.result
        ? `after kill ${tried}: left ${left.join(", ")}`
        : `after kill ${tried}: ${end} instead of ${whole.result}`,
    );
    await forget();
  }
  const within = reached.filter((steps) => steps > 0).length;
  details.push(
    `${finished} trainings of ${whole.steps} steps reached their end over ${tried} kills, ${within} of them between the first step and the last of a process; ${done} steps in all`,
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
