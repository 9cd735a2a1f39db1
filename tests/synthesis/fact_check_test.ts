import { assertEquals } from "@std/assert";
import { precisionByFilter, type TruthRow } from "@lib/synthesis/mod.ts";
import { factCheck, type FactVerdict } from "@lib/synthesis/fact_check.ts";
import { teacherPair } from "./records.ts";

const chest: TruthRow = {
  modality: "x-ray",
  region: "chest",
  organs: ["lung", "heart", "spine"],
  lesion: "nodule",
  organ: "lung",
  side: "left",
  organSide: { heart: "left" },
};
/** The body has one liver: the side of what lies in it is the liver's. */
const liver: TruthRow = {
  modality: "ct",
  region: "abdomen",
  organs: ["liver", "spleen", "kidney", "spine"],
  lesion: "cyst",
  organ: "liver",
  side: null,
  organSide: { liver: "right", spleen: "left" },
};
const healthy: TruthRow = {
  modality: "ct",
  region: "head",
  organs: ["skull", "brain"],
  lesion: null,
  organ: null,
  side: null,
  organSide: {},
};

const CASES: [TruthRow, string, string, FactVerdict][] = [
  [chest, "What type of lesion is shown?", "nodule", "supported"],
  [chest, "What type of lesion is shown?", "A nodule in the left lung", "supported"],
  [chest, "What type of lesion is shown?", "cyst", "contradicted"],
  [chest, "What type of lesion is shown?", "lung", "contradicted"],
  [chest, "What type of lesion is shown?", "calcified nodule", "contradicted"],
  [chest, "What type of lesion is shown?", "spiculated nodule", "unverifiable"],
  [chest, "Where is the nodule located?", "left lung", "supported"],
  [chest, "Where is the nodule located?", "right lung", "contradicted"],
  [chest, "Where is the nodule located?", "heart", "contradicted"],
  [chest, "Where is the cyst located?", "left lung", "contradicted"],
  [chest, "Which side is affected?", "left", "supported"],
  [chest, "Which side is affected?", "right", "contradicted"],
  [chest, "Which side is the heart on?", "left", "supported"],
  [chest, "Which side is the heart on?", "right", "contradicted"],
  [liver, "Where is the cyst located?", "liver", "supported"],
  [liver, "Where is the cyst located?", "left liver", "contradicted"],
  [liver, "Which side is affected?", "right", "supported"],
  [liver, "Which side is affected?", "left", "contradicted"],
  [liver, "Which side is the spleen on?", "left", "supported"],
  [liver, "Which side is the spleen on?", "right", "contradicted"],
  [liver, "Is there a cyst on the left side?", "yes", "contradicted"],
  [chest, "Which lung is affected?", "The left lung", "supported"],
  [chest, "Which imaging modality was used?", "radiograph", "supported"],
  [chest, "Which imaging modality was used?", "CT", "contradicted"],
  [chest, "What imaging modality is used to diagnose kidney stones?", "x-ray", "unverifiable"],
  [chest, "Which part of the body is shown?", "thorax", "supported"],
  [chest, "Which part of the body is shown?", "head", "contradicted"],
  [chest, "Which part of the body is shown?", "heart", "supported"],
  [chest, "Which part of the body is shown?", "nodule", "contradicted"],
  [chest, "Is there a nodule in the left lung?", "yes", "supported"],
  [chest, "Is there a nodule in the right lung?", "yes", "contradicted"],
  [chest, "Is there a nodule in the right lung?", "no", "supported"],
  [chest, "Is there a lesion?", "Yes", "supported"],
  [chest, "Is there a lesion in the heart?", "yes", "contradicted"],
  [chest, "Is the heart visible?", "yes", "supported"],
  [chest, "Is the liver visible?", "yes", "contradicted"],
  [chest, "Is this a normal chest x-ray?", "no", "supported"],
  [chest, "Is the patient anxious?", "yes", "unverifiable"],
  [chest, "What is the diagnosis?", "nodule", "unverifiable"],
  [healthy, "Is there a lesion?", "no", "supported"],
  [healthy, "Is there a lesion?", "yes", "contradicted"],
  [healthy, "What abnormality is seen?", "no lesion", "supported"],
  [healthy, "What abnormality is seen?", "nodule", "contradicted"],
  [healthy, "Which side is affected?", "left", "contradicted"],
  [healthy, "Which organ is shown?", "brain", "supported"],
  [healthy, "Which organ is affected?", "brain", "contradicted"],
];

for (const [truth, question, answer, verdict] of CASES) {
  Deno.test(`"${question}" - "${answer}" is ${verdict} by a ${truth.lesion ?? "healthy"} ${truth.region}`, () => {
    assertEquals(factCheck({ question, answer }, truth), verdict);
  });
}

Deno.test("precision is counted before filtering and after each filter", () => {
  const verdicts = (form: string, leak: string) => ({ verdicts: JSON.stringify({ form, leak }) });
  const pairs = [
    teacherPair("Which side is affected?", "left", verdicts("pass", "pass")),
    teacherPair("Which side is affected?", "right", verdicts("pass", "bad")),
    teacherPair("What is it about?", "left", verdicts("bad", "pass")),
    teacherPair("Which side is affected?", "right", { ...verdicts("pass", "pass"), imageId: "other" }),
  ];
  const rows = precisionByFilter(
    pairs,
    ["form", "leak"],
    (pair) => pair.imageId === "other" ? undefined : chest,
  );
  assertEquals(
    rows.map((r) => [r.after, r.pairs, r.supported, r.contradicted, r.unverifiable, r.precision]),
    [
      ["none", 3, 1, 1, 1, 1 / 3],
      ["form", 2, 1, 1, 0, 1 / 2],
      ["leak", 1, 1, 0, 0, 1],
    ],
  );
  assertEquals(rows[0].precisionOfVerifiable, 1 / 2);
});
