import { assert, assertEquals } from "@std/assert";
import { rng, shuffle } from "@lib/config/mod.ts";
import { chiSquareUniform } from "@lib/stats/mod.ts";
import {
  type Decision,
  FILTERS,
  MAX_COPY,
  type PairKind,
  type QaPair,
  questionCopy,
} from "@lib/synthesis/mod.ts";
import { applyFilters } from "@lib/synthesis/apply_filters.ts";
import { filterQuality, labelledPairs } from "@lib/synthesis/labelled.ts";
import { filtersFor } from "@lib/synthesis/filters.ts";
import { optionPositions } from "@lib/synthesis/set_filters.ts";
import { teacherPair } from "./records.ts";

const CT = "Caption: ct of the abdomen with a cyst in the right kidney";
const NORMAL = "Caption: x-ray image of the chest, normal";

/** The first filter that a pair fails, or "kept". */
function verdict(
  question: string,
  answer: string,
  kind: PairKind = "open",
  known = CT,
  choices: string[] | null = null,
  completeCaptions = true,
) {
  const candidate = { pair: teacherPair(question, answer, { choices }), known, kind };
  const { counts } = applyFilters([candidate], filtersFor({ completeCaptions }));
  return counts.find((count) => count.dropped > 0)?.filter ?? "kept";
}

Deno.test("good pairs of every kind are kept", () => {
  assertEquals(verdict("What type of lesion is shown?", "cyst"), "kept");
  assertEquals(verdict("Where is the cyst located?", "right kidney"), "kept");
  assertEquals(verdict("Is the lesion on the left or on the right?", "right"), "kept");
  assertEquals(verdict("How was this image taken?", "CT"), "kept");
  assertEquals(verdict("How was this image taken?", "computed tomography"), "kept");
  assertEquals(verdict("Is there a cyst in the right kidney?", "yes", "yes-no"), "kept");
  assertEquals(verdict("Is there a nodule?", "no", "yes-no"), "kept");
  assertEquals(verdict("Is there a lesion?", "no", "yes-no", NORMAL), "kept");
  assertEquals(verdict("What abnormality is seen?", "normal", "open", NORMAL), "kept");
  const choices = ["liver", "spleen", "kidney", "heart"];
  assertEquals(verdict("Which organ is affected?", "kidney", "choice", CT, choices), "kept");
});

Deno.test("form: questions are questions, closed answers are closed, options are four", () => {
  assertEquals(verdict("The image shows a cyst.", "kidney"), "form");
  assertEquals(verdict("Kidney cyst seen?", "kidney"), "form");
  assertEquals(verdict("Is there a cyst?", "kidney"), "form");
  assertEquals(verdict("Which organ is affected?", "yes"), "form");
  assertEquals(verdict("Which organ is affected?", "kidney", "yes-no"), "form");
  assertEquals(verdict("Which organ is affected?", "kidney'})\""), "form");
  assertEquals(
    verdict("Which organ is affected?", "kidney", "choice", CT, ["kidney", "Kidney", "liver", "lung"]),
    "form",
  );
  assertEquals(
    verdict("Which organ is affected?", "kidney", "choice", CT, ["heart", "spleen", "liver", "lung"]),
    "form",
  );
});

Deno.test("length: neither fragments nor essays", () => {
  assertEquals(verdict("What organ?", "kidney"), "length");
  assertEquals(verdict("Which organ is affected?", Array(60).fill("kidney").join(" ")), "length");
  assertEquals(verdict(`What ${"very ".repeat(30)}type of lesion is it?`, "cyst"), "length");
});

Deno.test("leak: the answer is not in the question", () => {
  assertEquals(verdict("Which organ is the right kidney?", "kidney"), "leak");
  assertEquals(verdict("What type of lesion are the cysts?", "a cyst"), "leak");
  assertEquals(verdict("What type of lesion is in the kidney?", "cyst"), "kept");
});

Deno.test("invisible: history, people, treatment and measurements cannot be seen", () => {
  assertEquals(verdict("What is the patient's history?", "cyst"), "invisible");
  assertEquals(verdict("What is the age of the patient?", "adult"), "invisible");
  assertEquals(verdict("What type of lesion is shown?", "a 5 mm cyst"), "invisible");
  assertEquals(verdict("Which surgery treats the lesion?", "kidney"), "invisible");
  assertEquals(verdict("What is the most common lesion?", "cyst"), "invisible");
});

