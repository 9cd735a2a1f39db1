import { assertEquals, assertThrows } from "@std/assert";
import { pathologyFilter, qualityFilter } from "@lib/annealing/mod.ts";
import type { CorpusRecord } from "@lib/corpus/mod.ts";
import type { QaPair } from "@lib/synthesis/mod.ts";

/** Images per MedPix location: the paper's figure 4, and the 91 images of its unnamed rest as ten small classes. */
const FIGURE_4: Record<string, number> = {
  "Brain and Neuro": 631,
  "Musculoskeletal": 270,
  "Chest, Pulmonary": 222,
  "Gastrointestinal": 200,
  "Genitourinary": 151,
  "Head and Neck": 93,
  "Spine": 85,
  "Vascular": 73,
  "Generalized": 66,
  "Cardiovascular": 65,
  "Eye": 56,
  "Abdomen": 47,
  ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`rest ${i}`, i === 0 ? 10 : 9])),
};

function record(region: string | null, image: string): CorpusRecord {
  return {
    id: `medpix2/train/${image}`,
    dataset: "medpix2",
    split: "train",
    sourceId: image,
    imagePath: `/none/${image}.png`,
    imageId: `medpix2/${image}`,
    caseId: null,
    imageSha256: null,
    question: null,
    answer: null,
    choices: null,
    answerType: null,
    caption: "ct of the chest",
    modality: "CT",
    region,
    contentType: null,
    language: "en",
    licence: "none",
    noThirdParty: false,
    context: null,
  };
}

function pair(question: string, answer: string, fields: Partial<QaPair> = {}): QaPair {
  return {
    id: question,
    dataset: "medpix2",
    split: "train",
    sourceId: "1",
    imagePath: "/none.png",
    imageId: "medpix2/1",
    caseId: null,
    noThirdParty: false,
    question,
    answer,
    choices: null,
    answerType: "open",
    questionType: null,
    origin: "teacher",
    prompt: null,
    model: null,
    server: null,
    seed: null,
    temperature: null,
    time: null,
    rawSha256: null,
    original: null,
    verdicts: "{}",
    ...fields,
  };
}

Deno.test("the pathology filter keeps 1,474 of MedPix's 2,050 images, as in figure 4", () => {
  const records = Object.entries(FIGURE_4).flatMap(([location, images]) =>
    Array.from({ length: images }, (_, i) => record(location, `${location}/${i}`))
  );
  const result = pathologyFilter(records, { minImages: 100 });
  assertEquals(result.images, { kept: 1474, of: 2050 });
  assertEquals(result.classes.filter((c) => c.kept).map((c) => c.images), [631, 270, 222, 200, 151]);
  assertEquals([result.classes.length, result.kept.length], [22, 1474]);
});

Deno.test("images count, not rows, and the limit itself is enough", () => {
  const rows = [
    record("A", "1"),
    record("A", "1"),
    record("B", "2"),
    record("B ", "3"),
    record(null, "4"),
    record(null, "5"),
  ];
  const result = pathologyFilter(rows, { minImages: 2 });
  assertEquals(result.kept.map((r) => r.sourceId), ["2", "3"]);
  assertEquals(result.images, { kept: 2, of: 5 });
  assertThrows(
    () => pathologyFilter([record(null, "1"), record(" ", "2")], { minImages: 1 }),
    Error,
    "location",
  );
});

Deno.test("the quality filter drops and counts by its first rule", () => {
  const long = Array(60).fill("word").join(" ");
  const result = qualityFilter([
    pair("What is shown?", "a nodule"),
    pair("what is shown? ", "a cyst"),
    pair("What is shown?", "a cyst", { imageId: "medpix2/2" }),
    pair("What does the history say?", "cough"),
    pair("What is it?", long),
    pair("What is it, in short?", long.slice(5)),
    pair("Which side?", " "),
    pair("Which organ?", "lung", {
      verdicts: JSON.stringify({ form: "pass", leak: "the question contains the answer" }),
    }),
    pair("Which region?", "chest", { verdicts: JSON.stringify({ form: "pass" }) }),
  ]);
  assertEquals(result.counts, { verdict: 1, empty: 1, history: 1, long: 1, repeated: 1 });
  assertEquals(result.kept.length, 4);
  assertEquals(result.dropped.map((d) => d.rule), ["repeated", "history", "long", "empty", "verdict"]);
});
