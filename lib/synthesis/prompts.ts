import type { Message } from "../llm/mod.ts";
import type { CorpusRecord } from "../corpus/mod.ts";
import { conceptsOf, type EntityKind } from "./lexicon.ts";

/** Where the caption comes from: a teaching case (MedPix) or a figure of an article (ROCO). Paper figures 8 and 9. */
export type Family = "case" | "literature";
/** Free answer, yes or no, or one of four options. */
export type PairKind = "open" | "yes-no" | "choice";
/** What the question is to be about. */
export type Topic = EntityKind;

/** All kinds, in the order in which they are asked for. */
export const PAIR_KINDS: readonly PairKind[] = ["open", "yes-no", "choice"];

/** The kinds that a teacher is asked for: the embedded one almost never writes four usable options. */
export const kindsFor = (embedded: boolean): readonly PairKind[] =>
  embedded ? PAIR_KINDS.filter((kind) => kind !== "choice") : PAIR_KINDS;

/** v2 of yes-no: all worked examples have the answer that is wanted (with one "no" of three, few "no" pairs were true). */
const VERSIONS: Record<PairKind, string> = { open: "v1", "yes-no": "v2", choice: "v1" };
const TOPICS: readonly Topic[] = ["finding", "organ", "side", "modality", "region"];

/** A prompt for one pair. */
export interface PairPrompt {
  /** E.g. "case-open-v1"; a changed wording gets a new version. */
  version: string;
  /** Kind of pair that is asked for. */
  kind: PairKind;
  /** What it is to be about. */
  topic: Topic;
  /** The answer that a yes-no question must have. */
  wanted: "yes" | "no" | null;
  /** The conversation. */
  messages: Message[];
  /** Form that the reply must have. */
  schema: { name: string; schema: Record<string, unknown> };
}

/** Longest question and answer that the schema allows, in characters. */
export const MAX_QUESTION_CHARS = 120;
export const MAX_ANSWER_CHARS = 80;

const RULES: Record<Family, string> = {
  case:
    "You write exam questions for radiology students from teaching cases. You get what is known about one image.",
  literature:
    "You write exam questions about figures of medical articles. You get the caption of one radiology image.",
};
const TASK: Record<PairKind, string> = {
  open:
    "Write one question that can be answered by looking at the image, and its short answer. Take the answer from the caption.",
  "yes-no":
    "Write one yes-no question that can be answered by looking at the image. You are told which answer must be right.",
  choice:
    "Write one question that can be answered by looking at the image, its short answer from the caption, and three wrong answers.",
};
const LIMITS =
  "Ask only about what the picture itself shows. Do not put the answer into the question. Reply with JSON.";

const NAMES: Record<Topic, string> = {
  finding: "the abnormality",
  organ: "the organ",
  side: "the side",
  modality: "the imaging modality",
  region: "the body region",
};

/** Made-up captions for the worked examples; none of their facts occurs in the phantoms. */
const EXAMPLES: readonly { caption: string; header: string; facts: Record<Topic, string> }[] = [
  {
    caption: "ultrasound of the neck with a mass in the left thyroid",
    header: "Modality: Ultrasound\nLocation: Neck",
    facts: { finding: "mass", organ: "thyroid", side: "left", modality: "ultrasound", region: "neck" },
  },
  {
    caption: "radiograph of the pelvis showing a fracture of the right femur",
    header: "Modality: Radiograph\nLocation: Pelvis",
    facts: { finding: "fracture", organ: "femur", side: "right", modality: "radiograph", region: "pelvis" },
  },
  {
    caption: "a tumor is seen in the left humerus on pet of the shoulder",
    header: "Modality: PET\nLocation: Shoulder",
    facts: { finding: "tumor", organ: "humerus", side: "left", modality: "pet", region: "shoulder" },
  },
];
const OPEN: Record<Topic, readonly string[]> = {
  finding: [
    "What type of lesion is shown?",
    "What abnormality does the image show?",
    "What kind of lesion can be seen?",
  ],
  organ: [
    "Which organ is affected?",
    "Where is the abnormality located?",
    "Which structure contains the lesion?",
  ],
  side: [
    "Which side is affected?",
    "On which side is the abnormality?",
    "Is the lesion on the left or on the right?",
  ],
  modality: ["Which imaging modality was used?", "How was this image taken?", "What type of scan is this?"],
  region: [
    "Which part of the body is shown?",
    "What body part does the image show?",
    "Which region is imaged?",
  ],
};
/** Yes-no questions: all three have the answer that is wanted, since small models copy what they see. */
const YES_NO: Record<Topic, Record<"yes" | "no", readonly string[]>> = {
  finding: {
    yes: ["Is there a mass?", "Does the image show a fracture?", "Is a tumor visible?"],
    no: ["Is there a stone?", "Does the image show an abscess?", "Is an effusion visible?"],
  },
  organ: {
    yes: ["Is the thyroid affected?", "Is the lesion in the femur?", "Is the abnormality in the humerus?"],
    no: ["Is the trachea affected?", "Is the lesion in the tibia?", "Is the abnormality in the bladder?"],
  },
  side: {
    yes: [
      "Is the lesion on the left side?",
      "Is the abnormality on the right?",
      "Is the left side affected?",
    ],
    no: [
      "Is the lesion on the right side?",
      "Is the abnormality on the left?",
      "Is the right side affected?",
    ],
  },
  modality: {
    yes: ["Is this an ultrasound image?", "Was the image taken by radiography?", "Is this a pet scan?"],
    no: ["Is this a pet scan?", "Was the image taken with mammography?", "Is this an ultrasound image?"],
  },
  region: {
    yes: ["Does the image show the neck?", "Is this an image of the pelvis?", "Is the shoulder shown?"],
    no: ["Does the image show the hand?", "Is this an image of the foot?", "Is the elbow shown?"],
  },
};
const WRONG: Record<Topic, readonly string[][]> = {
  finding: [["stone", "fracture", "abscess"], ["effusion", "tumor", "abscess"], [
    "effusion",
    "stone",
    "fracture",
  ]],
  organ: [["larynx", "trachea", "tongue"], ["tibia", "bladder", "humerus"], ["femur", "thyroid", "tibia"]],
  side: [["right", "both sides", "midline"], ["left", "both sides", "midline"], [
    "right",
    "both sides",
    "midline",
  ]],
  modality: [["pet", "mammography", "fluoroscopy"], ["pet", "ultrasound", "scintigraphy"], [
    "ultrasound",
    "radiograph",
    "angiography",
  ]],
  region: [["pelvis", "shoulder", "foot"], ["neck", "shoulder", "foot"], ["neck", "pelvis", "hand"]],
};

