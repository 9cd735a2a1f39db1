/**
 * What one answer of the full-scale model costs: load, prefill, each further token, and the peak of resident memory.
 *
 *   SCALE=full LAB_SET=model.checkpoint=DIR ./lab deno run -A tests/full/answer.ts IMAGE [TOKENS]
 */
import { loadConfig } from "../../lib/config/mod.ts";
import { generate, openModel, promptInputs } from "../../lib/model/mod.ts";
import { tf } from "../../lib/tensor/mod.ts";

const peak = () => Number(/VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1]) / 2 ** 20;
const log = (what: string, since: number) =>
  console.log(
    `${what.padEnd(34)}${((performance.now() - since) / 1000).toFixed(2).padStart(7)} s   peak ${
      peak().toFixed(2)
    } GiB`,
  );

const [image, tokens = "16"] = Deno.args, maxNewTokens = Number(tokens);
const config = loadConfig();
log("libraries loaded", 0);
let start = performance.now();
const { model, tokenizer, store } = await openModel(config);
log(`openModel (${config.model.dtype})`, start);
const inputs = await promptInputs(model, tokenizer, store, [{
  imagePath: image,
  prefix: "answer en what organ is shown?",
}], { length: 1056 });
for (const round of ["first call", "second call"]) {
  for (const n of [1, maxNewTokens]) {
    start = performance.now();
    const { ids } = generate(model, inputs, { maxNewTokens: n, compiler: config.model.compiler });
    log(`${round}, ${n} tokens`, start);
    if (n > 1) console.log(`  ${ids[0].length} tokens: ${ids[0].join(" ")}`);
  }
}
tf.dispose([inputs as never, model.params]);