Deno.test("language: pairs in another language go, Latin and radiology terms stay", () => {
  assertEquals(verdict("¿Qué órgano está afectado en la imagen?", "el riñón derecho"), "language");
  assertEquals(verdict("Welches Organ ist in dem Bild zu sehen?", "die Niere"), "language");
  assertEquals(verdict("图像中显示了哪个器官？", "肾"), "language");
  assert(verdict("Is it the foramen ovale, the pons or the cisterna magna?", "β-wave") !== "language");
});

Deno.test("copy: an answer that repeats its question", () => {
  assertEquals(
    verdict("Which organ has the cyst in this CT?", "In this CT the organ has the cyst in the kidney"),
    "copy",
  );
  assertEquals(verdict("Which organ has the cyst in this CT?", "the kidney"), "kept");
});

Deno.test("unanswerable: about the text or another image, or an answer that knows nothing", () => {
  assertEquals(verdict("Which organ is mentioned in the caption?", "kidney"), "unanswerable");
  assertEquals(verdict("Which organ is affected in figure 2?", "kidney"), "unanswerable");
  assertEquals(verdict("Which organ is affected?", "not specified"), "unanswerable");
});

Deno.test("mismatch: an answer of another kind than what is asked for, where that is plain", () => {
  assertEquals(verdict("What type of lesion is shown?", "kidney"), "mismatch");
  assertEquals(verdict("Which side is affected?", "kidney"), "mismatch");
  assertEquals(verdict("Which imaging modality was used?", "abdomen"), "mismatch");
  assertEquals(verdict("Where is the lesion?", "abdomen"), "kept");
});

Deno.test("unclear: where captions say all there is, a question that no rule understands goes", () => {
  assertEquals(verdict("Which organ is affected?", "abdomen"), "unclear");
  assertEquals(verdict("What happens here?", "kidney"), "unclear");
  const bright = CT.replace("cyst", "bright cyst"); // a word that no rule knows: no plain mismatch
  for (
    const [question, answer] of [
      ["Which imaging modality was used?", "bright kidney"],
      ["Which part of the body is shown?", "bright cyst"],
      ["What type of lesion is shown?", "bright kidney"],
    ]
  ) assertEquals([question, verdict(question, answer, "open", bright)], [question, "unclear"]);
  assertEquals(verdict("What happens here?", "kidney", "open", CT, null, false), "kept");
});

/** As verdict; the two rules that hold a pair against its caption have one name. */
const judged = (...args: Parameters<typeof verdict>) =>
  verdict(...args).replace(/^(evidence|unsupported)$/, "not said");

Deno.test("unsupported: nothing but what the caption says, in question and answer", () => {
  assertEquals(judged("What type of lesion is shown?", "malignant cyst"), "not said");
  assertEquals(judged("Which side is affected?", "left"), "not said");
  assertEquals(judged("Where is the nodule located?", "right kidney"), "not said");
  assertEquals(judged("Is there a nodule?", "yes", "yes-no"), "not said");
  assertEquals(judged("Is there a cyst?", "no", "yes-no"), "not said");
  assertEquals(judged("Is there a lesion?", "yes", "yes-no", NORMAL), "not said");
  assertEquals(judged("Is the image nice?", "no", "yes-no"), "not said");
});

Deno.test("unsupported by itself: the answer's words count unless it is yes or no, and the question's always", () => {
  const unsupported = filtersFor({ completeCaptions: true }).find(({ name }) => name === "unsupported")!;
  const reason = (question: string, answer: string) =>
    unsupported.reason({ pair: teacherPair(question, answer), known: CT, kind: "open" });
  assertEquals(reason("What type of lesion is shown?", "cyst"), null);
  assertEquals(reason("Which organ is affected?", "spleen"), "not in the caption: spleen");
  assertEquals(reason("What is in the liver?", "cyst"), "not in the caption: liver");
  assertEquals(reason("Is there a cyst in the right kidney?", "yes"), null);
  assertEquals(reason("Is there a cyst in the liver?", "yes"), "not in the caption: liver");
  assertEquals(reason("Is there a cyst in the liver?", "no"), null);
});

Deno.test("yes and no are weighed against the caption, also for normal images", () => {
  const closed = (question: string, answer: string, known: string) =>
    judged(question, answer, "yes-no", known);
  assertEquals(closed("Is this a normal image?", "yes", NORMAL), "kept");
  assertEquals(closed("Is this a normal image?", "no", NORMAL), "not said");
  assertEquals(closed("Is this a normal image?", "yes", CT), "not said");
  assertEquals(closed("Is this a normal image?", "no", CT), "kept");
  assertEquals(closed("Is the lesion on the left side?", "no", CT), "kept");
  assertEquals(closed("Is the lesion on the right side?", "no", CT), "not said");
  assertEquals(closed("Does the image show the abdomen?", "yes", CT), "kept");
  assertEquals(closed("Does the image show no lesion?", "no", CT), "form");
});

