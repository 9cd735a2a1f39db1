import { shuffle } from "../config/mod.ts";
import { captionFor } from "./captions.ts";
import type { Phantom } from "./draw.ts";
import {
  type Label,
  LESION_ORGANS,
  LESIONS,
  MEASURED,
  MODALITIES,
  type Organ,
  ORGAN_SIDE,
  ORGANS,
  pick,
  placeOf,
  REGIONS,
} from "./names.ts";

/** Questions that a picture without lesion answers too. */
export const ANATOMY_TYPES = ["modality", "region", "organ_yn", "enlarged"] as const;
/** Questions about a lesion. */
export const LESION_TYPES = ["presence", "side", "type", "organ"] as const;
/** All question types; "open" is answered by a whole caption. */
export const QUESTION_TYPES = [...ANATOMY_TYPES, ...LESION_TYPES, "open"] as const;
/** One of {@linkcode QUESTION_TYPES}. */
export type QuestionType = typeof QUESTION_TYPES[number];

/** Types that exist with four options. */
export const CHOICE_TYPES = ["modality", "region", "type", "organ", "side"] as const;
/** One of {@linkcode CHOICE_TYPES}. */
export type ChoiceType = typeof CHOICE_TYPES[number];

/** What questions and captions speak of: a phantom, or a row of ground_truth.jsonl. */
export type Findings = Pick<
  Phantom,
  "modality" | "region" | "organs" | "lesion" | "organ" | "side" | "enlarged"
>;

/** A question with its true answer. */
export interface Question {
  /** What is asked about. */
  type: QuestionType;
  /** The question. */
  question: string;
  /** The true answer. */
  answer: string;
  /** Four options, one of which is the answer; only for multiple choice. */
  choices?: string[];
}

/** Three phrasings for training and, last, one that is held out. ORGAN is replaced. */
const PHRASINGS: Record<QuestionType, readonly [string, string, string, string]> = {
  modality: [
    "what modality is this image?",
    "which modality was used?",
    "how was this image taken?",
    "what kind of image is this?",
  ],
  region: [
    "what body part is shown?",
    "which region is imaged?",
    "what region is this?",
    "which body part was imaged?",
  ],
  organ_yn: [
    "is the ORGAN visible?",
    "does the image show the ORGAN?",
    "can the ORGAN be seen?",
    "is the ORGAN shown?",
  ],
  enlarged: [
    "is the ORGAN enlarged?",
    "is the ORGAN larger than normal?",
    "is the size of the ORGAN increased?",
    "does the ORGAN look enlarged?",
  ],
  presence: [
    "is there a lesion?",
    "does the image show a lesion?",
    "is the image abnormal?",
    "can a lesion be seen?",
  ],
  side: [
    "which side is the lesion on?",
    "on which side is the lesion?",
    "where is the lesion, left or right?",
    "what side is the lesion on?",
  ],
  type: [
    "what type of lesion is shown?",
    "what kind of lesion is this?",
    "what is the lesion?",
    "which type of lesion can be seen?",
  ],
  organ: [
    "which organ is affected?",
    "where is the lesion located?",
    "in which organ is the lesion?",
    "what organ is the lesion in?",
  ],
  open: [
    "describe the image.",
    "what does the image show?",
    "what are the findings?",
    "what is shown?",
  ],
};

/** With options, "side" asks for side and organ together: "left lung", "liver". */
const CHOICE_SIDE: readonly [string, string, string, string] = [
  "what is the location of the lesion?",
  "where is the lesion?",
  "which location is affected?",
  "in which location is the lesion?",
];

const phrase = (phrasings: readonly string[], heldOut: boolean, random: () => number) =>
  heldOut ? phrasings[3] : phrasings[Math.floor(random() * 3)];

/**
 * A question about a phantom with its true answer, or null where the type does not apply (a lesion's side without a
 * lesion, or of one in the liver).
 * @param heldOut use the phrasing that training never sees
 *
 * @example A question about the modality
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { rng } from "@lib/config/mod.ts";
 * import { drawPhantom, questionFor } from "@lib/phantom/mod.ts";
 *
 * const phantom = drawPhantom(42, "generic");
 * assertEquals(questionFor(phantom, "modality", rng(1))?.answer, phantom.modality);
 * ```
 */
export function questionFor(
  phantom: Findings,
  type: QuestionType,
  random: () => number,
  { heldOut = false }: { heldOut?: boolean } = {},
): Question | null {
  const text = phrase(PHRASINGS[type], heldOut, random);
  const ask = (answer: string | null, organ?: Label): Question | null =>
    answer === null ? null : { type, question: organ ? text.replace("ORGAN", organ) : text, answer };
  switch (type) {
    case "modality":
    case "region":
    case "side":
    case "organ":
      return ask(phantom[type]);
    case "type":
      return ask(phantom.lesion);
    case "presence":
      return ask(phantom.lesion ? "yes" : "no");
    case "organ_yn": {
      const yes = random() < 0.5;
      const organ = pick(ORGANS.filter((o) => phantom.organs.includes(o) === yes), random);
      return ask(yes ? "yes" : "no", organ);
    }
    case "enlarged":
      return ask(phantom.enlarged ? "yes" : "no", MEASURED[phantom.region]);
    case "open":
      return ask(captionFor(phantom));
  }
}

