import { exact, type Judge, judgeOpen, type JudgeVerdict } from "@lib/evaluation/mod.ts";
import { tokenF1 } from "@lib/evaluation/scorers.ts";
import { type AnswerPair, judgePairs, type PairChoice } from "./judge_pairs.ts";
import { type JudgeProbe, type ProbeKind, SYMMETRIC_KINDS } from "./judge_probes.ts";
import { captionFor, phantomOf } from "@lib/phantom/mod.ts";
import { clusteredKappa, clusteredShare, type Interval, mean } from "@lib/stats/mod.ts";

/** What a judge said of an answer; null where nothing could be read. */
export type Opinion = boolean | null;

/** Everything one judge said about the probes; all lists are in their order. */
export interface JudgeAnswers {
  model: string;
  standIn: boolean;
  /** Greedy, at temperature 0. */
  verdicts: Opinion[];
  /** At `REPEAT_TEMPERATURE`, one list for each seed. */
  repeats: Opinion[][];
  /** With reference and answer exchanged; not asked of kinds that this changes. */
  exchanged: (Opinion | "not asked")[];
  /** Of the wrong answers: beside a right one, in both orders. */
  pairs: PairChoice[];
  /** What the server refuses of the requests. */
  refused: string[];
}

export const REPEAT_TEMPERATURE = 0.7;

/** Each wrong answer beside a right one in other words than the reference's. */
export const probePairs = (probes: readonly JudgeProbe[]): AnswerPair[] =>
  probes.filter(({ correct }) => !correct).map(({ id, question, reference, answer, phantom }) => ({
    ...{ id, question, reference, wrong: answer },
    right: captionFor(phantomOf({ seed: phantom, split: "test" }), 1),
  }));

/** Asks one judge everything; what its journal holds is not asked again. @throws as `judgeOpen` and `judgePairs` */
export async function askJudge(
  probes: readonly JudgeProbe[],
  judge: Judge,
  { repeats, seed, journalPath, signal, onProgress }: {
    repeats: number;
    seed: number;
    journalPath: string;
    signal?: AbortSignal;
    onProgress?: (what: string, done: number, total: number) => void;
  },
): Promise<JudgeAnswers> {
  const options = (what: string) => ({
    ...{ journalPath, concurrency: judge.concurrency, signal },
    onProgress: ({ done, total }: { done: number; total: number }) => onProgress?.(what, done, total),
  });
  const refused = new Set<string>();
  const ask = async (
    what: string,
    some: readonly JudgeProbe[],
    textsOf: (probe: JudgeProbe) => { reference: string; answer: string },
    sampling: { seed: number; temperature?: number },
  ): Promise<Opinion[]> => {
    if (some.length === 0) return [];
    const items = some.map((probe) => ({
      ...{ id: probe.id, imageId: String(probe.phantom), question: probe.question },
      ...{ answer: textsOf(probe).reference, choices: null, answerType: "open" as const },
    }));
    const predictions = some.map((probe) => (
      { id: probe.id, run: 0, answer: textsOf(probe).answer, seed: null, cut: false }
    ));
    const found = await judgeOpen(items, predictions, judge, { ...options(what), ...sampling });
    found.forEach((verdict: JudgeVerdict) => verdict.refused.forEach((name) => refused.add(name)));
    return found.map(({ correct }) => correct);
  };
  const asIs = (probe: JudgeProbe) => probe;
  const verdicts = await ask("verdicts", probes, asIs, { seed });
  const symmetric = probes.filter(({ kind }) => SYMMETRIC_KINDS.has(kind));
  const back = await ask(
    "reference and answer exchanged",
    symmetric,
    ({ reference, answer }) => ({ reference: answer, answer: reference }),
    { seed },
  );
  const exchanged = new Map(symmetric.map(({ id }, i) => [id, back[i]]));
  const pairs = await judgePairs(probePairs(probes), judge, { ...options("pairs in both orders"), seed });
  const repeated: Opinion[][] = [];
  for (let i = 0; i < repeats; i++) {
    const sampling = { seed: seed + 1 + i, temperature: REPEAT_TEMPERATURE };
    repeated.push(await ask(`repeat ${i + 1}`, probes, asIs, sampling));
  }
  return {
    model: judge.model,
    standIn: judge.standIn,
    verdicts,
    repeats: repeated,
    exchanged: probes.map(({ id }) => exchanged.has(id) ? exchanged.get(id)! : "not asked"),
    pairs,
    refused: [...refused],
  };
}

/** How one way of judging did on the probes. Nothing read counts as an error. */
export interface Marks {
  items: number;
  unread: number;
  /** Right answers called correct, wrong ones called incorrect, and their mean. */
  sensitivity: Interval;
  specificity: Interval;
  balancedAccuracy: number;
  /** With the truth. */
  kappa: Interval;
}

/** The findings that probes are about: answers to the same reference are alike. */
const clustersOf = (probes: readonly JudgeProbe[]) => probes.map(({ reference }) => reference);

const isRight = ({ correct }: JudgeProbe, said: Opinion): number => Number(said === correct);

