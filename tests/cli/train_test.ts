import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { UsageError } from "../../lib/cli/command.ts";
import { trainedText, trainingText } from "../../lib/cli/support/train_here.ts";
import { run } from "../../lib/cli/train.ts";
import type { TrainingRecord } from "../../lib/training/mod.ts";

const record = (step: number, validationLoss: number | null): TrainingRecord => ({
  step,
  loss: 1.23456,
  gradientNorm: 0.81234,
  learningRate: 0.002,
  epoch: 1,
  seconds: 3,
  examplesPerSecond: 241.3,
  validationLoss,
});

Deno.test("a training's line says step, loss, rate, gradient, speed, memory and time left, as far as they are known", () => {
  assertEquals(
    trainingText("roco_v2__with", record(37, null), 160, { memory: 1.2e9, secondsLeft: 65 }),
    "roco_v2__with: step 37 of 160, loss 1.235, rate 0.0020, gradient 0.812, 241 examples/s, peak 1.2 GB, 1 min 05 s left",
  );
  assertEquals(
    trainingText("stage 1", record(1, null), 9, { memory: null, secondsLeft: null }),
    "stage 1: step 1 of 9, loss 1.235, rate 0.0020, gradient 0.812, 241 examples/s",
  );
  assertEquals(
    trainedText("stage 1", [record(1, 2), record(2, 1.25), record(3, 1.5), record(4, null)]),
    "stage 1: 4 steps, loss 1.235; on held-out pairs 1.500, at its lowest 0.750 below the first",
  );
  assertEquals(trainedText("stage 1", [record(1, null)]), "stage 1: 1 step, loss 1.235");
});

Deno.test("./lab train refuses what it does not know before a model is read", async () => {
  for (
    const [args, message] of [
      [[], '--stage is ""; expected 1 or 2.'],
      [["--stage", "3"], '--stage is "3"; expected 1 or 2.'],
      [["--stage", "1", "--cell", "roco_v2__with"], "--cell names a cell of stage 2; stage 1 has none."],
      [["--stage", "1", "--workers", "0"], '--workers is "0"; expected a positive whole number.'],
      [["--stage", "2", "--set", "stage2.rang=4"], 'the configuration has no key "stage2.rang"'],
    ] as const
  ) await assertRejects(() => run([...args]), UsageError, message);
  await assertRejects(
    () => run(["--stage", "2", "--cell", "roco"]),
    Error,
    "There is no cell roco in the grid;",
  );
});

Deno.test("workers that cannot begin end with the reason, and --workers is refused in a worker", async () => {
  const results = await Deno.makeTempDir(),
    main = fromFileUrl(new URL("../../lib/cli/main.ts", import.meta.url));
  const train = async (env: Record<string, string>) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", main, "train", "--stage", "1", "--workers", "2"],
      env: { ...env, LAB_RESULTS: results, LAB_DEVICE: "cpu" },
      stdout: "null",
    }).output();
    return { code, text: new TextDecoder().decode(stderr) };
  };
  try {
    const absent = await train({ LAB_WORKERS: "" });
    assertEquals(absent.code, 1);
    assertMatch(absent.text, /^lab train: the worker of rank [01] ended first/m);
    assertMatch(absent.text, /Stage 03_annealing has no finished run/);
    const inner = await train({ LAB_WORKERS: "127.0.0.1:1,127.0.0.1:2", RANK: "0" });
    assertEquals(inner.code, 2);
    assertMatch(inner.text, /^lab train: --workers starts processes on this machine, but LAB_WORKERS says/);
  } finally {
    await Deno.remove(results, { recursive: true });
  }
});