/**
 * A question with four options in random order; the answer is one of the options. "type" is asked without a lesion
 * too: the answer is then "no lesion".
 */
export function choiceQuestionFor(
  phantom: Findings,
  type: ChoiceType,
  random: () => number,
  { heldOut = false }: { heldOut?: boolean } = {},
): Question | null {
  const question = phrase(type === "side" ? CHOICE_SIDE : PHRASINGS[type], heldOut, random);
  const ask = (answer: string, others: readonly string[]): Question => {
    const wrong = shuffle(others.filter((o) => o !== answer), random).slice(0, 3);
    return { type, question, answer, choices: shuffle([answer, ...wrong], random) };
  };
  if (type === "modality") return ask(phantom.modality, [...MODALITIES, "ultrasound"]);
  if (type === "region") return ask(phantom.region, [...REGIONS, "pelvis"]);
  if (type === "type") return ask(phantom.lesion ?? "no lesion", [...LESIONS, "no lesion"]);
  const { organ, side } = phantom;
  if (organ === null) return null;
  if (type === "organ") return ask(organ, LESION_ORGANS);
  // The other side and the region's other organs first: the region should tell as little as it can.
  const near = PLACES.filter((place) =>
    place.organ === organ || (IN_ABDOMEN.has(organ) && IN_ABDOMEN.has(place.organ))
  );
  const others = near.map(placeOf).filter((place) => place !== placeOf({ organ, side }));
  const far = shuffle(PLACES.filter((place) => !near.includes(place)), random).map(placeOf);
  return ask(placeOf({ organ, side })!, [...others, ...far].slice(0, 3) as string[]);
}

/** All places of lesions. */
const PLACES = LESION_ORGANS.flatMap((organ): Pick<Findings, "organ" | "side">[] =>
  ORGAN_SIDE[organ] ? [{ organ, side: null }] : (["left", "right"] as const).map((side) => ({ organ, side }))
);
const IN_ABDOMEN: ReadonlySet<Organ | null> = new Set(["liver", "spleen", "kidney"]);

const escaped = (text: string) => text.replace(/[.?*+^$()|[\]\\]/g, "\\$&");

/** Every phrasing as a pattern; the group is the organ asked about. */
const PATTERNS: readonly { type: QuestionType; withOrgan: boolean; pattern: RegExp }[] = [
  ...QUESTION_TYPES.flatMap((type) => PHRASINGS[type].map((text) => ({ type, text, withOrgan: false }))),
  ...CHOICE_SIDE.map((text) => ({ type: "side" as const, text, withOrgan: true })),
].map(({ type, text, withOrgan }) => ({
  type,
  withOrgan,
  pattern: new RegExp(
    `^${
      escaped(text).replace(
        "ORGAN",
        `(${(type === "enlarged" ? Object.values(MEASURED) : ORGANS).join("|")})`,
      )
    }$`,
  ),
}));

/** The type of a question that questionFor or choiceQuestionFor asks; null for any other question. */
export function questionTypeOf(question: string): QuestionType | null {
  return PATTERNS.find(({ pattern }) => pattern.test(question))?.type ?? null;
}

/**
 * The type of a question that questionFor or choiceQuestionFor asks, and the true answer; null for any other question.
 * The answer is null where the findings do not tell (the side of a lesion without a lesion or in the liver, the size of
 * what is not there) and for "open", which has four wordings.
 */
export function trueAnswer(
  question: string,
  findings: Findings,
): { type: QuestionType; answer: string | null } | null {
  for (const { type, withOrgan, pattern } of PATTERNS) {
    const match = pattern.exec(question);
    if (match) return { type, answer: answerOf(type, findings, match[1] as Label | undefined, withOrgan) };
  }
  return null;
}

function answerOf(
  type: QuestionType,
  findings: Findings,
  asked: Label | undefined,
  withOrgan: boolean,
): string | null {
  const { modality, region, organs, lesion, organ, side, enlarged } = findings;
  switch (type) {
    case "modality":
      return modality;
    case "region":
      return region;
    case "organ_yn":
      return organs.includes(asked!) ? "yes" : "no";
    case "enlarged":
      return asked === MEASURED[region] ? (enlarged ? "yes" : "no") : null;
    case "presence":
      return lesion ? "yes" : "no";
    case "side":
      return withOrgan ? placeOf(findings) : side;
    case "type":
      return lesion ?? "no lesion";
    case "organ":
      return organ;
    case "open":
      return null;
  }
}
