import { assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "../../lib/cli/command.ts";
import { run, trainedText, trainingText } from "../../lib/cli/train.ts";
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
      [["--stage", "2", "--set", "stage2.rang=4"], 'the configuration has no key "stage2.rang"'],
    ] as const
  ) await assertRejects(() => run([...args]), UsageError, message);
  await assertRejects(
    () => run(["--stage", "2", "--cell", "roco"]),
    Error,
    "There is no cell roco in the grid;",
  );
});
