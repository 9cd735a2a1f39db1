import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { linesOf } from "../../lib/cli/support/lines.ts";
import { workerEnvironments } from "../../lib/cli/support/workers.ts";
import { tf } from "../../lib/tensor/mod.ts";
import { ownParts } from "../../lib/training/workers.ts";
import { type Params, readSafetensors } from "../../lib/weights/mod.ts";
import { keptCommand } from "./kept_results.ts";

const script = new URL("./workers_child.ts", import.meta.url);
const folders: string[] = [];
globalThis.addEventListener(
  "unload",
  () => folders.forEach((path) => Deno.removeSync(path, { recursive: true })),
);
const newFolder = () => folders[folders.push(Deno.makeTempDirSync()) - 1];

interface Said {
  step?: number;
  points?: (number | null)[][];
  error?: string;
}

interface Worker {
  process: Deno.ChildProcess;
  /** All that it has said so far. */
  said: Said[];
  /** Once it has said all. */
  ended: Promise<void>;
}

/** Trains in `folder` by so many processes; `onSaid` is told what rank 0 says. */
function start(
  count: number,
  folder: string,
  onSaid: (said: Said, workers: Worker[]) => void = () => {},
): Worker[] {
  const alone = { LAB_WORKERS: "" }, workers: Worker[] = [];
  for (const [rank, env] of (count === 1 ? [alone] : workerEnvironments(count)).entries()) {
    const process = keptCommand(script, folder, [folder], { ...env, LAB_DEVICE: "cpu" }).spawn(),
      said: Said[] = [];
    const read = async () => {
      for await (const line of linesOf(process.stdout)) {
        said.push(JSON.parse(line));
        if (rank === 0) onSaid(said.at(-1)!, workers);
      }
      const errors = await new Response(process.stderr).text();
      assertEquals(errors, "");
      await process.status;
    };
    workers.push({ process, said, ended: read() });
  }
  return workers;
}

/** What was trained, and its curves. */
async function trained(workers: Worker[], folder: string) {
  await Promise.all(workers.map(({ ended }) => ended));
  const { points, error } = workers[0].said.at(-1)!;
  assert(points, error);
  return { points, params: await readSafetensors(join(folder, "trained.safetensors")) };
}

/**
 * The greatest difference of two trainings' tensors, as norms (Frobenius) in parts of the tensor's own. Not of single entries: AdamW
 * moves each by its rate whatever the gradient, and where that is near zero rounding may turn the sign.
 */
const apart = (a: Params, b: Params): number =>
  Math.max(
    ...Object.keys(a).map((name) =>
      tf.tidy(() => tf.div(tf.norm(tf.sub(a[name], b[name])), tf.norm(a[name])).dataSync()[0])
    ),
  );

function assertAlike(found: Awaited<ReturnType<typeof trained>>, expected: typeof found) {
  assertEquals(found.points.length, expected.points.length);
  for (const [i, point] of found.points.entries()) {
    for (const [k, value] of point.entries()) {
      const other = expected.points[i][k];
      if (value === null || other === null) assertEquals(value, other);
      else {assert(
          Math.abs(value - other) < 1e-4 * Math.abs(other),
          `point ${i}: ${point}, not ${expected.points[i]}`,
        );}
    }
  }
  assertEquals(Object.keys(found.params), Object.keys(expected.params));
  const difference = apart(expected.params, found.params);
  assert(difference < 2e-4, `${difference}`);
}

let single: Awaited<ReturnType<typeof trained>>;

Deno.test("three processes train both stages as one does, to rounding", async () => {
  const [one, three] = await Promise.all([1, 3].map((count) => {
    const folder = newFolder();
    return trained(start(count, folder), folder);
  }));
  assertAlike(three, single = one);
});

Deno.test("two stop together and go on; when one is killed the other says so and one goes on, all as one process did", async () => {
  const folder = newFolder();
  /** Does something to the worker of rank 1 once rank 0 has told so many steps; the last step that it tells. */
  const until = async (steps: number, signal: Deno.Signal) => {
    let at = 0;
    const workers = start(2, folder, (_, [{ said }, { process }]) => {
      if (said.length === steps) process.kill(signal), at = performance.now();
    });
    await Promise.all(workers.map(({ ended }) => ended));
    const seconds = (performance.now() - at) / 1000, steps0 = workers[0].said.map(({ step }) => step);
    assert(at > 0 && seconds < 30, `${seconds} s`);
    return { errors: workers.map(({ said }) => said.at(-1)?.error), first: steps0[1], last: steps0.at(-2)! };
  };
  const STAGE1 = 4, stopped = await until(STAGE1 + 2, "SIGTERM");
  assertEquals(stopped.errors, [
    "Another worker was asked to stop; so this one has stopped after the same step.",
    "stopped as asked",
  ]);
  const killed = await until(1 + 2, "SIGKILL"); // stage 1 is there: its last step is told
  assertEquals(killed.first, stopped.last + 1);
  assertMatch(
    killed.errors[0]!,
    /^The worker of rank 1 \(127\.0\.0\.1:\d+\) has ended or cannot be reached: .* go on from what was kept\.$/,
  );
  const alone = start(1, folder), resumed = await trained(alone, folder);
  assertEquals(alone[0].said.slice(0, 2), [{ step: STAGE1 }, { step: killed.last + 1 }]);
  assertAlike(resumed, single);
});

Deno.test("shares of a batch keep its order and are in no larger parts; more processes than examples are refused", () => {
  const batch = [[1, 2, 3], [4, 5, 6], [7]],
    of = (size: number) => Array.from({ length: size }, (_, rank) => ownParts(batch, { rank, size }));
  assertEquals(of(1), [[[1, 2, 3], [4, 5, 6], [7]]]);
  assertEquals(of(2), [[[1, 2, 3]], [[4, 5], [6, 7]]]);
  assertEquals(of(3), [[[1, 2]], [[3, 4]], [[5, 6, 7]]]);
  assertThrows(
    () => of(8),
    Error,
    "A step has 7 examples, which 8 workers cannot share: start at most 7, or",
  );
});
