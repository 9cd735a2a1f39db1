import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { mayMount } from "../artifacts/small_disk.ts";

const results = await Deno.makeTempDir();
Deno.env.set("LAB_RESULTS", results);
const { loadConfig } = await import("@lib/config/mod.ts");
const { openModel } = await import("@lib/model/mod.ts");
const { tf } = await import("@lib/tensor/mod.ts");
const { phantomStore } = await import("@lib/nano/mod.ts");
const { batchShape, trainCell, trainProjector } = await import("@lib/training/mod.ts");
const { phantomExamples } = await import("./phantom_examples.ts");
globalThis.addEventListener("unload", () => Deno.removeSync(results, { recursive: true }));

const preset = loadConfig({});
const config = {
  ...preset,
  model: { ...preset.model, compiler: "graph" as const },
  stage1: { ...preset.stage1, epochs: 3, batchSize: 4 },
};
const { model, tokenizer } = await openModel(config), store = phantomStore();
const examples = phantomExamples(6, 300_000_000, "shifted", ["side"], tokenizer, model.config);
const data = { train: examples.slice(0, 4), validation: examples.slice(4) };

/** Trains stage 1 and keeps it. @returns the steps that were done, the last one alone where it was kept, and its loss */
async function train(changed: Partial<{ config: typeof config; data: typeof data; stopAt: number }> = {}) {
  const steps: number[] = [], losses: number[] = [];
  const onStep = ({ step, loss }: { step: number; loss: number }) => {
    steps.push(step), losses.push(loss);
    if (step === changed.stopAt) throw new Error("stopped");
  };
  const options = { store, keep: true, onStep };
  const { projector } = await trainProjector(
    model,
    changed.data ?? data,
    changed.config ?? config,
    options,
  ).catch((error) => {
    if (error.message !== "stopped") throw error;
    return { projector: {} };
  });
  tf.dispose(projector);
  return { steps, last: losses.at(-1) };
}

Deno.test("stage 1 goes on from its checkpoint, and is found when it is there; other settings, data or weights are another training", async () => {
  assertEquals((await train({ stopAt: 2 })).steps, [1, 2]);
  // Neither takes the other's checkpoint, nor throws it away; that there is one is said.
  const other = { ...config, stage1: { ...config.stage1, learningRate: 1e-3 } };
  const said: string[] = [], { error } = console;
  console.error = (text: string) => void said.push(text);
  try {
    assertEquals((await train({ config: other })).steps, [1, 2, 3]);
    assertEquals((await train({ data: { ...data, train: data.train.toReversed() } })).steps, [1, 2, 3]);
  } finally {
    console.error = error;
  }
  const begins =
    "stage1 begins anew. Still kept unfinished, in case it is asked for again: one stopped after step 2";
  assertEquals(said, [`${begins} (settings.learningRate 0.002, now 0.001).`, `${begins} (data).`]);
  const trained = await train();
  assertEquals(trained.steps, [3]);
  assertEquals(await train(), { steps: [3], last: trained.last });
  // A weight exchanged in place, as in an exercise of notebook 04.
  const name = "multi_modal_projector.linear.weight", before = model.params[name];
  model.params[name] = tf.zerosLike(before);
  assertEquals((await train()).steps, [1, 2, 3]);
  model.params[name] = before;
});

Deno.test("a second trainer of the same is refused with the holder's number, and the first one goes on", async () => {
  const other = { ...config, stage1: { ...config.stage1, learningRate: 3e-3 } };
  const refused: string[] = [], steps: number[] = [];
  const { projector } = await trainProjector(model, data, other, {
    store,
    keep: true,
    onStep: async ({ step }) => {
      steps.push(step);
      if (step > 1) return;
      refused.push((await assertRejects(() => train({ config: other }), Error)).message);
    },
  });
  tf.dispose(projector);
  assertEquals(steps, [1, 2, 3]);
  assertMatch(
    refused[0],
    new RegExp(
      `^The training of stage1 is at work in process ${Deno.pid} since .* UTC: wait for it, or end it`,
    ),
  );
});

Deno.test({
  name:
    "a disk that fills up while stage 1 is trained: one sentence, and the training goes on where there is room [needs root, unshare]",
  ignore: !await mayMount(),
  fn: async () => {
    const folder = await Deno.makeTempDir(),
      script = fromFileUrl(new URL("./full_disk_child.ts", import.meta.url));
    const shell = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"';
    const { stdout, stderr } = await new Deno.Command("unshare", {
      args: ["-m", "sh", "-c", shell, "sh", "4m", folder, Deno.execPath(), "run", "-A", "--no-check", script],
      env: { LAB_RESULTS: folder },
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assertEquals(lines.length, 3, new TextDecoder().decode(stderr));
    assertMatch(
      lines[0],
      /^\S+\/unfinished\/[0-9a-f-]+\.next cannot be written: the disk is full: make room and run again\.$/,
    );
    assertEquals(lines.slice(1), ["files .next: 0", "steps 3, 4, 5, 6"]);
  },
});

Deno.test("adapters of other towers are another kept cell", async () => {
  const cell = { name: "roco_v2__without", dataset: "roco_v2", stage1: false } as const;
  const once = { batches: [data.train], validation: [], stepsPerEpoch: 1, shape: batchShape(examples) };
  const towersOf = async (towers?: "vision" | "text") => {
    const { adapter } = await trainCell(model, cell, once, {}, config, { store, keep: true, towers });
    const names = Object.keys(adapter.params);
    tf.dispose(adapter.params);
    return [...new Set(names.map((name) => name.split(".")[0]))].sort();
  };
  assertEquals(await towersOf(), ["language_model", "vision_tower"]);
  assertEquals(await towersOf("vision"), ["vision_tower"]);
  assertEquals(await towersOf("text"), ["language_model"]);
});
