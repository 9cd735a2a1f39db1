/**
 * cuDNN's fused attention, through XLA's custom call, beside lib/model's, forward and with gradients, in bfloat16 on a GPU:
 * times, and how far apart the results are. Why it is not used: results/bench/gpu.md.
 *
 *   deno run -A tests/bench/gpu_attention.ts
 */
import type { Tensor } from "@tensorflow/tfjs";
import { ATTR } from "../../lib/tensor/attributes.ts";
import { backend } from "../../lib/tensor/backend.ts";
import { BFLOAT16, FLOAT, UINT8 } from "../../lib/tensor/dtype.ts";
import { asType, dispose, jit, randomUniform, tf, tidy, vjp } from "../../lib/tensor/mod.ts";
import { randomNormal } from "../../lib/tensor/random.ts";
import { attend, swapHeads } from "../../lib/model/attention.ts";

type Inputs = { q: Tensor; k: Tensor; v: Tensor; dy: Tensor; mask?: Tensor; bias?: Tensor };

/** The call's `backend_config`: XLA's GpuBackendConfig as JSON, as far as cuDNN's attention reads it. Heads before places. */
function backendConfig({ q, k }: Inputs, backward: boolean): string {
  const [batch, heads, length, width] = q.shape as [number, number, number, number], places = k.shape[2]!;
  const products: [name: string, left: number, right: number][] = backward
    ? [["bmm1_grad_gemm1", 2, 2], ["bmm1_grad_gemm2", 3, 2], ["bmm2_grad_gemm1", 2, 2], [
      "bmm2_grad_gemm2",
      3,
      3,
    ]]
    : [["bmm1", 3, 3], ["bmm2", 3, 2]];
  const dimensions = products.map(([name, left, right]) => [`${name}_dot_dimension_numbers`, {
    lhs_contracting_dimensions: [String(left)],
    rhs_contracting_dimensions: [String(right)],
    lhs_batch_dimensions: ["0", "1"],
    rhs_batch_dimensions: ["0", "1"],
  }]);
  return JSON.stringify({
    cudnn_fmha_backend_config: {
      algorithm: {
        algo_id: "0",
        math_type: "TENSOR_OP_MATH",
        tuning_knobs: { "17": "1", "24": "0" },
        is_cudnn_frontend: true,
        workspace_size: "0",
      },
      fmha_scale: width ** -0.5,
      dropout_rate: 0,
      seed: 0,
      is_flash_attention: true,
      mask_type: "NO_MASK",
      intermediate_tensor_shape: {
        element_type: "BF16",
        dimensions: [batch, heads, length, places].map(String),
        layout: { minor_to_major: ["3", "2", "1", "0"] },
        is_dynamic_dimension: [false, false, false, false],
      },
      ...Object.fromEntries(dimensions),
    },
  });
}

function cudnn(
  inputs: Inputs,
  given: Tensor[],
  backward: boolean,
  results: [type: number, shape: number[]][],
): Tensor[] {
  const target = `__cudnn$fmha${inputs.bias ? "ScaleBias" : ""}Softmax${backward ? "Backward" : ""}`;
  const all = [...results, [UINT8, [0]] as const]; // cuDNN's working memory
  return backend().executeMultipleOutputs(
    "XlaCustomCallV2",
    [
      { name: "call_target_name", type: ATTR.string, value: target },
      { name: "backend_config", type: ATTR.string, value: backendConfig(inputs, backward) },
      { name: "has_side_effect", type: ATTR.bool, value: false },
      { name: "result_dtypes", type: ATTR.type, value: all.map(([type]) => type) },
      { name: "result_shapes", type: ATTR.shape, value: all.map(([, shape]) => shape) },
    ],
    given,
    all.length,
  );
}

const biasOf = ({ bias }: Inputs): Tensor[] => bias ? [bias] : [];

