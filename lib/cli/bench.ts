import { MODELS } from "./support/bench_cases.ts";
import { readArgs, UsageError } from "./command.ts";

export const usage = `usage: ./lab bench step [--rounds 3] [--models nano,50m]
       ./lab bench adaptation [--trials 3] [--limit N]
       ./lab bench data [--rounds 3] [--passes 3]
       ./lab bench teacher
       ./lab bench overlap FOLDER

step         one training step of both stages: eager, traced, compiled by XLA; time and peak memory
adaptation   both stages on phantoms of another style, and what they gain and forget; about three minutes a trial
data         image files to pixel values: our pool of workers, and transformers' processor (installed into build/bench by the
             first run), in images/s and peak memory; a table of 200,000 records opened. Files of LAB_DATA, else phantoms
teacher      requests to a language model: a server that answers at once and the embedded one, by requests in flight
overlap      planted copies of a folder's images found again, false pairs, and the search's growth
Tables go to results/local/bench. Let nothing else run meanwhile.
  --rounds   rounds over all cases (a minute for nano, three for 50m, two for data)
  --models   nano, or 50m (50 million parameters), or both
  --trials   independent repetitions
  --passes   over all files in one measurement
  --limit    at most N questions of each type and N steps, to try it out`;

/** A positive whole number given to an option. */
function positive(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) {
    throw new UsageError(`--${name} is "${text}"; expected a positive whole number.`);
  }
  return Number(text);
}

export async function run(args: string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === "step") {
    const { options } = readArgs(rest, { values: ["rounds", "models"] });
    const rounds = positive("rounds", options.rounds ?? "3");
    const known = Object.keys(MODELS) as (keyof typeof MODELS)[];
    const models = (options.models ?? known.join()).split(",").map((model) => {
      const found = known.find((k) => k === model);
      if (!found) throw new UsageError(`--models names "${model}"; expected some of ${known.join(", ")}.`);
      return found;
    });
    const { benchStep } = await import("./support/bench_step.ts");
    await benchStep([...new Set(models)], rounds);
  } else if (name === "adaptation") {
    const { options } = readArgs(rest, { values: ["trials", "limit"] });
    const trials = positive("trials", options.trials ?? "3");
    const limit = options.limit === undefined ? null : positive("limit", options.limit);
    const { benchAdaptation } = await import("./support/bench_adaptation.ts");
    await benchAdaptation(trials, limit);
  } else if (name === "data") {
    const { options } = readArgs(rest, { values: ["rounds", "passes"] });
    const rounds = positive("rounds", options.rounds ?? "3"),
      passes = positive("passes", options.passes ?? "3");
    const { benchData } = await import("./support/bench_data.ts");
    await benchData(rounds, passes);
  } else if (name === "teacher") {
    readArgs(rest, {});
    const { benchTeacher } = await import("./support/bench_teacher.ts");
    await benchTeacher();
  } else if (name === "overlap") {
    const { benchOverlap } = await import("./support/bench_overlap.ts");
    await benchOverlap(readArgs(rest, { positional: [1, 1] }).rest[0]);
  } else {
    throw new UsageError(
      `there is no benchmark "${name ?? ""}"; expected step, adaptation, data, teacher or overlap.`,
    );
  }
}
