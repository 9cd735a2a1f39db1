import { rouge, yesOrNo } from "../stats/mod.ts";
import { evidence } from "./evidence.ts";
import { invisible, unanswerable } from "./invisible.ts";
import { isEnglish } from "./language.ts";
import { MAX_ANSWER_CHARS, MAX_QUESTION_CHARS, type PairKind } from "./prompts.ts";
import {
  aspectOf,
  conceptsOf,
  type EntityKind,
  fold,
  FUNCTION_WORDS,
  readEntities,
  words,
} from "./lexicon.ts";
import type { QaPair } from "./pair.ts";
import type { Decision } from "./review_file.ts";

/** What a filter may look at: the pair, what the teacher was told, and what it was asked for. */
export interface Candidate {
  /** The pair. */
  pair: QaPair;
  /** Caption and fields as the teacher saw them. */
  known: string;
  /** Its kind. */
  kind: PairKind;
  /** What the teacher said when it was asked to check the pair: "pass" or the reason why not; null if it was not asked. */
  checked?: string | null;
  /** What a person said. Pairs that a person has accepted or edited are not judged by filters. */
  decision?: Decision;
}

/** A rule that says why a pair is unfit, or null. */
export interface PairFilter {
  /** Name of the filter. */
  name: string;
  /** Why the pair is dropped; null if it passes. */
  reason(candidate: Candidate): string | null;
}

/** Limits in words; the paper keeps answers under 60 words. */
const QUESTION_WORDS = { min: 3, max: 30 };
const ANSWER_WORDS = { min: 1, max: 59 };

/** Begins as a question, also after "In this image, ", or asks with a question word further on ("The mass is located where?"). */
const INTERROGATIVE =
  /^((in|on|at) (this|the) \w+,? )?(is|are|was|were|does|do|did|can|could|has|have|had|will|would|should|may|might|any)\b|\b(what|which|where|how|who|whose|when|why)\b/i;

/** Are question and answer in English, as was asked for? */
const language: PairFilter = {
  name: "language",
  reason: ({ pair }) => isEnglish(`${pair.question} ${pair.answer}`) ? null : "not in English",
};

/** Is it a question, and does the answer fit the kind that was asked for? */
const form: PairFilter = {
  name: "form",
  reason({ pair, kind }) {
    if (!pair.question.endsWith("?")) return "the question does not end with a question mark";
    if (!INTERROGATIVE.test(pair.question)) return "no question word";
    if (/[^\p{L}\p{N}\p{P}\p{M}\p{Zs}+<>=~×±≤≥°%\/]/u.test(pair.answer)) {
      return "odd characters in the answer";
    }
    if (/[{}\[\]|\\]|<\/?[a-z]/i.test(pair.answer)) return "markup in the answer";
    const binary = aspectOf(pair.question) === "presence" && !/\bor\b/i.test(pair.question);
    if (kind === "yes-no" && !binary) return "not a yes-no question";
    if (binary && /\b(no|not|without)\b/i.test(pair.question)) return "a negated question";
    const closed = kind === "yes-no" ? yesOrNo(pair.answer) !== null : /^(yes|no)\b/i.test(pair.answer);
    if (binary && !closed) return "a yes-no question without yes or no";
    if (closed && aspectOf(pair.question) !== "presence") return "yes or no to an open question";
    if (kind === "choice") {
      const distinct = new Set(pair.choices?.map((choice) => words(choice).join(" ")));
      if (distinct.size !== 4 || distinct.has("")) return "not four different options";
      if (!pair.choices!.includes(pair.answer)) return "the answer is not among the options";
    }
    return null;
  },
};

/** Neither too short to mean something, nor too long to be an answer, nor cut by the schema. */
const length: PairFilter = {
  name: "length",
  reason({ pair }) {
    const cut = pair.question.length >= MAX_QUESTION_CHARS ||
      (pair.choices ?? []).some((choice) => choice.length >= MAX_ANSWER_CHARS);
    if (cut) return "cut at the schema's limit";
    const asked = words(pair.question).length, answered = words(pair.answer).length;
    if (asked < QUESTION_WORDS.min || asked > QUESTION_WORDS.max) return `a question of ${asked} words`;
    if (answered < ANSWER_WORDS.min || answered > ANSWER_WORDS.max) return `an answer of ${answered} words`;
    return null;
  },
};

