import { type Config, limited } from "../config/mod.ts";
import { type CorpusRecord, sampleRecords } from "../corpus/mod.ts";
import { code, fence, type Markdown, md } from "../jupyter/mod.ts";
import type { GroundTruth } from "../phantom/mod.ts";
import { factCheck } from "./fact_check.ts";
import type { QaPair } from "./pair.ts";
import type { PairPrompt } from "./prompts.ts";

/** How many captions the teacher gets, where there are so many; a limit holds for each of the two data sets. */
export function captionCount(config: Config): number {
  const { captions } = config.synthesis;
  return config.limit === null ? captions : 2 * limited(Math.floor(captions / 2), config);
}

/**
 * The captions that the teacher gets: at most half from MedPix, the rest from ROCOv2, chosen by seed. Phantoms: training
 * captions alone, since their validation and test questions come from ground truth; real data: all splits.
 */
export function captionsToAsk(
  records: readonly CorpusRecord[],
  config: Config,
): { cases: CorpusRecord[]; literature: CorpusRecord[] } {
  const wanted = captionCount(config);
  const open = records.filter((r) => config.corpora.source !== "phantom" || r.split === "train");
  const from = (dataset: string, count: number) =>
    sampleRecords(open.filter((r) => r.dataset === dataset), count, config.seed);
  const cases = from("medpix2", Math.floor(wanted / 2));
  return { cases, literature: from("roco_v2", wanted - cases.length) };
}

/** A prompt as Markdown, message by message. */
export const promptMarkdown = ({ version, messages }: PairPrompt): Markdown =>
  md`${code(version)}${messages.map(({ role, content }) => md`\n\n**${role}**${fence(content)}`)}`;

/** Pairs with what the ground truth says of them and their image's caption, the wrong ones first. */
export function judgedPairs(
  pairs: readonly QaPair[],
  records: readonly CorpusRecord[],
  truth: ReadonlyMap<string, GroundTruth>,
): { verdict: string; question: string; answer: string; caption: string | null }[] {
  const captionOf = new Map(records.map((r) => [r.imagePath, r.caption]));
  const order = ["contradicted", "unverifiable", "supported", "no ground truth"];
  return pairs.map((pair) => {
    const row = truth.get(pair.imagePath), { question, answer, imagePath } = pair;
    const verdict = row ? factCheck(pair, row) : "no ground truth";
    return { verdict, question, answer, caption: captionOf.get(imagePath) ?? null };
  }).sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}

/** Pairs per split, by data set and origin, with their share of all. */
export interface PairCount {
  /** The data set. */
  dataset: string;
  /** Who wrote the pairs. */
  origin: string;
  /** Pairs for training. */
  train: number;
  /** Pairs for validation. */
  validation: number;
  /** Pairs for the test. */
  test: number;
  /** Share of all pairs, 0 to 1. */
  share: number;
}

/** Counts pairs by data set, origin and split. */
export function countPairs(pairs: readonly QaPair[]): PairCount[] {
  return [...Map.groupBy(pairs, (p) => `${p.dataset} ${p.origin}`)].map(([, own]) => {
    const of = (split: string) => own.filter((p) => p.split === split).length;
    const { dataset, origin } = own[0], share = own.length / pairs.length;
    return { dataset, origin, train: of("train"), validation: of("validation"), test: of("test"), share };
  });
}
