import { assert, assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { tf } from "@lib/tensor/mod.ts";
import { chooseTokens, filterLogits, type Sampling } from "@lib/model/mod.ts";
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

Deno.test("tokens are drawn as often as their probabilities say", () => {
  const draws = 4000, p = [0.5, 0.25, 0.15, 0.1], temperature = 2;
  const logits = tf.tile(tf.log(tf.tensor2d([p])), [draws, 1]);
  const { ids, logprobs } = chooseTokens(logits, tf.tensor1d([7, 0], "int32"), { temperature, topK: 3 });
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
