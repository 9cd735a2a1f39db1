import { MAX_ANSWER_CHARS, MAX_QUESTION_CHARS, type PairKind } from "./prompts.ts";
import { aspectOf, conceptsOf, fold, FUNCTION_WORDS, readEntities, words } from "./lexicon.ts";
import { isYesNo, type QaPair } from "./pair.ts";

/** What a filter may look at: the pair, what the teacher was told, and what it was asked for. */
export interface Candidate {
  pair: QaPair;
  /** Caption and fields as the teacher saw them. */
  known: string;
  kind: PairKind;
}

/** A rule that says why a pair is unfit, or null. */
export interface PairFilter {
  name: string;
  reason(candidate: Candidate): string | null;
}

/** Limits in words; the paper keeps answers under 60 words. */
const QUESTION_WORDS = { min: 3, max: 30 };
const ANSWER_WORDS = { min: 1, max: 59 };

const INTERROGATIVE =
  /^(what|which|where|how|who|when|why|is|are|was|were|does|do|did|can|could|has|have|in which|on which|at which|from which|with which)\b/i;

/** Is it a question, and does the answer fit the kind that was asked for? */
const form: PairFilter = {
  name: "form",
  reason({ pair, kind }) {
    if (!pair.question.endsWith("?")) return "the question does not end with a question mark";
    if (!INTERROGATIVE.test(pair.question)) return "no question word at the start";
    if (/[^\p{L}\p{N}\p{P}\p{Zs}+<>=°%\/]/u.test(pair.answer)) return "odd characters in the answer";
    if (/[{}\[\]<>|\\]/.test(pair.answer)) return "markup in the answer";
    const binary = aspectOf(pair.question) === "presence";
    if (kind === "yes-no" && !binary) return "not a yes-no question";
    if (binary && /\b(no|not|without)\b/i.test(pair.question)) return "a negated question";
    if (binary !== isYesNo(pair.answer)) {
      return binary ? "a yes-no question without yes or no" : "yes or no to an open question";
    }
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
    if (isYesNo(pair.answer)) return null;
    const asked = new Set(words(pair.question).map(fold));
    const told = contentWords(pair.answer);
    if (told.length === 0 || !told.every((word) => asked.has(word))) return null;
    const alternatives = /(\S+) or (?:on |in |at )?(?:the |an? )?(\S+)\?$/i.exec(pair.question);
    return alternatives ? null : "the question contains the answer";
  },
};

const INVISIBLE: readonly [RegExp, string][] = [
  [
    /\b(history|presented|presents|presenting|complain\w*|symptoms?|prior|previous(ly)?|follow-?up)\b/i,
    "history",
  ],
  [
    /\b(age|aged|years?|year-old|old|male|female|gender|sex|man|woman|boy|girl|patient['’]s name|name of the patient|race)\b/i,
    "demographics",
  ],
  [
    /\b(treat\w*|therap\w*|surger\w*|surgical|medication|drug|prognosis|procedure|operation|stage)\b/i,
    "treatment or outcome",
  ],
  [
    /\b(causes?|caused|cause of|reason|purpose|risk|incidence|prevalence|common(ly)?|likely)\b/i,
    "general knowledge",
  ],
  [/\b(who|doctor|physician|surgeon|hospital|author|article|study|caption|performed)\b/i, "people or papers"],
  [
    /\d+(\.\d+)?\s?(mm|cm|ml|%|hu|units?|inches)\b|\bhow (many|much|large|big|long|old)\b|\b(size|extent|diameter)\b/i,
    "measurements",
  ],
];

/** Is it about something that the image cannot show? (Teaching cases tell history and demographics as well.) */
const invisible: PairFilter = {
  name: "invisible",
  reason({ pair }) {
    const both = `${pair.question} ${pair.answer}`;
    return INVISIBLE.find(([pattern]) => pattern.test(both))?.[1] ?? null;
  },
};

/** Does the answer say what was asked for, e.g. a side to "which side"? Options are of one kind with the answer. */
const mismatch: PairFilter = {
  name: "mismatch",
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

/** Is all that the pair claims in the caption? For "no", something in the question must be missing from it. */
const unsupported: PairFilter = {
  name: "unsupported",
  reason({ pair, known }) {
    const affirmed = isYesNo(pair.answer) ? /^yes/i.test(pair.answer) : null;
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

/** In the order in which they are counted. A repeated question about one image is the last one, `duplicate`. */
export const FILTERS: readonly PairFilter[] = [form, length, leak, invisible, mismatch, unsupported, options];
