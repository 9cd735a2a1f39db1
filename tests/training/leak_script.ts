/** Prints what steps 400 to 800 of both stages on the nano model add. Run by leak_test.ts in a process of its own. */
import { loadConfig } from "../../lib/config/mod.ts";
import { type ImageStore, openModel } from "../../lib/model/mod.ts";
import { binding } from "../../lib/tensor/backend.ts";
import { memory } from "../../lib/tensor/memory.ts";
import { phantomStore } from "../../lib/nano/mod.ts";
import { trainStage2 } from "../../lib/training/mod.ts";
import { trainStage1 } from "../../lib/training/stages.ts";
import { phantomExamples } from "./phantom_examples.ts";

/**
 * V8 compiles and caches for some hundred steps, more of them on a busy machine; then a step adds its record. Resident pages jitter from step to step: what counts is the least over NEAR steps that end at
 * either mark.
 */
const BATCH = 8, WARM = 400, STEPS = 800, NEAR = 10;
const preset = loadConfig({});
const config = {
  ...preset,
  stage1: { ...preset.stage1, epochs: STEPS, batchSize: BATCH },
  stage2: { ...preset.stage2, steps: STEPS },
};
const { model, tokenizer } = await openModel(config);
const examples = phantomExamples(BATCH, 300_000_000, "shifted", ["side"], tokenizer, model.config);
const drawn = phantomStore();
const images = new Map(examples.map(({ imagePath }) => [imagePath, drawn.get(imagePath)]));
const store: ImageStore = { size: drawn.size, get: (path) => images.get(path)!, fill: drawn.fill };

interface Mark {
  tensors: number;
  handles: number;
  /** In use, of V8's heap. */
  heapBytes: number;
  /** In use, of what malloc manages: all that TensorFlow allocates. */
  mallocBytes: number;
  rssBytes: number;
}
const { gc } = globalThis as unknown as { gc: () => void };
const libc = Deno.dlopen("libc.so.6", {
  malloc_trim: { parameters: ["usize"], result: "i32" },
  mallinfo: { parameters: [], result: { struct: Array<"i32">(10).fill("i32") } },
});
/** Bytes in all arenas, and mapped ones. */
function mallocBytes(): number {
  const info = new Int32Array(libc.symbols.mallinfo().slice().buffer);
  return info[7] + info[4]; // uordblks, hblkhd
}
const marks: Mark[] = [];
let leastRss = Infinity;
function onStep({ step }: { step: number }) {
  const mark = [WARM, STEPS].find((at) => step > at - NEAR && step <= at);
  if (mark === undefined) return;
  for (let i = 0; i < 3; i++) gc(); // finalizers let go of more
  libc.symbols.malloc_trim(0n); // pages that malloc keeps free come and go by tens of megabytes
  leastRss = Math.min(leastRss, memory().rssBytes);
  if (step < mark) return;
  const { heapUsed } = Deno.memoryUsage(), { tensors } = memory();
  const handles = binding.getNumOfTensors();
  marks.push({ tensors, handles, heapBytes: heapUsed, mallocBytes: mallocBytes(), rssBytes: leastRss });
  leastRss = Infinity;
}
const bytesOf = (params: Record<string, { size: number }>) =>
  Object.values(params).reduce((sum, { size }) => sum + 4 * size, 0);
function added(trained: Record<string, { size: number }>) {
  const [before, after] = marks.splice(0);
  return {
    tensors: after.tensors - before.tensors,
    handles: after.handles - before.handles,
    heapBytes: after.heapBytes - before.heapBytes,
    mallocBytes: after.mallocBytes - before.mallocBytes,
    rssBytes: after.rssBytes - before.rssBytes,
    /** What it would be if every step left its trained tensors behind. */
    leakBytes: (STEPS - WARM) * bytesOf(trained),
  };
}

const options = { store, validation: [], onStep };
const { projector } = await trainStage1(model, examples, config, options);
const stage1 = added(projector);
const batches = Array.from({ length: STEPS }, () => examples);
const { adapter } = await trainStage2(model, projector, batches, config, { ...options, stepsPerEpoch: 100 });
console.log(JSON.stringify({ stage1, stage2: added(adapter.params) }));
