import { assert, assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import type { Tensor } from "@tensorflow/tfjs";
import { tf } from "@lib/tensor/mod.ts";
import { type Sampling } from "@lib/model/mod.ts";
import { answerNoise, chooseTokens, filterLogits } from "@lib/model/sampling.ts";
import { readSafetensors } from "@lib/weights/mod.ts";
import { assertNear, WAYS } from "./fixture.ts";

const folder = join(dirname(fromFileUrl(import.meta.url)), "..", "parity", "fixtures", "sampling");

for (const [way, run] of WAYS) {
  Deno.test(`${way}: temperature, top-k and top-p leave what transformers' warpers leave`, async () => {
    const record = await readSafetensors(join(folder, "record.safetensors"));
    const settings: Sampling[] = JSON.parse(await Deno.readTextFile(join(folder, "record.json")));
    settings.forEach((s, i) => {
      const mine = run((x: typeof record.scores) => filterLogits(x, s))(record.scores),
        theirs = record[`kept.${i}`];
      const kept = (x: typeof mine) => [...x.dataSync()].map((v) => v > -1e29);
      assertEquals(kept(mine), kept(theirs), JSON.stringify(s));
      assertNear(JSON.stringify(s), tf.maximum(mine, -100), tf.maximum(theirs, -100), 1e-6);
    });
  });
}

/** One number per answer, of as many seeds. */
const noise = (n: number) => tf.tensor1d(answerNoise(Array.from({ length: n }, (_, i) => 1000 + i), 1));

Deno.test("tokens are drawn as often as their probabilities say", () => {
  const draws = 4000, p = [0.5, 0.25, 0.15, 0.1], temperature = 2;
  const logits = tf.tile(tf.log(tf.tensor2d([p])), [draws, 1]);
  const { ids, logprobs } = chooseTokens(logits, noise(draws), { temperature, topK: 3 });
  const count = [0, 0, 0, 0];
  ids.dataSync().forEach((id) => count[id]++);
  const hot = p.slice(0, 3).map((x) => x ** (1 / temperature)), sum = hot.reduce((a, b) => a + b);
  hot.forEach((x, i) => {
    const q = x / sum, sd = Math.sqrt(draws * q * (1 - q));
    assert(
      Math.abs(count[i] - draws * q) < 4 * sd,
      `token ${i} drawn ${count[i]} times, expected ${draws * q}`,
    );
  });
  assertEquals(count[3], 0);
  ids.dataSync().forEach((id, i) => assert(Math.abs(logprobs.dataSync()[i] - Math.log(p[id])) < 1e-5));
});

for (const [way, run] of WAYS) {
  Deno.test(`${way}: the largest and the smallest random number take tokens that are not excluded, of a large vocabulary too`, () => {
    const vocab = 257_216, kept = [7, 1000, vocab - 1];
    for (const noise of [0, 1 - 2 ** -23]) {
      const logits = tf.tensor2d(
        Float32Array.from({ length: vocab }, (_, id) => kept.includes(id) ? 5 : id % 3),
        [1, vocab],
      );
      const choose = run((x: Tensor, u: Tensor) => chooseTokens(x, u, { temperature: 0.7, topK: 3 }));
      assertEquals([...choose(logits, tf.tensor1d([noise])).ids.dataSync()], [noise === 0 ? 7 : vocab - 1]);
    }
  });
}

Deno.test("an answer's random numbers come from its seed alone, and those of neighbouring seeds are unrelated", () => {
  const [a, b] = [answerNoise([5, 6, 7], 8), answerNoise([7, 9], 4)];
  assertEquals(a.slice(16, 20), b.slice(0, 4));
  const n = 20_000,
    of = (first: number) =>
      answerNoise(Array.from({ length: n }, (_, i) => first + i), 1).map((u) => u - 0.5);
  const [x, y] = [of(0), of(1)];
  const correlation = 12 * x.reduce((sum, u, i) => sum + u * y[i], 0) / n;
  assert(Math.abs(correlation) < 4 / Math.sqrt(n), `${correlation}`);
});