/** @throws RangeError without both right and wrong answers among the probes */
export function marksOf(probes: readonly JudgeProbe[], said: readonly Opinion[]): Marks {
  const shareOf = (correct: boolean) => {
    const places = [...probes.keys()].filter((i) => probes[i].correct === correct);
    const own = places.map((i) => probes[i]);
    return clusteredShare(places.map((i) => isRight(probes[i], said[i])), clustersOf(own));
  };
  const [sensitivity, specificity] = [shareOf(true), shareOf(false)];
  return {
    items: probes.length,
    unread: said.filter((opinion) => opinion === null).length,
    sensitivity,
    specificity,
    balancedAccuracy: (sensitivity.estimate + specificity.estimate) / 2,
    kappa: clusteredKappa(
      probes.map(({ correct }, i) => String(said[i] ?? !correct)),
      probes.map(({ correct }) => String(correct)),
      clustersOf(probes),
    ),
  };
}

/** Share of the answers of each kind that were judged rightly. */
export function marksByKind(
  probes: readonly JudgeProbe[],
  said: readonly Opinion[],
): { kind: ProbeKind; correct: boolean; items: number; unread: number; right: Interval }[] {
  const groups = Map.groupBy(probes.keys(), (i) => probes[i].kind);
  return [...groups].map(([kind, places]) => ({
    kind,
    correct: probes[places[0]].correct,
    items: places.length,
    unread: places.filter((i) => said[i] === null).length,
    right: clusteredShare(
      places.map((i) => isRight(probes[i], said[i])),
      places.map((i) => probes[i].reference),
    ),
  }));
}

/** Whether token F1 reaches a threshold that is best (balanced accuracy) for the other half of the references. */
export function tokenF1Verdicts(probes: readonly JudgeProbe[]): boolean[] {
  const references = [...new Set(clustersOf(probes))].sort();
  const half = new Map(references.map((reference, i) => [reference, i % 2]));
  const scores = probes.map(({ answer, reference }) =>
    tokenF1({ prediction: answer, answer: reference, choices: null, answerType: "open" })!
  );
  const best = [0, 1].map((own) => {
    const others = [...probes.keys()].filter((i) => half.get(probes[i].reference) !== own);
    const accuracy = (threshold: number) => {
      const rates = [true, false].map((correct) => {
        const some = others.filter((i) => probes[i].correct === correct);
        return some.length > 0 ? mean(some.map((i) => Number(scores[i] >= threshold === correct))) : 0;
      });
      return mean(rates);
    };
    const candidates = [...new Set(others.map((i) => scores[i])), Infinity];
    return candidates.toSorted((a, b) => accuracy(b) - accuracy(a) || a - b)[0];
  });
  return probes.map(({ reference }, i) => scores[i] >= best[half.get(reference)!]);
}

/** What judging is worth that needs no model, on the same probes. */
export const baselines = (probes: readonly JudgeProbe[]): Record<string, boolean[]> => ({
  "always correct": probes.map(() => true),
  "always incorrect": probes.map(() => false),
  "exact match": probes.map(({ answer, reference }) =>
    exact({ prediction: answer, answer: reference, choices: null, answerType: "open" }) === 1
  ),
  "token F1 above a threshold": tokenF1Verdicts(probes),
});

/** How far a judge's word depends on what must not matter; null where nothing was asked. */
export interface Steadiness {
  /** The same verdict in all repeats. */
  repeats: Interval | null;
  /** The same verdict with reference and answer exchanged: of equal meaning, and contradicting. */
  exchangedEqual: Interval | null;
  exchangedContradicting: Interval | null;
  /** Pairs: the right answer chosen in both orders, and the same place chosen in both. */
  rightInBoth: Interval | null;
  samePlace: Interval | null;
  pairsUnread: number;
}

export function steadinessOf(probes: readonly JudgeProbe[], said: JudgeAnswers): Steadiness {
  const share = (places: readonly number[], holds: (i: number) => boolean) =>
    places.length > 0
      ? clusteredShare(places.map((i) => Number(holds(i))), places.map((i) => probes[i].reference))
      : null;
  const all = [...probes.keys()], { repeats, exchanged, verdicts, pairs } = said;
  const asked = (correct: boolean) =>
    all.filter((i) => exchanged[i] !== "not asked" && probes[i].correct === correct);
  const pairOf = new Map(pairs.map((pair) => [pair.id, pair]));
  const paired = all.filter((i) => pairOf.has(probes[i].id)), of = (i: number) => pairOf.get(probes[i].id)!;
  return {
    repeats: repeats.length > 1
      ? share(all, (i) => repeats.every((list) => list[i] === repeats[0][i]))
      : null,
    exchangedEqual: share(asked(true), (i) => exchanged[i] === verdicts[i]),
    exchangedContradicting: share(asked(false), (i) => exchanged[i] === verdicts[i]),
    rightInBoth: share(paired, (i) => of(i).rightFirst === "A" && of(i).rightSecond === "B"),
    samePlace: share(paired, (i) => of(i).rightFirst !== null && of(i).rightFirst === of(i).rightSecond),
    pairsUnread: pairs.filter((pair) => pair.rightFirst === null || pair.rightSecond === null).length,
  };
}

/** Agreement of two judges on the same answers, right or wrong; what was not read is an opinion of its own. */
export const judgesAgree = (
  probes: readonly JudgeProbe[],
  first: readonly Opinion[],
  second: readonly Opinion[],
): Interval => clusteredKappa(first.map(String), second.map(String), clustersOf(probes));