function forward(inputs: Inputs, statistics = false): Tensor[] {
  const { q, k, v } = inputs, kept: [number, number[]][] = statistics ? [[FLOAT, q.shape.slice(0, 3)]] : [];
  return cudnn(inputs, [q, k, v, ...biasOf(inputs)], false, [[BFLOAT16, q.shape], ...kept]);
}

function withGradients(inputs: Inputs): Tensor[] {
  const { q, k, v, dy } = inputs, [y, statistics] = forward(inputs, true);
  const given = [q, k, v, statistics, dy, ...biasOf(inputs), y];
  return cudnn(inputs, given, true, [q, k, v].map((x) => [BFLOAT16, x.shape])).slice(0, 3);
}

const own = ({ q, k, v, mask }: Inputs): Tensor => {
  const [batch, heads, length, width] = q.shape;
  return swapHeads(tf.reshape(attend(q, k, v, mask).mixed, [batch, length!, heads!, width!]));
};

function ownWithGradients(inputs: Inputs): Tensor[] {
  const { q, k, v, dy } = inputs;
  const gradients = vjp((x: Record<"q" | "k" | "v", Tensor>) => own({ ...inputs, ...x }), { q, k, v }, dy);
  return [gradients.q, gradients.k, gradients.v];
}

/** Results of f, and the mean milliseconds of 20 calls after the first. */
function timed(f: (inputs: Inputs) => Tensor[], inputs: Inputs): { results: Tensor[]; ms: number } | Error {
  const wait = ([x]: Tensor[]) =>
    tidy(() => asType(tf.slice(tf.reshape(x, [-1]), 0, 1), "float32")).dataSync();
  const compiled = jit(f, { compiler: "xla" });
  try {
    let results = compiled(inputs);
    wait(results);
    const start = performance.now();
    for (let i = 0; i < 20; i++) {
      dispose(results);
      results = compiled(inputs);
    }
    wait(results);
    return { results, ms: (performance.now() - start) / 20 };
  } catch (error) {
    return error as Error;
  }
}

const apart = (a: Tensor, b: Tensor): string =>
  tidy(() => {
    const [x, y] = [a, b].map((t) => tf.reshape(asType(t, "float32"), [-1]));
    return tf.div(tf.norm(tf.sub(x, y)), tf.norm(y)).dataSync()[0].toExponential(1);
  });

const bfloat16 = (shape: number[], seed: number) =>
  tidy(() => asType(randomNormal(shape, [seed, 0]), "bfloat16"));

const CASES: [name: string, q: number[], k: number[], masked: boolean][] = [
  ["SigLIP", [6, 16, 1024, 72], [6, 16, 1024, 72], false],
  ["Gemma", [6, 8, 1073, 256], [6, 1, 1073, 256], true],
  ["Gemma without a mask", [6, 8, 1080, 256], [6, 1, 1080, 256], false],
];
for (const [name, q, k, masked] of CASES) {
  const inputs: Inputs = { q: bfloat16(q, 1), k: bfloat16(k, 2), v: bfloat16(k, 3), dy: bfloat16(q, 4) };
  if (masked) {
    const hidden = tf.greater(randomUniform([6, 1, q[2], k[2]], [5, 0]), 0.9);
    inputs.mask = tf.mul(tf.cast(hidden, "float32"), -1e9);
    inputs.bias = asType(inputs.mask, "bfloat16");
  }
  for (
    const [what, ours, theirs] of [
      ["forward", (x: Inputs) => [own(x)], (x: Inputs) => forward(x).slice(0, 1)],
      ["forward and backward", ownWithGradients, withGradients],
    ] as const
  ) {
    const [a, b] = [timed(ours, inputs), timed(theirs, inputs)];
    const told = [a, b].map((t) => t instanceof Error ? t.message.slice(0, 200) : `${t.ms.toFixed(3)} ms`);
    const distance = a instanceof Error || b instanceof Error
      ? ""
      : `; apart by ${b.results.map((x, i) => apart(x, a.results[i])).join(", ")}`;
    console.log(`${name}, ${what}: this code ${told[0]}, cuDNN ${told[1]}${distance}`);
  }
  dispose(inputs);
}
