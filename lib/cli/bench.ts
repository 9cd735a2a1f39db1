import { basename } from "@std/path";
import { type BenchModel, MODELS } from "../../tests/bench/cases.ts";
import { readArgs, UsageError } from "./command.ts";
import { listNotebooks } from "./support/notebooks.ts";

export const usage = `usage: ./lab bench step [--rounds 3] [--models nano,50m] [--python PROGRAM]
       ./lab bench generate [--rounds 3] [--models nano,50m] [--python PROGRAM]
       ./lab bench eval [--rounds 3] [--python PROGRAM]
       ./lab bench workers [--rounds 3] [--models nano,50m]
       ./lab bench growth [--rounds 3]
       ./lab bench adaptation [--trials 3] [--limit N]
       ./lab bench annealing [--seeds 1,2,3]
       ./lab bench scaling [--limit N]
       ./lab bench data [--rounds 3] [--passes 3]
       ./lab bench teacher
       ./lab bench judge [--items 300] [--repeats 3]
       ./lab bench audit FOLDER [--images 20000] [--series FOLDER]
       ./lab bench faults [NAME ...] [--count N]
       ./lab bench filters FOLDER
       ./lab bench checks [--seeds 1,2,3] [--notebooks 00,01,02]

step         one training step of both stages: eager, traced, compiled by XLA; time and peak memory; beside transformers and
             PEFT where a Python that has them is given
generate     answers to a batch of prompts, several of each: the loop inside of a function or a call a token, graph and XLA;
             prompts/s, ms a token, peak memory; beside transformers' where a Python that has it is given
eval         questions/s at five sampled answers each, beside transformers' where a Python that has it is given, and where the time
             of a whole evaluation goes: generation, scoring, intervals. Reads notebooks 01 to 05, finished
workers      a step of stage 2 by one, two and three processes on this machine, and what they send; on paper, many GPUs
growth       a step of stage 2 and answers, by layers, width, image tokens and batch: time and memory, power laws, figures
adaptation   both stages on phantoms of another style: what they gain and forget, and how they answer about combinations of lesion
             and organ that no training picture shows; about three minutes a trial
annealing    stage 2 on ROCO alone, MedPix alone and mixtures of both: constant, rising, falling, an end phase; trials are the
             courses that an ended bench checks has run, four minutes each
scaling      equation 1: final losses of 4 sizes x 4 token counts x 2 seeds, each a training of its own, and the fit with its
             warnings; what an ended bench has trained is not trained again
data         image files to pixel values: our pool of workers, and transformers' processor (installed into build/bench by the
             first run), in images/s and peak memory; a table of 200,000 records opened. Files of LAB_DATA, else phantoms
teacher      requests to a language model: a server that answers at once and the embedded one, by requests in flight
judge        the judge (JUDGE_URL, else the embedded one), and a second one where JUDGE2_URL names it, on answers of known verdict
             about phantoms: share judged rightly by kind, kappa, repeats, both orders, baselines without a model. Resumable
audit        planted copies of a folder's images found again, false pairs, neighbouring slices called the same, and a search
             among many phantoms
faults       faults inflicted on purpose, many times, and how many did harm: the campaigns named, or all (./lab bench faults --list)
filters      what the rules for teacher pairs keep and drop of labelled pairs about real images; FOLDER holds roco-captions,
             slake-json and vqa-rad-train, as LAB_DATA does
checks       every closing check with one seed after another: its values beside its threshold. A whole course of ten minutes a
             seed; what an ended bench has run is not run again (results/local/bench/checks)
Tables go to results/local/bench. Let nothing else run meanwhile.
  --rounds   rounds over all cases (a minute for nano, three for 50m, two for data and eval, two to three for growth)
  --models   some of nano, 50m (50 million parameters) and 3b (the full size, on a GPU); nano,50m if not said otherwise
  --python   a Python with torch, transformers and (for step) peft
  --trials   independent repetitions
  --passes   over all files in one measurement
  --items    answers to be judged
  --repeats  sampled verdicts on each answer
  --images   phantoms that are searched
  --series   a folder that has a folder of slices for each scan, named in the order of their places
  --limit    at most N questions of each type and N steps, to try it out
  --seeds    ten seeds, 1 to 10, if not said otherwise; of annealing all that there are
  --notebooks   those of a course from its beginning; all, if not said otherwise
  --count    how many faults, in place of a campaign's own number`;

/** A positive whole number given to an option. */
function positive(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) {
    throw new UsageError(`--${name} is "${text}"; expected a positive whole number.`);
  }
  return Number(text);
}

const seedsOf = (text: string): number[] => text.split(",").map((seed) => positive("seeds", seed));

/** The models of --models. */
function modelsOf(text = "nano,50m"): BenchModel[] {
  const known = Object.keys(MODELS) as BenchModel[];
  const models = text.split(",").map((model) => {
    const found = known.find((k) => k === model);
    if (!found) throw new UsageError(`--models names "${model}"; expected some of ${known.join(", ")}.`);
    return found;
  });
  return [...new Set(models)];
}

