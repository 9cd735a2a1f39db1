import { assert, assertEquals } from "@std/assert";
import { binding } from "../../lib/tensor/backend.ts";
import { dispose } from "@lib/tensor/mod.ts";
import {
  forward,
  initAdapter,
  lossAndGradients,
  PROJECTOR,
  visionFeatures,
  weightsOf,
} from "@lib/model/mod.ts";
import { forwardFlops, tokenBytes, trainingFlops } from "@lib/model/cost.ts";
import { parseConfig } from "@lib/weights/config.ts";
import { fixture, NAMES } from "./fixture.ts";

/** Runs `work` op by op and counts what its matrix products multiply and add. */
function counted(work: () => unknown): number {
  const { executeOp } = binding;
  let flops = 0;
  binding.executeOp = (name, attributes, inputs, outputs) => {
    const made = executeOp.call(binding, name, attributes, inputs, outputs);
    if (name.includes("MatMul")) {
      const turned = attributes.some(({ name, value }) => /adj_x|transpose_a/.test(name) && value);
      const shape = binding.infoOf(inputs[0]).shape, inner = shape[shape.length - (turned ? 2 : 1)];
      flops += 2 * inner * binding.infoOf(made[0].id).shape.reduce((a, b) => a * b, 1);
    }
    return made;
  };
  try {
    work();
  } finally {
    binding.executeOp = executeOp;
  }
  return flops;
}

for (const name of NAMES) {
  Deno.test(`${name}: the operations of forward pass and both stages are those that are executed`, async () => {
    const { params, config, inputs, labels } = await fixture(name), [batch, tokens] = inputs.ids.shape;
    const whole = { tokens, logits: tokens },
      sum = Object.values(forwardFlops(config, whole)).reduce((a, b) => a + b);
    const merging = 2 * batch * tokens ** 2; // counts the image tokens; left out of the model's cost
    assertEquals(counted(() => forward(params, inputs, config)) - merging, Math.round(batch * sum));

    const example = { tokens, logits: labels.rows.shape[0] / batch }, rank = 3;
    const { pixelValues, ...rows } = inputs, features = visionFeatures(params, pixelValues, config);
    for (const [featuresKept, recompute] of [[false, false], [true, false], [true, true], [false, true]]) {
      const seen = featuresKept ? { features, ...rows } : inputs;
      const stage1 = () =>
        lossAndGradients(weightsOf(params), PROJECTOR, seen, labels, config, { recompute });
      assertEquals(
        counted(stage1) - merging * (recompute ? 2 : 1),
        Math.round(batch * trainingFlops(config, example, { stage: 1, featuresKept, recompute })),
      );
    }
    const adapter = initAdapter(config, { r: rank, alpha: 1, towers: "both", seed: 1 });
    for (const recompute of [false, true]) {
      const stage2 = () =>
        lossAndGradients(weightsOf(params, adapter), Object.keys(adapter.params), inputs, labels, config, {
          recompute,
        });
      assertEquals(
        counted(stage2) - merging * (recompute ? 2 : 1),
        Math.round(batch * trainingFlops(config, example, { stage: 2, rank, recompute })),
      );
    }
    dispose([adapter.params, features]);
  });
}

Deno.test("PaliGemma-3B of 448 px: 16 TFLOP an example of stage 2, and some 5 GB are read for a token", () => {
  const config = parseConfig({
    model_type: "paligemma",
    vision_config: {
      hidden_size: 1152,
      intermediate_size: 4304,
      num_hidden_layers: 27,
      num_attention_heads: 16,
      image_size: 448,
      patch_size: 14,
    },
    text_config: {
      model_type: "gemma",
      hidden_size: 2048,
      intermediate_size: 16384,
      num_hidden_layers: 18,
      num_attention_heads: 8,
      num_key_value_heads: 1,
      vocab_size: 257216,
    },
    projection_dim: 2048,
  });
  const flops = trainingFlops(config, { tokens: 1073, logits: 8 }, { stage: 2, rank: 12, recompute: true });
  assert(flops > 14e12 && flops < 18e12, `${flops}`);
  const bytes = tokenBytes(config, 1073, 1, 2);
  assert(bytes > 4.5e9 && bytes < 5.3e9, `${bytes}`);
});
