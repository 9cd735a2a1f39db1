/** Captioned records and pairs for the tests of this room. */
import type { CorpusRecord } from "@lib/corpus/mod.ts";
import type { QaPair } from "@lib/synthesis/mod.ts";

export function captioned(
  name: string,
  caption: string | null,
  fields: Partial<CorpusRecord> = {},
): CorpusRecord {
  return {
    id: `roco_v2/train/${name}`,
    dataset: "roco_v2",
    split: "train",
    sourceId: name,
    imagePath: `/none/${name}.png`,
    imageId: `roco_v2/${name}`,
    caseId: null,
    imageSha256: null,
    question: null,
    answer: null,
    choices: null,
    answerType: null,
    caption,
    modality: null,
    region: null,
    contentType: null,
    language: "en",
    licence: "none",
    noThirdParty: false,
    context: null,
    ...fields,
  };
}

export function teacherPair(question: string, answer: string, fields: Partial<QaPair> = {}): QaPair {
  return {
    id: `${question}/${answer}`,
    dataset: "roco_v2",
    split: "train",
    sourceId: "1",
    imagePath: "/none/1.png",
    imageId: "roco_v2/1",
    caseId: null,
    noThirdParty: false,
    question,
    answer,
    choices: null,
    answerType: "open",
    questionType: null,
    origin: "teacher",
    prompt: "literature-open-v1",
    model: "m",
    server: null,
    seed: 1,
    temperature: 0,
    time: null,
    rawSha256: null,
    original: null,
    verdicts: "{}",
    ...fields,
  };
}
