/**
 * What the scripts that measure transformers read from standard input, for one case of ./lab bench step or generate:
 *
 *   deno run -A tests/bench/peer_input.ts 3b '"stage 2"' | python3 tests/bench/step.py
 *   deno run -A tests/bench/peer_input.ts 3b '{"items":16,"samples":5,"tokens":32,"timed":2}' | python3 tests/bench/generate.py
 */
import { type BenchModel, MODELS, PREFIX, RANK } from "./cases.ts";
import { CONFIGS } from "./models.ts";
import { toHubConfig } from "../../lib/weights/config.ts";

const [name, json] = Deno.args, model = name as BenchModel, what = JSON.parse(json);
const { dtype, batch, suffix, steps } = MODELS[model];
const shared = { config: toHubConfig(CONFIGS[model]), dtype, prefix: PREFIX };
console.log(JSON.stringify(
  typeof what === "string"
    ? { ...shared, stage: what, batch, suffix, steps, rank: RANK }
    : { ...shared, ...what },
));
