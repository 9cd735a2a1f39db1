import { yesOrNo } from "../stats/mod.ts";
import { type Aspect, aspectOf, type Entity, fold, FUNCTION_WORDS, readEntities, words } from "./lexicon.ts";
import type { QaPair } from "./pair.ts";

/** What is true about an image, as lib/phantom writes it. */
export interface TruthRow {
  /** What kind of picture it is. */
  modality: string;
  /** Part of the body. */
  region: string;
  /** Visible organs. */
  organs: readonly string[];
  /** Null without a lesion; then organ and side are null too. */
  lesion: string | null;
  /** Organ that the lesion lies in; null without one. */
  organ: string | null;
  /** Side of the lesion in an organ of which there are two; else null. */
  side: string | null;
  /** Side of the organs that lie on one side only. */
  organSide: Readonly<Record<string, string>>;
}

/**
 * supported: question and answer agree with the ground truth. contradicted: a fact is wrong, also one that the question
 * takes for granted. unverifiable: the pair is about something that the ground truth does not tell.
 */
export type FactVerdict = "supported" | "contradicted" | "unverifiable";

/** Words of questions that claim nothing by themselves. */
const NEUTRAL: ReadonlySet<string> = new Set(
  ("image imaged picture pictured scan scanned scanner name imaging modality technique type kind nature lesion abnormality abnormal finding body part region area " +
    "anatomical structure organ side located location position seen see visible shown show showing present affected affect " +
    "contain contains found find used use taken take was identified depicted depict displayed appear appears exam there patient")
    .split(" ").map(fold),
);

/**
 * Checks a pair's claim against an image's ground truth by rules over the words it names.
 *
 * Strict: a known word in the wrong place contradicts, an unknown content word leaves the pair unverifiable, and an
 * open question whose rule is known must be answered with the very fact.
 */
export function factCheck(pair: Pick<QaPair, "question" | "answer">, truth: TruthRow): FactVerdict {
  const asked = readEntities(pair.question);
  const aspect = aspectOf(pair.question);
  if (asked.rest.some((word) => !FUNCTION_WORDS.has(word) && !NEUTRAL.has(word) && word !== "normal")) {
    return "unverifiable";
  }
  const closed = yesOrNo(pair.answer);
  if (closed) {
    if (aspect !== "presence") return "unverifiable";
    const claim = claimOf(pair.question, asked.entities, truth);
    if (claim === null) return "unverifiable";
    return claim === (closed === "yes") ? "supported" : "contradicted";
  }
  if (aspect === null || aspect === "presence") return "unverifiable";
  const premise = asked.entities.filter((entity) => !(aspect === "side" && entity.kind === "side"));
  if (!agrees(premise, truth)) return "contradicted";
  return checkAnswer(pair, aspect, premise, truth);
}

function checkAnswer(
  pair: Pick<QaPair, "question" | "answer">,
  aspect: Exclude<Aspect, "presence">,
  premise: readonly Entity[],
  truth: TruthRow,
): FactVerdict {
  const { entities, rest } = readEntities(pair.answer);
  const normal = /\b(no|none|normal|without)\b/i.test(pair.answer);
  if (aspect === "side") {
    const organ = premise.find(({ kind }) => kind === "organ")?.concept;
    const lesionAsked = premise.some(({ kind }) => kind === "finding") ||
      /\b(lesion|abnormality|affected|finding)\b/i.test(pair.question);
    const side = organ && !lesionAsked
      ? truth.organSide[organ] ?? (truth.organ === organ ? truth.side : undefined)
      : lesionSide(truth);
    if (side === undefined) return "unverifiable";
    const sides = entities.filter(({ kind }) => kind === "side").map(({ concept }) => concept);
    const others = entities.filter(({ kind }) => kind !== "side");
    return sides.length === 1 && sides[0] === side && agrees(others, truth) ? "supported" : "contradicted";
  }
  if (aspect === "finding" && truth.lesion === null) return normal ? "supported" : "contradicted";
  if (normal) return "contradicted";
  const extra = rest.filter((word) => !FUNCTION_WORDS.has(word) && !NEUTRAL.has(word));
  const wanted: Record<typeof aspect, (string | null)[]> = {
    modality: [truth.modality],
    region: [truth.region],
    organ: premiseOnLesion(pair.question, premise) ? [truth.organ] : [truth.organ, ...truth.organs],
    finding: [truth.lesion],
  };
  const named = entities.some(({ concept, kind }) =>
    kind === aspect
      ? wanted[aspect].includes(concept)
      : aspect === "region" && kind === "organ" && truth.organs.includes(concept)
  );
  if (!named || !agrees(entities, truth)) return "contradicted";
  return extra.length > 0 ? "unverifiable" : "supported";
}