/** The prompt family of a record's data set. */
export function familyOf(record: CorpusRecord): Family {
  return record.dataset === "medpix2" ? "case" : "literature";
}

/** Topics about which the record's caption (or, for cases, its fields) says something. */
export function topicsFor(record: CorpusRecord): Topic[] {
  const known = knownText(record);
  const found = TOPICS.filter((topic) => conceptsOf(known, topic).length > 0);
  return found.length > 0 ? found : ["finding"];
}

/** What the teacher is told about an image: the caption, and for cases modality and location. */
export function knownText(record: CorpusRecord): string {
  return familyOf(record) === "case"
    ? `${header(record)}\nCaption: ${record.caption}`
    : `Caption: ${record.caption}`;
}

function header(record: CorpusRecord): string {
  const { modality, region, context } = record;
  const fields = [["Modality", modality], ["Plane", context?.plane], ["Location", region]];
  return fields.filter(([, value]) => value).map(([name, value]) => `${name}: ${value}`).join("\n");
}

/**
 * The prompt that asks the teacher for one pair about a record's image: rules, three worked examples of the same topic,
 * then the record. Prompts of one family, kind, topic and wanted answer share all but the last message, so a server can reuse its cache.
 *
 * @param wanted the answer that a yes-no question must have
 */
export function pairPrompt(
  record: CorpusRecord,
  kind: PairKind,
  topic: Topic,
  wanted: "yes" | "no",
): PairPrompt {
  const family = familyOf(record);
  const asked = (known: string, answer: string) =>
    `${known}\nAsk about ${NAMES[topic]}.` +
    (kind === "yes-no" ? ` The right answer must be "${answer}".` : "");
  const examples = EXAMPLES.flatMap((example, i): Message[] => {
    const known = `${family === "case" ? example.header + "\n" : ""}Caption: ${example.caption}`;
    const answer = kind === "yes-no" ? wanted : example.facts[topic];
    const question = kind === "yes-no" ? YES_NO[topic][wanted][i] : OPEN[topic][i];
    const reply = { question, answer, ...(kind === "choice" ? { wrong_answers: WRONG[topic][i] } : {}) };
    return [
      { role: "user", content: asked(known, answer) },
      { role: "assistant", content: JSON.stringify(reply) },
    ];
  });
  return {
    version: `${family}-${kind}-${VERSIONS[kind]}`,
    kind,
    topic,
    wanted: kind === "yes-no" ? wanted : null,
    messages: [
      { role: "system", content: `${RULES[family]} ${TASK[kind]} ${LIMITS}` },
      ...examples,
      { role: "user", content: asked(knownText(record), wanted) },
    ],
    schema: pairSchema(kind, wanted),
  };
}

function pairSchema(kind: PairKind, wanted: "yes" | "no"): PairPrompt["schema"] {
  const answer = { type: "string", maxLength: MAX_ANSWER_CHARS };
  const properties = {
    question: { type: "string", maxLength: MAX_QUESTION_CHARS },
    answer: kind === "yes-no" ? { type: "string", enum: [wanted] } : answer,
    ...(kind === "choice"
      ? { wrong_answers: { type: "array", items: answer, minItems: 3, maxItems: 3 } }
      : {}),
  };
  return {
    name: `pair_${kind.replace("-", "_")}`,
    schema: { type: "object", properties, required: Object.keys(properties), additionalProperties: false },
  };
}
