/**
 * Gradients of stage 2, compiled by block, of PaliGemma-3B's widths with few layers (random weights, batches of 6), for a
 * profiler of GPU kernels: four runs, then one between cudaProfilerStart and Stop. Where LAYERS is 1, the kernels of each
 * tower's layer are seen once; the whole model has 27 and 18.
 *
 *   CUDART=.../libcudart.so.12 ncu --profile-from-start off --clock-control none --csv --page raw \
 *     --metrics gpu__time_duration.sum,dram__bytes_read.sum,dram__bytes_write.sum deno run -A tests/bench/gpu_profile.ts 1
 */
import { initAdapter, lossAndGradients } from "../../lib/model/mod.ts";
import { dispose } from "../../lib/tensor/mod.ts";
import { trainingBatch } from "../../lib/training/mod.ts";
import { MODELS, PREFIX, RANK } from "./cases.ts";
import { PALIGEMMA_3B_448 } from "./models.ts";
import { randomWeights } from "../../lib/cli/support/random_weights.ts";

const layers = Number(Deno.args[0] ?? 1), { vision, text, ...rest } = PALIGEMMA_3B_448;
const config = { ...rest, vision: { ...vision, layers }, text: { ...text, layers } };
const { batch, suffix } = MODELS["3b"], prefix = config.imageTokens + PREFIX, length = prefix + suffix;

const ids = Array.from({ length }, (_, at) => at < config.imageTokens ? config.imageTokenId : 5 + at);
const labels = ids.map((id, at) => at >= prefix ? id : -100);
const tokenTypes = ids.map((_, at) => Number(at >= prefix));
const examples = Array.from(
  { length: batch },
  () => ({ sequence: { ids, tokenTypes, labels, truncated: 0 } }),
);
const pixels = new Float32Array(batch * 3 * vision.imageSize ** 2).fill(0.1);
const part = trainingBatch(examples, pixels, { length, labels: suffix }, batch * suffix);

const adapter = initAdapter(config, { r: RANK, alpha: 32, towers: "both", seed: 1 });
const weights = {
  tensors: { ...randomWeights(config, "bfloat16"), ...adapter.params },
  loraScale: 32 / RANK,
};
const names = Object.keys(adapter.params);

function run(what: string): void {
  const start = performance.now();
  const options = { recompute: true, compiler: "xla" } as const;
  const { loss, gradients } = lossAndGradients(weights, names, part.inputs, part.labels, config, options);
  const sent = performance.now() - start, [value] = loss.dataSync();
  gradients[names[0]].dataSync(); // the last to be there
  const ms = performance.now() - start;
  console.error(
    `${what}: loss ${value}, all sent after ${sent.toFixed(1)} ms, done after ${ms.toFixed(1)} ms`,
  );
  dispose([loss, gradients]);
}

for (const what of ["compiling", "second", "third", "fourth"]) run(what);
const path = Deno.env.get("CUDART"), none = { parameters: [], result: "i32" } as const;
const cuda = path ? Deno.dlopen(path, { cudaProfilerStart: none, cudaProfilerStop: none }).symbols : null;
cuda?.cudaProfilerStart();
run("profiled");
cuda?.cudaProfilerStop();