/** Does the question give the answer away? "Left or right?" names both and is allowed; yes-no questions cannot leak. */
const leak: PairFilter = {
  name: "leak",
  reason({ pair }) {
    if (yesOrNo(pair.answer)) return null;
    const asked = new Set(words(pair.question).map(fold));
    const told = contentWords(pair.answer);
    if (told.length === 0 || !told.every((word) => asked.has(word))) return null;
    return /\bor\b/i.test(pair.question) ? null : "the question contains the answer";
  },
};

/**
 * ROUGE F1 above which an answer repeats its question. Of the 4,550 open answers that people wrote in SLAKE (English) and
 * VQA-RAD, 3 lie above it (mean 0.02); in the authors' ROCO set the mean is 0.37.
 */
export const MAX_COPY = 0.4;

/**
 * How much of the answer is a copy of the question: the larger of ROUGE-1 and ROUGE-L.
 *
 * @example An answer that repeats its question
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { questionCopy } from "@lib/synthesis/mod.ts";
 *
 * assertEquals(questionCopy({ question: "the left lung", answer: "the left lung" }), 1);
 * assertEquals(questionCopy({ question: "Which organ?", answer: "liver" }), 0);
 * ```
 */
export function questionCopy({ question, answer }: Pick<QaPair, "question" | "answer">): number {
  const { rouge1, rougeL } = rouge(question, answer);
  return Math.max(rouge1, rougeL);
}

/** Does a free answer mostly repeat the question? Whoever copies the question would then score. */
const copy: PairFilter = {
  name: "copy",
  reason({ pair, kind }) {
    return kind === "open" && questionCopy(pair) > MAX_COPY ? "the answer repeats the question" : null;
  },
};

/** Kinds of words, one of which an answer has that says what was asked for. */
const FITTING: Record<EntityKind, readonly EntityKind[]> = {
  side: ["side"],
  modality: ["modality"],
  region: ["region", "organ", "side"],
  organ: ["organ", "region", "side"],
  finding: ["finding"],
};

/**
 * Is the answer of another kind than what was asked for, e.g. an organ to "which side"? Said only where the question's
 * wording is known and every word of the answer is: an answer in other words may fit.
 */
const mismatch: PairFilter = {
  name: "mismatch",
  reason({ pair }) {
    const aspect = aspectOf(pair.question);
    if (aspect === null || aspect === "presence") return null;
    const { entities, rest } = readEntities(pair.answer);
    if (entities.length === 0 || rest.some((word) => !FUNCTION_WORDS.has(word))) return null;
    if (aspect === "finding" && isNormal(pair.answer)) return null;
    const fits = entities.some(({ kind }) => FITTING[aspect].includes(kind));
    return fits ? null : `asks for ${aspect}, answered with ${entities[0].kind}`;
  },
};

/** Captions that say all there is: is it clear what the question asks for, and does the answer say just that? */
const unclear: PairFilter = {
  name: "unclear",
  reason({ pair }) {
    const aspect = aspectOf(pair.question);
    if (aspect === null) return "unclear what the question asks for";
    if (aspect === "presence") return null;
    const kinds = new Set(readEntities(pair.answer).entities.map((entity) => entity.kind));
    const fits = kinds.has(aspect) ||
      (aspect === "organ" && kinds.has("region") && /\b(where|locat)/i.test(pair.question)) ||
      (aspect === "region" && kinds.has("organ")) || (aspect === "finding" && isNormal(pair.answer));
    if (!fits) return `asks for ${aspect}, answered otherwise`;
    if (aspect === "finding" && (kinds.has("modality"))) return "asks for finding, answered with a modality";
    return null;
  },
};