/** Side of the lesion: its own, or that of the organ where the body has only one. */
const lesionSide = (truth: TruthRow): string | null =>
  truth.side ?? truth.organSide[truth.organ ?? ""] ?? null;

function premiseOnLesion(question: string, premise: readonly Entity[]): boolean {
  return premise.some(({ kind }) => kind === "finding") ||
    /\b(lesion|abnormality|affected|finding|abnormal)\b/i.test(question);
}

/** Whether all facts named together are true of one image: the side is the lesion's, or the named organ's own. */
function agrees(entities: readonly Entity[], truth: TruthRow): boolean {
  const organs = entities.filter(({ kind }) => kind === "organ").map(({ concept }) => concept);
  const lesionNamed = entities.some(({ kind }) => kind === "finding");
  return entities.every(({ kind, concept }) => {
    if (kind === "modality") return concept === truth.modality;
    if (kind === "region") {
      return concept === truth.region || truth.organs.includes(concept === "head" ? "skull" : concept);
    }
    if (kind === "finding") return concept === truth.lesion;
    if (kind === "organ") {
      return lesionNamed
        ? concept === truth.organ
        : concept === truth.organ || truth.organs.includes(concept);
    }
    const [organ] = organs;
    if (lesionNamed || organ === undefined || organ === truth.organ) return concept === lesionSide(truth);
    return concept === truth.organSide[organ];
  });
}

/** Truth of a yes-no question's claim; null if the ground truth does not tell. */
function claimOf(question: string, entities: readonly Entity[], truth: TruthRow): boolean | null {
  const tokens = words(question);
  if (tokens.some((word) => ["no", "not", "without", "or"].includes(word))) return null;
  const abnormal = /\b(lesion|abnormality|abnormal|finding|affected)\b/i.test(question);
  const normal = tokens.includes("normal");
  if (normal) {
    return entities.every(({ kind }) => kind === "modality" || kind === "region") && agrees(entities, truth)
      ? truth.lesion === null
      : null;
  }
  if (!abnormal && entities.length === 0) return null;
  if (abnormal && truth.lesion === null) return false;
  const onLesion = abnormal && !entities.some(({ kind }) => kind === "finding") && truth.lesion !== null
    ? [...entities, { kind: "finding" as const, concept: truth.lesion }]
    : entities;
  return agrees(onLesion, truth);
}

/** Shares of verdicts among the pairs that were left at some point. */
export interface PrecisionRow {
  /** "none": as parsed; else the last filter applied. */
  after: string;
  /** Pairs that were checked. */
  pairs: number;
  /** Every fact in them is true. */
  supported: number;
  /** A fact in them is false. */
  contradicted: number;
  /** The truth says nothing of them. */
  unverifiable: number;
  /** supported / pairs, null without pairs. */
  precision: number | null;
  /** supported / (supported + contradicted), null if nothing could be verified. */
  precisionOfVerifiable: number | null;
}

/**
 * Precision of pairs against ground truth before filtering and after each filter in turn.
 *
 * @param pairs kept and dropped ones, with verdicts
 * @param filters names in the order in which they are applied
 * @param truthOf the ground truth of a pair's image, undefined where there is none (the pair is then not counted)
 */
export function precisionByFilter(
  pairs: readonly QaPair[],
  filters: readonly string[],
  truthOf: (pair: QaPair) => TruthRow | undefined,
): PrecisionRow[] {
  let left = pairs.flatMap((pair) => {
    const truth = truthOf(pair);
    return truth
      ? [{ verdict: factCheck(pair, truth), passed: JSON.parse(pair.verdicts) as Record<string, string> }]
      : [];
  });
  return ["none", ...filters].map((after) => {
    if (after !== "none") left = left.filter(({ passed }) => (passed[after] ?? "pass") === "pass");
    const count = (verdict: FactVerdict) => left.filter((item) => item.verdict === verdict).length;
    const [supported, contradicted, unverifiable] = [
      count("supported"),
      count("contradicted"),
      count("unverifiable"),
    ];
    return {
      after,
      pairs: left.length,
      supported,
      contradicted,
      unverifiable,
      precision: left.length > 0 ? supported / left.length : null,
      precisionOfVerifiable: supported + contradicted > 0 ? supported / (supported + contradicted) : null,
    };
  });
}
