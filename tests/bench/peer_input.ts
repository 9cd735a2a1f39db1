/**
 * What the scripts that measure transformers read from standard input, for one case of ./lab bench step or generate:
 *
 *   deno run -A tests/bench/peer_input.ts 3b '"stage 2"' | python3 tests/bench/step.py
 *   deno run -A tests/bench/peer_input.ts 3b '{"items":16,"samples":5,"tokens":32,"timed":2}' | python3 tests/bench/generate.py
 */
import { ANSWERS, type BenchModel, MODELS, PREFIX, RANK, type STAGES } from "./cases.ts";
import { CONFIGS } from "./models.ts";
import { toHubConfig } from "../../lib/weights/config.ts";

/** @param what the stage whose step is measured, or the sizes of a batch of answers */
export function peerInput(
  model: BenchModel,
  what: typeof STAGES[number] | Record<keyof typeof ANSWERS, number>,
): object {
  const { dtype, batch, suffix, steps } = MODELS[model];
  const shared = { config: toHubConfig(CONFIGS[model]), dtype, prefix: PREFIX };
  return typeof what === "string"
    ? { ...shared, stage: what, batch, suffix, steps, rank: RANK }
    : { ...shared, ...what };
}

if (import.meta.main) {
  const [model, what] = Deno.args;
  console.log(JSON.stringify(peerInput(model as BenchModel, JSON.parse(what))));
}