/** Captions that say all there is: is all that the pair claims in the caption? For "no", something in the question must be missing from it. */
const unsupported: PairFilter = {
  name: "unsupported",
  reason({ pair, known }) {
    const closed = yesOrNo(pair.answer), affirmed = closed && closed === "yes";
    const asked = unknownIn(pair.question, known, aspectOf(pair.question) === "side");
    if (affirmed !== null) {
      const normal = /\bnormal\b/i.test(pair.question);
      const judged = normal || /\b(lesion|abnormality|abnormal|finding|affected)\b/i.test(pair.question);
      const agrees = !judged || isNormal(known) === normal;
      if (affirmed && !agrees) return "affirms what the caption denies";
      if (!affirmed && asked.concepts.length === 0 && agrees) {
        return judged || readEntities(pair.question).entities.length > 0
          ? "denies what the caption says"
          : "no claim to deny";
      }
      if (!affirmed) return null;
    }
    const answered = affirmed === null ? unknownIn(pair.answer, known, false) : { concepts: [], words: [] };
    const open = [...answered.concepts, ...asked.concepts, ...answered.words, ...asked.words];
    return open.length === 0 ? null : `not in the caption: ${[...new Set(open)].slice(0, 3).join(", ")}`;
  },
};

/** Is a wrong option right as well, by the caption or as another word for the answer? */
const options: PairFilter = {
  name: "options",
  reason({ pair, known }) {
    const aspect = aspectOf(pair.question);
    if (!pair.choices || aspect === null || aspect === "presence") return null;
    const told = new Set(conceptsOf(`${known} ${pair.answer}`, aspect));
    const right = pair.choices.filter((choice) =>
      choice !== pair.answer && conceptsOf(choice, aspect).some((concept) => told.has(concept))
    );
    return right.length > 0 ? `another option is right: ${right[0]}` : null;
  },
};

/** Concepts and content words of a text that the caption does not have. */
function unknownIn(
  text: string,
  known: string,
  ignoreSides: boolean,
): { concepts: string[]; words: string[] } {
  const told = new Set(contentWords(known));
  const concepts = new Set(readEntities(known).entities.map((entity) => entity.concept));
  const { entities, rest } = readEntities(text);
  return {
    concepts: entities.filter(({ kind, concept }) =>
      !concepts.has(concept) && !(ignoreSides && kind === "side")
    )
      .map(({ concept }) => concept),
    words: rest.filter((word) => !FUNCTION_WORDS.has(word) && !GENERIC.has(word) && !told.has(word)),
  };
}

/** Words that questions use and captions need not. */
const GENERIC: ReadonlySet<string> = new Set(
  ("image imaged picture pictured scan scanned scanner name imaging photo figure exam examination study body part region area anatomical anatomy structure organ lesion " +
    "abnormality abnormal abnormalities finding type kind nature side located location located seen see visible shown show showing " +
    "present affected affect contain contains contained containing used use taken take modality technique found find " +
    "identified identify depicted depict displayed appear apparent normal position patient")
    .split(" ").map(fold),
);

function contentWords(text: string): string[] {
  return words(text).map(fold).filter((word) => !FUNCTION_WORDS.has(word));
}

/** Whether a text says that nothing is wrong. */
function isNormal(text: string): boolean {
  return /\b(no (lesion|abnormalit|finding|evidence)|normal|unremarkable|without (a |any )?lesion)/i.test(
    text,
  );
}

/**
 * The rules for any text, in the order in which they are counted. Each says only what words can tell; whether a text
 * supports a claim is for the language model's check.
 */
export const FILTERS: readonly PairFilter[] = [
  language,
  form,
  length,
  leak,
  copy,
  invisible,
  unanswerable,
  mismatch,
  evidence,
  options,
];

/**
 * Further rules for captions that are complete and use few words, as those of phantoms do: what these do not say is not so,
 * and what these rules do not understand is dropped. Of real captions that would take most sound pairs.
 */
const COMPLETE_CAPTION_FILTERS: readonly PairFilter[] = [unclear, unsupported];

/** The rules for captions that are complete, or for any. */
export const filtersFor = (
  { completeCaptions = false }: { completeCaptions?: boolean },
): readonly PairFilter[] => completeCaptions ? [...FILTERS, ...COMPLETE_CAPTION_FILTERS] : FILTERS;
