import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Tensor } from "@tensorflow/tfjs";
import { binding } from "../../lib/tensor/backend.ts";
import { tf } from "@lib/tensor/mod.ts";
import { lossAndGradients, type ModelInputs, visionFeatures, weightsOf } from "@lib/model/mod.ts";
import type { Params } from "@lib/weights/mod.ts";
import { assertNear, difference, fixture, NAMES, size, waysOf } from "./fixture.ts";

const PROJECTOR = ["multi_modal_projector.linear.weight", "multi_modal_projector.linear.bias"];

for (const name of NAMES) {
  for (const [way, run] of waysOf(name, ["image_id_past_vocab"])) {
    Deno.test(`${name}, ${way}: gradients of the projector and of every LoRA matrix equal torch's`, async () => {
      const { params, config, record, adapter, inputs, labels, info } = await fixture(name);
      const gradients = run((params: Params, inputs: ModelInputs, lora: Params, projector: Params) => {
        const w = weightsOf(params, { ...adapter, params: lora, projector });
        const stage1 = lossAndGradients(weightsOf(params), PROJECTOR, inputs, labels, config);
        const both = [...Object.keys(lora), ...PROJECTOR];
        return {
          stage1,
          stage2: lossAndGradients(w, both, inputs, labels, config),
          recomputed: lossAndGradients(w, both, inputs, labels, config, { recompute: true }),
        };
      });
      const { stage1, stage2, recomputed } = gradients(params, inputs, adapter.params, adapter.projector!);
      for (const n of PROJECTOR) assertNear(n, stage1.gradients[n], record[`stage1.grad.${n}`], 1e-5);
      const recorded = Object.keys(record).filter((n) => n.startsWith("adapter.grad."));
      assertEquals(
        Object.keys(stage2.gradients).sort(),
        recorded.map((n) => n.slice("adapter.grad.".length)).sort(),
      );
      for (const n of recorded) {
        const mine = n.slice("adapter.grad.".length);
        assert(size(record[n]) > 1e-3, `${n} is too small to tell anything`);
        assertNear(n, stage2.gradients[mine], record[n], 2e-5);
        assertNear(`${n}, recomputed by block`, recomputed.gradients[mine], record[n], 2e-5);
      }
      for (const { loss } of [stage2, recomputed]) {
        assert(Math.abs(loss.dataSync()[0] - info.stage2.losses[0]) < 1e-5);
      }
      assert(Math.abs(stage1.loss.dataSync()[0] - info.stage1.losses[0]) < 1e-5);
    });
  }
}

Deno.test("from the vision tower's features on, the projector's gradients are those of the whole model, by block too", async () => {
  const { params, config, inputs: { pixelValues, ...rows }, labels } = await fixture("mqa_left");
  const inputs = { features: visionFeatures(params, pixelValues, config), ...rows };
  const whole = lossAndGradients(weightsOf(params), PROJECTOR, { pixelValues, ...rows }, labels, config);
  const above = Object.fromEntries(
    Object.entries(params).filter(([name]) => !name.startsWith("vision_tower.")),
  );
  for (const recompute of [false, true]) {
    const from = lossAndGradients(weightsOf(above), PROJECTOR, inputs, labels, config, { recompute });
    assertNear("loss", from.loss, whole.loss, 1e-6);
    for (const n of PROJECTOR) assertNear(n, from.gradients[n], whole.gradients[n], 1e-6);
  }
  const fewer = { ...inputs, features: tf.slice(inputs.features, [0, 1, 0]) };
  assertThrows(
    () => lossAndGradients(weightsOf(above), PROJECTOR, fewer, labels, config),
    Error,
    "Expected features",
  );
});

