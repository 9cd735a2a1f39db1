import { join } from "@std/path";
import { loadConfig, paths } from "@lib/config/mod.ts";
import { type Judge, openJudge } from "@lib/evaluation/mod.ts";
import { JUDGE_PROMPT_VERSION } from "@lib/evaluation/judge.ts";
import { namedJudge } from "@lib/evaluation/judge_cells.ts";
import { PAIR_PROMPT_VERSION } from "./judge_pairs.ts";
import { type JudgeProbe, judgeProbes, PROBE_KINDS } from "./judge_probes.ts";
import { percentText, tableMarkdown } from "@lib/report/mod.ts";
import type { Interval } from "@lib/stats/mod.ts";
import { UsageError } from "@lib/cli/command.ts";
import { writeBench } from "./files.ts";
import { describeMachine, load, type Machine, machine } from "./machine.ts";
import { liveLine } from "@lib/cli/support/live_line.ts";
import { formatSeconds } from "@lib/cli/support/time.ts";
import { untilSignal } from "@lib/cli/support/until_signal.ts";
import {
  askJudge,
  baselines,
  type JudgeAnswers,
  judgesAgree,
  type Marks,
  marksByKind,
  marksOf,
  REPEAT_TEMPERATURE,
  steadinessOf,
} from "./judge_study.ts";

/** What results/local/bench/judge.json holds; the lists of a judge are in the order of the probes. */
export interface JudgeReport {
  machine: Machine;
  startedAt: string;
  load: { before: number; after: number };
  seed: number;
  prompts: string[];
  probes: JudgeProbe[];
  judges: JudgeAnswers[];
}

/** The lower end of kappa's interval that a judge needs before its numbers say anything about a model. */
export const NEEDED_KAPPA = 0.8;

/** What the rule says of a judge, in a sentence. */
export function judgeVerdict(kappa: Interval): string {
  if (!(kappa.low > 0)) {
    return "worthless: its kappa is not above chance. None of its numbers may be printed as a result.";
  }
  return kappa.low >= NEEDED_KAPPA
    ? "fit: its numbers may be printed, with this kappa beside them."
    : `unfit: it knows something, but the lower end of its kappa is below ${NEEDED_KAPPA}. Its numbers say too little about a model.`;
}

const kappaText = ({ estimate, low, high }: Interval) =>
  Number.isNaN(estimate) ? "not defined" : `${estimate.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;

const marksRow = (name: string, marks: Marks) => ({
  "who judges": name,
  "right answers called correct": percentText(marks.sensitivity),
  "wrong answers called incorrect": percentText(marks.specificity),
  "balanced accuracy": `${(100 * marks.balancedAccuracy).toFixed(1)}%`,
  "kappa with the truth": kappaText(marks.kappa),
  unread: marks.unread,
});

const nameOf = ({ model, standIn }: JudgeAnswers) => standIn ? `${model} (the embedded stand-in)` : model;

/** One judge's part of the report. */
function judgeText(probes: readonly JudgeProbe[], said: JudgeAnswers): string {
  const steady = steadinessOf(probes, said), { kappa } = marksOf(probes, said.verdicts);
  const shareText = (share: Interval | null) => share ? percentText(share) : null;
  const rows = [
    [`same verdict in ${said.repeats.length} repeats at temperature ${REPEAT_TEMPERATURE}`, steady.repeats],
    ["same verdict when reference and answer change places, equal meaning", steady.exchangedEqual],
    ["same verdict when reference and answer change places, contradicting", steady.exchangedContradicting],
    ["of two answers, the right one chosen in both orders", steady.rightInBoth],
    ["of two answers, the same place chosen in both orders", steady.samePlace],
  ] as const;
  const byKind = marksByKind(probes, said.verdicts).toSorted((a, b) =>
    Number(b.correct) - Number(a.correct) || (a.kind < b.kind ? -1 : 1)
  );
  const refused = said.refused.length > 0 ? `The server refuses: ${said.refused.join(", ")}.\n\n` : "";
  return `## ${nameOf(said)}

