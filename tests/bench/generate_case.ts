/** A process of its own for `./lab bench generate`: measures one case, the JSON of its argument, on random weights; other sizes are a second one. */
import { computing } from "@lib/config/mod.ts";
import { generate, type GenerateOptions, generateTokens, type Model, modelInputs } from "@lib/model/mod.ts";
import { tokenBytes } from "@lib/model/cost.ts";
import { dispose } from "@lib/tensor/mod.ts";
import { BYTES, type PaliGemmaConfig } from "@lib/weights/mod.ts";
import { ANSWERS, type GenerateCase, type GenerateMeasurement, PREFIX } from "./cases.ts";
import { subjectOf } from "./models.ts";
import { randomWeights, weightValues } from "@lib/cli/support/random_weights.ts";

/** Random images and prompts. */
function promptsOf(config: PaliGemmaConfig, items: number) {
  const length = config.imageTokens + PREFIX, n = items * length;
  const pixels = new Float32Array(items * 3 * config.vision.imageSize ** 2);
  weightValues("pixels.weight", [1, 3], config)(pixels); // uniform in [-1, 1]
  const text = (at: number) => 3 + (at * 7919) % (config.imageTokenId - 3);
  const ids = Int32Array.from(
    { length: n },
    (_, at) => at % length < config.imageTokens ? config.imageTokenId : text(at),
  );
  const tokens = {
    batch: items,
    length,
    ids,
    tokenTypes: new Int32Array(n),
    attentionMask: new Int32Array(n).fill(1),
  };
  return modelInputs(tokens, pixels);
}

class FirstToken extends Error {}

/** Answers that never end, sampled, of `ANSWERS.items` prompts. To be called once in a process. */
export async function measureGenerate(
  generateCase: GenerateCase,
  sizes: Record<keyof typeof ANSWERS, number> = ANSWERS,
): Promise<GenerateMeasurement> {
  const { items, samples, tokens, timed } = sizes, { dtype, config: shape } = subjectOf(generateCase);
  const config = { ...shape, eosId: -1 };
  const model: Model = { params: randomWeights(config, dtype), config, dtype };
  const startMiB = computing.memory()!.peakBytes / 2 ** 20, inputs = promptsOf(config, items);
  const [compiler, each] = generateCase.way.split(", ") as ["graph" | "xla", string | undefined];
  const options: GenerateOptions = {
    maxNewTokens: tokens,
    temperature: 0.7,
    seeds: Array.from({ length: items }, (_, i) => Array.from({ length: samples }, (_, j) => 100 * i + j)),
    compiler,
  };
  const time = async (onTokens?: () => void) => {
    const start = performance.now();
    try {
      if (onTokens) await generateTokens(model, inputs, options, onTokens);
      else generate(model, inputs, options);
    } catch (error) {
      if (!(error instanceof FirstToken)) throw error;
    }
    return (performance.now() - start) / 1000;
  };
  const whole = () => time(each ? () => {} : undefined);
  const first = () =>
    time(() => {
      throw new FirstToken();
    });
  const firstSeconds = await whole(), seconds: number[] = [], toFirstToken: number[] = [];
  for (let i = 0; i < timed; i++) {
    toFirstToken.push(await first());
    seconds.push(await whole());
  }
  dispose([inputs, model.params]);
  const context = config.imageTokens + PREFIX + tokens / 2; // in the mean
  const bytes = tokenBytes(config, context, items * samples, BYTES[dtype]);
  return {
    firstSeconds,
    seconds,
    toFirstToken,
    tokenBytes: bytes,
    startMiB,
    peakMiB: computing.memory()!.peakBytes / 2 ** 20,
  };
}

if (import.meta.main) {
  const [generateCase, sizes] = Deno.args.map((text) => JSON.parse(text));
  console.log(JSON.stringify(await measureGenerate(generateCase, sizes)));
}
