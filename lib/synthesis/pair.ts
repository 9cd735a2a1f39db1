import { z } from "zod";
import { type CorpusRecord, ImagePath } from "../corpus/mod.ts";
import { yesOrNo } from "../stats/mod.ts";

/** A question with its answer about an image, and where it comes from. */
export const QaPair = z.object({
  /** Unique: `${record id}#...`. */
  id: z.string(),
  /** The data set. */
  dataset: z.string(),
  /** Its split. */
  split: z.string(),
  /** The row of the data set that image and caption come from, by the data set's own id. */
  sourceId: z.string(),
  /** Absolute path of the image. */
  imagePath: ImagePath,
  /** Id of the image. */
  imageId: z.string(),
  /** The patient's case; null where it is not known. */
  caseId: z.string().nullable(),
  /** As in its record: teacher and judge must run on this machine. */
  noThirdParty: z.boolean(),
  /** What is asked. */
  question: z.string(),
  /** The answer. */
  answer: z.string(),
  /** Options, the answer among them; null for free answers. */
  choices: z.array(z.string()).nullable(),
  /** Closed questions have few possible answers. */
  answerType: z.enum(["closed", "open"]),
  /** What is asked for: a content type of the data set, or a topic of the prompts. */
  questionType: z.string().nullable(),
  /** "source": the data set's own; "teacher": written by a language model; "template": made from ground truth. */
  origin: z.enum(["source", "teacher", "template"]),
  /** Version of the prompt (teacher only). */
  prompt: z.string().nullable(),
  /** The model as its server names it (teacher only). */
  model: z.string().nullable(),
  /** Host and port of the server that replied (teacher only). */
  server: z.string().nullable(),
  /** Null where the server refuses to be told (teacher only). */
  seed: z.number().nullable(),
  /** As `seed`. */
  temperature: z.number().nullable(),
  /** When the reply came, ISO 8601 in UTC; from the journal, so a resumed run says the same (teacher only). */
  time: z.string().nullable(),
  /** SHA-256 of the reply that the pair was read from (teacher only). */
  rawSha256: z.string().nullable(),
  /** JSON {question, answer} as the teacher wrote them, where a person has edited the pair. */
  original: z.string().nullable(),
  /** JSON: filter name -> "pass" or the reason why not; a filter that did not judge the pair has no entry. */
  verdicts: z.string(),
});
/** A pair that {@linkcode QaPair} accepts. */
export type QaPair = z.infer<typeof QaPair>;

/** What is known of a teacher's reply. */
export type ReplyProvenance = Pick<
  QaPair,
  "prompt" | "model" | "server" | "seed" | "temperature" | "time" | "rawSha256"
>;

type Asked = Pick<QaPair, "question" | "answer" | "choices" | "answerType" | "questionType">;

function pairOf(record: CorpusRecord, origin: QaPair["origin"], id: string, asked: Asked): QaPair {
  const { dataset, split, sourceId, imagePath, imageId, caseId, noThirdParty } = record;
  const from = { dataset, split, sourceId, imagePath, imageId, caseId, noThirdParty };
  const provenance = {
    prompt: null,
    model: null,
    server: null,
    seed: null,
    temperature: null,
    time: null,
    rawSha256: null,
    original: null,
    verdicts: "{}",
  };
  return { id, ...from, ...asked, origin, ...provenance };
}

/** The pairs that a data set brings itself; records without question (captions) give none. */
export function sourcePairs(records: readonly CorpusRecord[]): QaPair[] {
  return records.flatMap((record) => {
    const { question, answer, choices, contentType } = record;
    if (question === null || answer === null) return [];
    const answerType = record.answerType ?? (choices || yesOrNo(answer) ? "closed" : "open");
    return [
      pairOf(record, "source", record.id, {
        question,
        answer,
        choices,
        answerType,
        questionType: contentType,
      }),
    ];
  });
}

/** A question made from an image's ground truth. */
export interface TruthQuestion {
  /** The record that it is about. */
  record: CorpusRecord;
  /** Question type, e.g. "side". */
  type: string;
  /** What is asked. */
  question: string;
  /** The true answer. */
  answer: string;
  /** The options; null or missing without. */
  choices?: string[] | null;
}

/** Pairs made from ground truth: a stand-in for a good teacher, and named "template" so that nobody takes it for one. */
export function templatePairs(rows: readonly TruthQuestion[]): QaPair[] {
  const seen = new Map<string, number>();
  return rows.map(({ record, type, question, answer, choices = null }) => {
    const n = seen.get(record.id) ?? 0;
    seen.set(record.id, n + 1);
    const answerType = choices || yesOrNo(answer) ? "closed" : "open";
    const asked: Asked = { question, answer, choices, answerType, questionType: type };
    return pairOf(record, "template", `${record.id}#template/${n}`, asked);
  });
}

/** A pair as the teacher wrote it, with its provenance. */
export function teacherPair(
  record: CorpusRecord,
  id: string,
  asked: Asked,
  provenance: ReplyProvenance,
): QaPair {
  return { ...pairOf(record, "teacher", id, asked), ...provenance };
}