export async function run(args: string[]): Promise<void> {
  const [name, ...rest] = args;
  if (name === "step") {
    const { options } = readArgs(rest, { values: ["rounds", "models", "python"] });
    const { benchStep } = await import("../../tests/bench/step.ts");
    await benchStep(modelsOf(options.models), positive("rounds", options.rounds ?? "3"), options.python);
  } else if (name === "generate") {
    const { options } = readArgs(rest, { values: ["rounds", "models", "python"] });
    const { benchGenerate } = await import("../../tests/bench/generate.ts");
    await benchGenerate(modelsOf(options.models), positive("rounds", options.rounds ?? "3"), options.python);
  } else if (name === "eval") {
    const { options } = readArgs(rest, { values: ["rounds", "python"] });
    const { benchEval } = await import("../../tests/bench/eval.ts");
    await benchEval(positive("rounds", options.rounds ?? "3"), options.python);
  } else if (name === "workers") {
    const { options } = readArgs(rest, { values: ["rounds", "models"] });
    const { benchWorkers } = await import("../../tests/bench/workers.ts");
    await benchWorkers(modelsOf(options.models), positive("rounds", options.rounds ?? "3"));
  } else if (name === "growth") {
    const { options } = readArgs(rest, { values: ["rounds"] });
    const { benchGrowth } = await import("../../tests/bench/growth.ts");
    await benchGrowth(positive("rounds", options.rounds ?? "3"));
  } else if (name === "adaptation") {
    const { options } = readArgs(rest, { values: ["trials", "limit"] });
    const trials = positive("trials", options.trials ?? "3");
    const limit = options.limit === undefined ? null : positive("limit", options.limit);
    const { benchAdaptation } = await import("../../tests/bench/adaptation.ts");
    await benchAdaptation(trials, limit);
  } else if (name === "annealing") {
    const { options } = readArgs(rest, { values: ["seeds"] });
    const { benchAnnealing } = await import("../../tests/bench/annealing.ts");
    await benchAnnealing(options.seeds === undefined ? null : seedsOf(options.seeds));
  } else if (name === "scaling") {
    const { options } = readArgs(rest, { values: ["limit"] });
    const limit = options.limit === undefined ? null : positive("limit", options.limit);
    const stop = new AbortController();
    Deno.addSignalListener("SIGINT", () => stop.abort(new Error("stopped.")));
    const { benchScaling } = await import("../../tests/bench/scaling.ts");
    await benchScaling(limit, stop.signal);
  } else if (name === "data") {
    const { options } = readArgs(rest, { values: ["rounds", "passes"] });
    const rounds = positive("rounds", options.rounds ?? "3"),
      passes = positive("passes", options.passes ?? "3");
    const { benchData } = await import("../../tests/bench/data.ts");
    await benchData(rounds, passes);
  } else if (name === "teacher") {
    readArgs(rest, {});
    const { benchTeacher } = await import("../../tests/bench/teacher.ts");
    await benchTeacher();
  } else if (name === "judge") {
    const { options } = readArgs(rest, { values: ["items", "repeats"] });
    const items = positive("items", options.items ?? "300"),
      repeats = positive("repeats", options.repeats ?? "3");
    const { benchJudge } = await import("../../tests/bench/judge.ts");
    await benchJudge(items, repeats);
  } else if (name === "audit") {
    const { options, rest: [folder] } = readArgs(rest, { values: ["images", "series"], positional: [1, 1] });
    const { benchAudit } = await import("../../tests/bench/audit.ts");
    await benchAudit(folder, positive("images", options.images ?? "20000"), options.series);
  } else if (name === "faults") {
    const { options, rest: names } = readArgs(rest, {
      values: ["count"],
      switches: ["list"],
      positional: [0, Infinity],
    });
    const { benchFaults, CAMPAIGNS } = await import("../../tests/bench/faults.ts");
    if (options.list) return CAMPAIGNS.forEach((c) => console.log(`${c.name} (${c.count}): ${c.describe}`));
    const chosen = names.map((name) => {
      const found = CAMPAIGNS.find((campaign) => campaign.name === name);
      const known = CAMPAIGNS.map((campaign) => campaign.name).join(", ");
      if (!found) throw new UsageError(`there is no campaign "${name}"; expected some of ${known}.`);
      return found;
    });
    const count = options.count === undefined ? undefined : positive("count", options.count);
    const stop = new AbortController();
    Deno.addSignalListener("SIGINT", () => stop.abort(new Error("stopped.")));
    await benchFaults(chosen.length ? chosen : CAMPAIGNS, count, stop.signal);
  } else if (name === "filters") {
    const { benchFilters } = await import("../../tests/bench/filters.ts");
    await benchFilters(readArgs(rest, { positional: [1, 1] }).rest[0]);
  } else if (name === "checks") {
    const { options } = readArgs(rest, { values: ["seeds", "notebooks"] });
    const numbers = (await listNotebooks()).map((path) => basename(path).slice(0, 2));
    const chosen = options.notebooks?.split(",") ?? numbers, seeds = options.seeds ?? "1,2,3,4,5,6,7,8,9,10";
    const unknown = chosen.filter((one) => !numbers.includes(one));
    if (unknown.length > 0) {
      throw new UsageError(
        `--notebooks names ${unknown.join(", ")}; expected some of ${numbers.join(", ")}.`,
      );
    }
    const { benchChecks } = await import("../../tests/bench/checks.ts");
    await benchChecks(seedsOf(seeds), chosen);
  } else {
    throw new UsageError(
      `there is no benchmark "${
        name ?? ""
      }"; expected step, generate, eval, workers, growth, adaptation, annealing, scaling, data, teacher, judge, audit, faults, filters or checks.`,
    );
  }
}