/** What the rules for any caption hold against a pair. */
const against = (caption: string, question: string, answer: string) =>
  FILTERS.find(({ name }) => name === "evidence")!.reason({
    pair: teacherPair(question, answer),
    known: `Caption: ${caption}`,
    kind: "open",
  });

Deno.test("evidence: what one clause says counts against what is answered, whatever other clauses name", () => {
  const caption =
    "CT of the abdomen with a cyst in the left kidney. The liver is unremarkable. No gallbladder. " +
    "The spleen is not seen. No stone in the liver";
  const denies = "denies what the caption says", affirms = "affirms what the caption denies";
  for (
    const [question, answer, reason] of [
      ["Is the liver healthy?", "No", denies],
      ["Is the liver normal?", "Yes", null],
      ["Is the kidney normal?", "No", null],
      ["Is the liver visible?", "Yes", null], // "no stone in the liver" does not deny the liver
      ["Is the liver visible?", "No", denies],
      ["Is there a stone in the liver?", "Yes", affirms],
      ["Is there a cyst in the kidney?", "No", denies],
      ["Is the spleen visible?", "Yes", affirms],
      ["Where is the liver?", "Not seen", denies],
      ["Where is the spleen?", "Not seen", null],
      ["What is abnormal?", "Nothing", "not normal, says the caption"],
      ["Which disease is included in the image?", "None", "not normal, says the caption"],
      ["Which organ is beside the liver?", "Gallbladder", "not in the caption: gallbladder"],
      ["Which organ has no stone?", "Liver", null],
    ] as const
  ) assertEquals([question, answer, against(caption, question, answer)], [question, answer, reason]);
  const seen = "A cyst in the left kidney and the gallbladder"; // most of it is in the caption
  assertEquals(against(caption, "What is seen?", seen.replace("gallbladder", "liver")), null);
  assertEquals(
    against(caption.replace(" No gallbladder.", ""), "What is seen?", seen),
    "not in the caption: gallbladder",
  );
  const free = "CT. No stone in the gallbladder";
  assertEquals(against(free, "Which organ is seen?", "Gallbladder"), null);
  assertEquals(
    against(free, "What is seen in the gallbladder?", "Stone"),
    "not in the caption: calcification",
  );
  const chest = "Normal chest radiograph with an enlarged heart";
  assertEquals(against(chest, "Is the heart normal?", "No"), null);
  const lobe = "Mass in the upper left lobe";
  assertEquals(against(lobe, "Where is the mass?", "Lower left lobe"), "the caption names the other side");
  assertEquals(against(lobe, "Where is the mass?", "Upper left lobe"), null);
});

Deno.test("options: no wrong option may be right as well, none may be cut", () => {
  const choice = (choices: string[]) =>
    verdict("Which organ is affected?", "kidney", "choice", CT, ["kidney", ...choices]);
  assertEquals(choice(["liver", "renal pelvis", "lung"]), "options");
  assertEquals(choice(["liver", "spleen", "pelvis-".repeat(12)]), "length");
  const cut = (letters: number) => choice(["liver", "spleen", "x".repeat(letters)]);
  assertEquals([cut(79), cut(80)], ["kept", "length"]); // the schema ends an option after 80 letters
  assertEquals(choice(["liver", "spleen", "lung"]), "kept");
});

Deno.test("a question is asked once per image, and a bad pair does not block a good one", () => {
  const { kept, dropped, counts } = applyFilters([
    { pair: teacherPair("Which organ is affected?", "heart"), known: CT, kind: "open" },
    { pair: teacherPair("Which organ is affected?", "kidney"), known: CT, kind: "open" },
    { pair: teacherPair("which organ is affected?", "right kidney"), known: CT, kind: "open" },
    {
      pair: teacherPair("Which organ is affected?", "kidney", { imageId: "roco_v2/2" }),
      known: CT,
      kind: "open",
    },
  ]);
  assertEquals(kept.map((p) => [p.imageId, p.answer]), [["roco_v2/1", "kidney"], ["roco_v2/2", "kidney"]]);
  assertEquals(dropped.map((p) => p.answer), ["heart", "right kidney"]);
  assertEquals(counts.map((c) => [c.filter, c.in, c.dropped]), [
    ...["language", "form", "length", "leak", "copy", "invisible", "unanswerable", "mismatch"].map((
      f,
    ) => [f, 4, 0]),
    ["evidence", 4, 1],
    ["options", 3, 0],
    ["llm", 3, 0],
    ["duplicate", 3, 1],
    ["balance", 2, 0],
    ["review", 2, 0],
  ]);
  assertEquals(counts[8].reasons, { "not in the caption": 1 });
  assert(counts[8].examples[0].includes("heart"));
  const verdicts = JSON.parse(kept[0].verdicts);
  assertEquals(Object.keys(verdicts), [...FILTERS.map((f) => f.name), "duplicate", "balance"]);
  assert(Object.values(verdicts).every((v) => v === "pass"));
});

