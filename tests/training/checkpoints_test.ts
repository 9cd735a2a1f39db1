import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import type { Tensor } from "@tensorflow/tfjs";
import { dispose, tf, valueAndGradients } from "../../lib/tensor/mod.ts";
import {
  type Checkpoints,
  fit,
  TORCH_ADAMW,
  type TrainingRecord,
  trainStep,
} from "../../lib/training/mod.ts";
import { checkpointFile } from "../../lib/training/checkpoints.ts";
import type { Params } from "../../lib/weights/mod.ts";
import { once, toyRun } from "./toy_run.ts";

const xs = [1, 3, -2, 0.5, 2, -1];
/** The square of the distance to x and 2 x, whose gradient depends on where w is. */
const run = (steps = xs.length) =>
  toyRun((w, x) => tf.sum(tf.square(tf.sub(w, tf.stack([x, tf.mul(x, 2)])))), xs.slice(0, steps));

interface Ended {
  losses: (readonly [number, number, number | null])[];
  w: Uint8Array;
}
async function ended(options: Partial<Parameters<typeof fit>[0]>, steps?: number): Promise<Ended> {
  const { initial, ...toy } = run(steps);
  const { params, records } = await fit({ ...toy, initial, ...options as object });
  const w = new Uint8Array(params.w.dataSync().slice().buffer);
  tf.dispose([params, initial] as never);
  return { losses: records.map((r) => [r.loss, r.gradientNorm, r.validationLoss]), w };
}
const failAfter = (last: number) => ({ step }: TrainingRecord) => {
  if (step === last) throw new Error("stopped");
};
const whole = await ended({});

async function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(join(dir, "checkpoint"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a run stopped after any step goes on where it was, bit for bit, and leaves no tensor", async () => {
  const { numTensors } = tf.memory();
  for (let last = 1; last <= xs.length; last++) {
    await inFolder(async (path) => {
      const checkpoints = checkpointFile(path), seen: number[] = [];
      await assertRejects(() => ended({ checkpoints, onStep: failAfter(last) }), Error, "stopped");
      const resumed = await ended({ checkpoints, onStep: ({ step }) => void seen.push(step) });
      assertEquals(seen, xs.map((_, i) => i + 1).slice(last));
      assertEquals(resumed, whole);
    });
  }
  assert(tf.memory().numTensors <= numTensors + xs.length, "only the start of each run that failed is left");
});

Deno.test("a run over many tensors goes on bit for bit too: their order is part of a sum's rounding", async () => {
  const names = ["v", "t", "z", "b", "a", "m", "c"], settings = { ...TORCH_ADAMW, weightDecay: 0 };
  const initial = Object.fromEntries(
    names.map((name, i) => [name, tf.tensor1d([0.1 * i, 1 / (i + 3), 1.7])]),
  );
  const away = (params: Params, x: Tensor) =>
    tf.addN(names.map((name, i) => tf.sum(tf.square(tf.sub(params[name], tf.mul(x, i / 3))))));
  const step = trainStep((params: Params, _, { x }: { x: Tensor }) => {
    const { value: loss, gradients } = valueAndGradients((p: Params) => away(p, x), params);
    return { loss, gradients };
  }, { ...settings, compiler: "graph", maxGradientNorm: 1 });
  const batch = (i: number) => [{ x: tf.scalar(xs[i]) }];
  const many = { ...once, initial, step, steps: xs.length, batch };
  const norms = async (
    options: Partial<typeof many> & { checkpoints?: Checkpoints; onStep?: typeof stop },
  ) => {
    const { params, records } = await fit({ ...many, ...options });
    tf.dispose(params);
    return [Object.keys(params), ...records.map(({ gradientNorm }) => gradientNorm)];
  };
  const stop = failAfter(2);
  await inFolder(async (path) => {
    const checkpoints = checkpointFile(path);
    await assertRejects(() => norms({ checkpoints, onStep: stop }), Error, "stopped");
    assertEquals(await norms({ checkpoints }), await norms({}));
  });
  tf.dispose(initial);
});

Deno.test("a training's end is a checkpoint: what comes after it may fail", async () => {
  await inFolder(async (path) => {
    const checkpoints = checkpointFile(path);
    assertEquals(await ended({ checkpoints }), whole);
    const onStep = () => {
      throw new Error("no step is left");
    };
    assertEquals(await ended({ checkpoints, onStep }), whole);
  });
});