**${judgeVerdict(kappa)}** (kappa ${kappaText(kappa)})

${
    tableMarkdown(byKind.map(({ kind, correct, items, unread, right }) => ({
      "kind of answer": kind,
      truth: correct ? "correct" : "incorrect",
      answers: items,
      "judged rightly": percentText(right),
      unread,
    }))).trim()
  }

${tableMarkdown(rows.map(([what, share]) => ({ what, share: shareText(share) }))).trim()}

${refused}Pairs without a choice that could be read: ${steady.pairsUnread} of ${said.pairs.length}; they count as neither.
`;
}

/** The report as Markdown. */
export function judgeReportText({ probes, judges, prompts, seed, machine, load }: JudgeReport): string {
  const right = probes.filter(({ correct }) => correct).length;
  const all = [
    ...judges.map((said) => marksRow(nameOf(said), marksOf(probes, said.verdicts))),
    ...Object.entries(baselines(probes)).map(([name, said]) => marksRow(name, marksOf(probes, said))),
  ];
  const [first, second] = judges;
  const between = second
    ? `Kappa of the two judges with each other: ${
      kappaText(judgesAgree(probes, first.verdicts, second.verdicts))
    }.\n\n`
    : "";
  return `# Judges on answers of known verdict

${probes.length} answers to open questions about phantoms, ${right} correct and ${
    probes.length - right
  } incorrect, made from what is true of
the phantoms, with nothing of a model in them (seed ${seed}; prompts ${
    prompts.join(", ")
  }). A reply without a verdict counts as an error.
Brackets: 95 % intervals; answers with the same reference count as alike. The threshold of token F1 is chosen on other references.

The rule: a judge whose kappa has a lower end of 0 or less is worthless; one with a lower end of ${NEEDED_KAPPA} or more is fit; what lies
between is unfit. These answers leave nothing to opinion: a judge does hardly better on real ones.

${tableMarkdown(all).trim()}

${between}${judges.map((said) => judgeText(probes, said)).join("\n")}
${describeMachine(machine)}. Load of the machine ${load.before.toFixed(1)} before, ${
    load.after.toFixed(1)
  } after.
`;
}

/**
 * `./lab bench judge`: has the configured judge, and a second one where JUDGE2_URL names it, judge answers of known verdict; what
 * they have said lies in results/local/bench/judge.jsonl and is not asked again.
 *
 * @throws as `judgeProbes` and `openJudge`
 */
export async function benchJudge(items: number, repeats: number): Promise<void> {
  if (items < PROBE_KINDS.length) {
    throw new UsageError(`--items is ${items}; expected at least ${PROBE_KINDS.length}, one of every kind.`);
  }
  const config = loadConfig(), { seed } = config, start = performance.now();
  const probes = judgeProbes(items, seed), before = load(), startedAt = new Date().toISOString();
  const journalPath = join(paths.results, "bench", "judge.jsonl");
  await untilSignal("stopped; what was judged is kept, the same command goes on.", async (signal) => {
    const judges: JudgeAnswers[] = [];
    const ask = async (judge: Judge) => {
      using line = liveLine();
      const onProgress = (what: string, done: number, total: number) =>
        line.show(() => `${judge.model}, ${what}: ${done} of ${total}`);
      judges.push(await askJudge(probes, judge, { repeats, seed, journalPath, signal, onProgress }));
    };
    const second = namedJudge(config, "JUDGE2"), judge = await openJudge(config, { signal });
    try {
      await ask(judge);
    } finally {
      await judge.stop();
    }
    if (second) await ask(second);
    const prompts = [JUDGE_PROMPT_VERSION, PAIR_PROMPT_VERSION], here = await machine();
    const report: JudgeReport = {
      ...{ machine: here, startedAt, load: { before, after: load() }, seed, prompts, probes, judges },
    };
    const text = judgeReportText(report);
    console.log(`${text}\n${formatSeconds((performance.now() - start) / 1000)}.`);
    console.log(
      `Written to ${await writeBench("judge", report, text)}, with all verdicts in the .json beside it.`,
    );
  });
}