const closed = (n: number, answer: string, decision?: Decision) => ({
  pair: teacherPair("Is there a cyst in the right kidney?", answer, { id: `${n}`, imageId: `roco_v2/${n}` }),
  known: answer === "yes" ? CT : NORMAL,
  kind: "yes-no" as const,
  decision,
});
const answers = (pairs: readonly QaPair[], answer: string) => pairs.filter((p) => p.answer === answer).length;

Deno.test("balance: neither yes nor no has more than 60%, whatever the order; a few pairs are left alone", () => {
  const many = Array.from({ length: 120 }, (_, n) => closed(n, n % 4 ? "yes" : "no"));
  const { kept, counts } = applyFilters(many);
  assertEquals([answers(kept, "yes"), answers(kept, "no")], [45, 30]);
  assertEquals(counts.find((c) => c.filter === "balance")!.reasons, {
    'more "yes" than the balance allows': 45,
  });
  const ids = (pairs: readonly QaPair[]) => pairs.map((p) => p.id).sort();
  assertEquals(ids(applyFilters(many.toReversed()).kept), ids(kept));
  const other = many.map((one, n) => ({
    ...one,
    pair: {
      ...one.pair,
      id: `other/${n}`,
      imageId: `medpix2/${n}`,
      dataset: "medpix2",
      answer: n % 4 ? "no" : "yes",
    },
    known: n % 4 ? NORMAL : CT,
  }));
  const both = applyFilters([...many, ...other]).kept; // balanced together, but neither data set is by itself
  assertEquals([answers(both, "yes"), answers(both, "no")], [75, 75]);
  const few = Array.from({ length: 10 }, (_, n) => closed(n, "no"));
  assertEquals(applyFilters(few).kept.length, 10);
});

Deno.test("options are in random order: chi-square finds no favoured position, and finds the teacher's own", () => {
  const choices = ["liver", "spleen", "lung", "heart"], random = rng("positions");
  const written = Array.from({ length: 4000 }, () => ({ answer: "liver", choices }));
  const shuffled = written.map((pair) => ({ ...pair, choices: shuffle(choices, random) }));
  assertEquals(optionPositions(written), [4000, 0, 0, 0]);
  assert(chiSquareUniform(optionPositions(written)).p < 1e-9);
  assert(chiSquareUniform(optionPositions(shuffled)).p > 0.01);
});

Deno.test("the teacher's check drops what it denies, and judges only what the rules let through", () => {
  const fit = { ...closed(1, "yes"), checked: "unsupported, says the teacher" };
  const unfit = { ...closed(2, "perhaps"), checked: "pass" };
  const { dropped, counts } = applyFilters([
    fit,
    { ...closed(3, "yes"), checked: "pass" },
    unfit,
    closed(4, "yes"),
  ]);
  const count = counts.find((c) => c.filter === "llm")!;
  assertEquals([count.in, count.dropped], [3, 1]);
  assertEquals(dropped.map((p) => "llm" in JSON.parse(p.verdicts)), [true, false]);
});

Deno.test("a person's word is the last: accepted pairs pass all filters, rejected ones go with the reason", () => {
  const decision = (verdict: Decision["verdict"], reason?: string): Decision => ({
    id: "",
    pair: "",
    verdict,
    reason,
    time: "",
  });
  const bad = { ...closed(1, "perhaps"), decision: decision("accept") };
  const good = { ...closed(2, "yes"), decision: decision("reject", "blurred: wrong side") };
  const { kept, dropped, counts } = applyFilters([bad, good]);
  assertEquals(kept.map((p) => [p.answer, p.verdicts]), [[
    "perhaps",
    '{"duplicate":"pass","balance":"pass","review":"pass"}',
  ]]);
  assertEquals(JSON.parse(dropped[0].verdicts).review, "blurred: wrong side");
  const review = counts.find((c) => c.filter === "review")!;
  assertEquals([review.in, review.dropped], [2, 1]);
});

