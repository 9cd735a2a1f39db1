import { assert } from "@std/assert";
import { crossEntropy, forward, type ModelInputs, visionFeatures, weightsOf } from "@lib/model/mod.ts";
import { projector } from "@lib/model/projector.ts";
import { tf } from "@lib/tensor/mod.ts";
import type { Params } from "@lib/weights/mod.ts";
import { assertNear, fixture, NAMES, WAYS } from "./fixture.ts";

for (const name of NAMES) {
  for (const [way, run] of WAYS) {
    Deno.test(`${name}, ${way}: features, attentions, hidden states, logits and loss equal transformers'`, async () => {
      const { params, inputs, config, record, info, labels } = await fixture(name);
      const f = run((params: Params, inputs: ModelInputs) => {
        const features = visionFeatures(params, inputs.pixelValues, config);
        const at = forward(params, inputs, config, { logitsAt: labels.rows }).logits;
        const capture = { attentions: "all", hiddenStates: true } as const;
        return {
          features,
          projected: tf.reshape(
            projector(weightsOf(params), tf.reshape(features, [-1, config.vision.hiddenSize])),
            [features.shape[0], -1, config.text.hiddenSize],
          ),
          loss: crossEntropy(at, labels),
          ...forward(params, inputs, config, { capture }),
        };
      });
      const out = f(params, inputs);
      assertNear("features", out.features, record["vision.features"], 1e-5);
      assertNear("projected features", out.projected, record["vision.projected"], 1e-5);
      for (const tower of ["vision", "text"] as const) {
        assert(out.attentions![tower].length === config[tower].layers);
        assert(out.hiddenStates![tower].length === config[tower].layers + 1);
        out.attentions![tower].forEach((a, i) =>
          assertNear(`${tower} attention ${i}`, a, record[`${tower}.attention.${i}`], 1e-5)
        );
        out.hiddenStates![tower].forEach((h, i) =>
          assertNear(`${tower} hidden state ${i}`, h, record[`${tower}.hidden.${i}`], 3e-5)
        );
      }
      assertNear("logits", out.logits, record.logits, 2e-5);
      const loss = out.loss.dataSync()[0];
      assert(Math.abs(loss - info.loss) < 5e-6, `loss ${loss}, transformers ${info.loss}`);
    });
  }
}