Deno.test("a killed run goes on from the checkpoint that was written last", async () => {
  await inFolder(async (path) => {
    const file = checkpointFile(path, 0);
    // A killed process saves nothing at its end.
    let alive = true;
    const killed: Checkpoints = { ...file, save: (checkpoint) => alive && file.save(checkpoint) };
    const onStep = ({ step }: TrainingRecord) => {
      alive = step < 3;
      if (step === 5) throw new Error("killed");
    };
    await assertRejects(() => ended({ checkpoints: killed, onStep }), Error, "killed");
    assertEquals((await file.load())!.records.map(({ step }) => step), [1, 2, 3]);
    assertEquals(await ended({ checkpoints: file }), whole);
  });
});

Deno.test("a step that is not finite leaves the weights of the step before in the checkpoint", async () => {
  await inFolder(async (path) => {
    const checkpoints = checkpointFile(path), learningRate = (i: number) => i === 2 ? NaN : 0.1;
    await assertRejects(
      () => ended({ checkpoints, learningRate }),
      Error,
      "Step 3, learning rate NaN, x = -2",
    );
    const { state, records } = (await checkpoints.load())!;
    const before = await ended({}, 2);
    assertEquals(new Uint8Array(state.params.w.dataSync().slice().buffer), before.w);
    assertEquals(records.length, 2);
  });
});

Deno.test("a run stopped while it measures a held-out loss does that step again", async () => {
  await inFolder(async (path) => {
    const checkpoints = checkpointFile(path), evaluate = () => Promise.resolve(0.25);
    const stopped = (_: unknown, step: number) =>
      step === 4 ? Promise.reject(new Error("stopped")) : evaluate();
    await assertRejects(() => ended({ checkpoints, evaluate: stopped }), Error, "stopped");
    assertEquals((await checkpoints.load())!.records.length, 3);
    assertEquals(await ended({ checkpoints, evaluate }), await ended({ evaluate }));
  });
});

Deno.test("a damaged checkpoint is told: the one before it takes its place, else the run begins anew", async () => {
  await inFolder(async (path) => {
    const checkpoints = checkpointFile(path, 0), said: string[] = [], { error } = console;
    await assertRejects(() => ended({ checkpoints, onStep: failAfter(3) }), Error, "stopped");
    const saved = await Promise.all([path, `${path}.before`].map((file) => Deno.readFile(file)));
    const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => i === at ? byte ^ 1 : byte);
    const damages = [
      (bytes: Uint8Array) => flipped(bytes, bytes.length - 2),
      (bytes: Uint8Array) =>
        flipped(bytes, new TextDecoder("latin1").decode(bytes).indexOf("gradientNorm") + 16),
      (bytes: Uint8Array) => flipped(bytes, 3),
      (bytes: Uint8Array) => bytes.subarray(0, 40),
    ];
    console.error = (text: string) => void said.push(text);
    try {
      for (const damage of damages) {
        for (const both of [false, true]) {
          await Deno.writeFile(path, damage(saved[0]));
          await Deno.writeFile(`${path}.before`, both ? damage(saved[1]) : saved[1]);
          const seen: number[] = [];
          const resumed = await ended({ checkpoints, onStep: ({ step }) => void seen.push(step) });
          assertEquals([seen[0], resumed], [both ? 1 : 3, whole]);
        }
      }
    } finally {
      console.error = error;
    }
    assertEquals(said.length, 3 * damages.length);
    said.forEach((text, i) => {
      assert(text.startsWith(`The checkpoint ${path}${i % 3 === 2 ? ".before" : ""} is damaged (`), text);
      assert(
        text.endsWith(i % 3 === 2 ? ": the training begins anew." : "goes on from the one before."),
        text,
      );
    });
  });
});

Deno.test("where a checkpoint cannot be written the training ends with one sentence, and the one before stays", async () => {
  await inFolder(async (path) => {
    const file = checkpointFile(path, 0), said: string[] = [], { error } = console;
    let saves = 0;
    const full: Checkpoints = {
      ...file,
      save: (checkpoint) => {
        if (++saves > 2) throw new Error("the disk is full.");
        file.save(checkpoint);
      },
    };
    console.error = (text: string) => void said.push(text);
    try {
      await assertRejects(() => ended({ checkpoints: full }), Error, "the disk is full.");
    } finally {
      console.error = error;
    }
    assertEquals([saves, said], [3, []]);
    const { state, records } = (await file.load())!;
    dispose(state);
    assertEquals(records.length, 2);
    assertEquals(await ended({ checkpoints: file }), whole);
  });
});