Deno.test({
  name:
    "of the open answers that people wrote, the copy filter drops one in a thousand at most [needs LAB_DATA]",
  ignore: !Deno.env.get("LAB_DATA"),
  fn: async () => {
    const open: { question: string; answer: string }[] = [];
    for (const file of ["train", "validate", "test"]) {
      const path = `${Deno.env.get("LAB_DATA")}/slake-json/${file}.json`;
      const rows: { q_lang: string; answer_type: string; question: string; answer: string }[] = JSON.parse(
        await Deno.readTextFile(path),
      );
      open.push(...rows.filter((row) => row.q_lang === "en" && row.answer_type === "OPEN"));
    }
    assertEquals(open.length, 4252);
    const dropped = open.filter((pair) => questionCopy(pair) > MAX_COPY).length;
    assert(dropped / open.length < 0.001, `${dropped}`);
  },
});

/** What the rules for real captions say of a pair. */
const real = (question: string, answer: string, caption: string) =>
  verdict(
    question,
    answer,
    /^(yes|no)$/i.test(answer) ? "yes-no" : "open",
    `Caption: ${caption}`,
    null,
    false,
  );

Deno.test("real captions: planes, modalities, places and denials are no reason to drop a sound pair", () => {
  const mass = "Sagittal T1 MRI with a mass in the left cerebellopontine angle";
  assertEquals(real("Which plane is the image in?", "Sagittal", mass), "kept");
  assertEquals(real("Where is the mass located?", "The left cerebellopontine angle", mass), "kept");
  const ct = "Contrast-enhanced CT of the chest. There was no pulmonary embolism detected.";
  assertEquals(real("What type of scan was used to obtain this image?", "CT", ct), "kept");
  assertEquals(real("Was a pulmonary embolism detected?", "No", ct), "kept");
  assertEquals(real("Was a pulmonary embolism detected?", "Yes", ct), "evidence");
  assertEquals(real("Is there a pneumothorax?", "No", "Chest X-ray. Pneumothorax is not seen."), "kept");
  assertEquals(
    real("Which duct is dilated?", "The common bile duct", "US: dilated common bile duct"),
    "kept",
  );
  assertEquals(real("How many cysts are seen?", "Two", "CT shows two cysts in the liver"), "kept");
  assertEquals(
    real("In this image, is there an effusion?", "Yes", "X-ray with left pleural effusion"),
    "kept",
  );
  assertEquals(real("Is this a CT or an MRI?", "MRI", mass), "kept");
});

Deno.test("real captions: what they contradict, deny or do not name is dropped", () => {
  const caption = "Axial CT of the brain: a metastasis in the right occipital lobe without midline shift";
  assertEquals(real("Where is the metastasis?", "In the left occipital lobe", caption), "evidence");
  assertEquals(real("Where is the metastasis?", "In the right frontal lobe", caption), "kept"); // for the LLM check
  assertEquals(real("What is seen in the right lobe?", "An abscess", caption), "evidence");
  assertEquals(real("Is there a midline shift?", "Yes", caption), "evidence");
  assertEquals(real("Is there a midline shift?", "No", caption), "kept");
  assertEquals(real("Is there a metastasis?", "No", caption), "evidence");
  assertEquals(real("Does this image look normal?", "Yes", caption), "evidence");
  assertEquals(real("Which modality was used?", "MRI", caption), "evidence");
  assertEquals(real("When was the scan taken?", "Three weeks before admission", caption), "invisible");
});

Deno.test({
  name:
    "of held-out pairs about real images the rules keep 80% of the sound ones, and 95% and more of what they keep is sound [needs LAB_DATA]",
  ignore: !Deno.env.get("LAB_DATA"),
  fn: async () => {
    const pairs = await labelledPairs(Deno.env.get("LAB_DATA")!);
    const exchanged = pairs.filter(({ source, sound, candidate: { pair } }) =>
      source === "derived from those" && !sound && !/\b(yes|no|left|right)\b/i.test(pair.answer)
    );
    assert(exchanged.length > 20, `${exchanged.length} pairs with the answer to another question`);
    const held = Map.groupBy(pairs.filter(({ tuning }) => !tuning), ({ source }) => source);
    assertEquals([...held.keys()], ["by hand", "derived from those", "SLAKE", "VQA-RAD"]);
    assert(pairs.filter(({ source }) => source === "by hand").length > 300);
    for (const [source, own] of held) {
      const { recall, precision } = (await filterQuality(own)).at(-1)!;
      assert(recall!.estimate >= 0.8, `${source}: recall ${recall!.estimate}`);
      assert(precision!.estimate >= 0.95, `${source}: precision ${precision!.estimate}`);
    }
    const rules = filtersFor({ completeCaptions: true });
    const phantom = (await filterQuality(held.get("by hand")!, { rules })).at(-1)!;
    assert(phantom.recall!.estimate < 0.5, "rules for phantoms take most sound pairs about real images");
  },
});