Deno.test("recomputation by block gives the gradient of every weight of the model, the tied table included", async () => {
  const { params, config, inputs, labels } = await fixture("mqa_left"), names = Object.keys(params);
  const plain = lossAndGradients(weightsOf(params), names, inputs, labels, config);
  const blocks = lossAndGradients(weightsOf(params), names, inputs, labels, config, { recompute: true });
  assertEquals(Object.keys(blocks.gradients).sort(), names.sort());
  for (const n of names) assertNear(n, blocks.gradients[n], plain.gradients[n], 1e-6);
  // A finite difference along the gradient, for the weights that torch's recordings leave out.
  const table = "language_model.embed_tokens.weight", g = plain.gradients[table], eps = 1e-3;
  const lossWith = (sign: number) => {
    const moved = tf.add(params[table], tf.mul(g, sign * eps)) as Tensor;
    const w = weightsOf({ ...params, [table]: moved });
    return lossAndGradients(w, [PROJECTOR[1]], inputs, labels, config).loss.dataSync()[0];
  };
  const expected = tf.sum(tf.square(g)).dataSync()[0], found = (lossWith(1) - lossWith(-1)) / (2 * eps);
  assert(Math.abs(found / expected - 1) < 0.01, `slope ${found}, gradient says ${expected}`);
});

Deno.test("training only the text tower's adapters leaves the vision tower out of the gradient", async () => {
  const { params, config, adapter, inputs, labels } = await fixture("mqa_left");
  const text = Object.keys(adapter.params).filter((n) => n.startsWith("language_model."));
  const w = weightsOf(params, adapter);
  const count = async (names: string[]) =>
    (await tf.profile(() => lossAndGradients(w, names, inputs, labels, config).loss)).kernels.length;
  const few = await count(text), many = await count(Object.keys(adapter.params));
  assert(few < 0.85 * many, `${few} kernels against ${many} with the vision tower`);
  const recomputed = lossAndGradients(w, text, inputs, labels, config, { recompute: true });
  const plain = lossAndGradients(w, text, inputs, labels, config);
  for (const n of text) assert(difference(recomputed.gradients[n], plain.gradients[n]) < 1e-6);
});

Deno.test("a name that nothing reads is refused, trained plainly or by block", async () => {
  const { params, config, inputs, labels } = await fixture("mqa_left");
  const w = weightsOf({ ...params, "vision_tower.head.weight": tf.zeros([2]) });
  for (const recompute of [false, true]) {
    const train = () =>
      lossAndGradients(w, [PROJECTOR[1], "vision_tower.head.weight"], inputs, labels, config, { recompute });
    assertThrows(train);
  }
  assertThrows(() => lossAndGradients(w, ["no.such"], inputs, labels, config), Error, '"no.such"');
  assertThrows(() => lossAndGradients(w, [], inputs, labels, config), Error, "Nothing to train");
});

for (const compiler of ["graph", "xla"] as const) {
  Deno.test(`compiled by block with ${compiler}: gradients of the plain pass, and no more functions for more layers`, async () => {
    const { params, config, adapter, inputs, labels } = await fixture("mqa_left"),
      trained = Object.keys(adapter.params);
    const w = weightsOf(params, adapter), { begin } = binding;
    let traces = 0;
    binding.begin = (...args) => {
      traces++;
      begin.apply(binding, args);
    };
    const options = { recompute: true, compiler };
    const blocks = lossAndGradients(w, trained, inputs, labels, config, options);
    const again = lossAndGradients(w, trained, inputs, labels, config, options);
    binding.begin = begin;
    // Forward of six kinds; backward of the five from the first layer on, of its kind without an input's gradient too; the head.
    assertEquals(traces, 6 + 6 + 1);
    const plain = lossAndGradients(w, trained, inputs, labels, config);
    for (const n of trained) {
      assertNear(n, blocks.gradients[n], plain.gradients[n], 5e-6);
      assertEquals(difference(again.gradients[n], blocks.gradients[n]), 0);
    }
    assert(Math.abs(blocks.loss.dataSync()[0] - plain.loss.dataSync()[0]) < 2e-6);
  });
}
