import { assert, assertEquals } from "@std/assert";
import { applyFilters, FILTERS, type PairKind } from "@lib/synthesis/mod.ts";
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
) {
  const { counts } = applyFilters([{ pair: teacherPair(question, answer, { choices }), known, kind }]);
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
  assertEquals(verdict("Kidney cyst seen where?", "kidney"), "form");
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

Deno.test("mismatch: the answer is of the kind that is asked for", () => {
  assertEquals(verdict("What type of lesion is shown?", "kidney"), "mismatch");
  assertEquals(verdict("Which side is affected?", "kidney"), "mismatch");
  assertEquals(verdict("Which imaging modality was used?", "abdomen"), "mismatch");
  assertEquals(verdict("Which organ is affected?", "abdomen"), "mismatch");
  assertEquals(verdict("Where is the lesion?", "abdomen"), "kept");
  assertEquals(verdict("What happens here?", "kidney"), "mismatch");
});

Deno.test("unsupported: nothing but what the caption says, in question and answer", () => {
  assertEquals(verdict("What type of lesion is shown?", "malignant cyst"), "unsupported");
  assertEquals(verdict("Which side is affected?", "left"), "unsupported");
  assertEquals(verdict("Where is the nodule located?", "right kidney"), "unsupported");
  assertEquals(verdict("Is there a nodule?", "yes", "yes-no"), "unsupported");
  assertEquals(verdict("Is there a cyst?", "no", "yes-no"), "unsupported");
  assertEquals(verdict("Is there a lesion?", "yes", "yes-no", NORMAL), "unsupported");
  assertEquals(verdict("Is the image nice?", "no", "yes-no"), "unsupported");
});

Deno.test("yes and no are weighed against the caption, also for normal images", () => {
  const closed = (question: string, answer: string, known: string) =>
    verdict(question, answer, "yes-no", known);
  assertEquals(closed("Is this a normal image?", "yes", NORMAL), "kept");
  assertEquals(closed("Is this a normal image?", "no", NORMAL), "unsupported");
  assertEquals(closed("Is this a normal image?", "yes", CT), "unsupported");
  assertEquals(closed("Is this a normal image?", "no", CT), "kept");
  assertEquals(closed("Is the lesion on the left side?", "no", CT), "kept");
  assertEquals(closed("Is the lesion on the right side?", "no", CT), "unsupported");
  assertEquals(closed("Does the image show the abdomen?", "yes", CT), "kept");
  assertEquals(closed("Does the image show no lesion?", "no", CT), "form");
});

Deno.test("options: no wrong option may be right as well, none may be cut", () => {
  const choice = (choices: string[]) =>
    verdict("Which organ is affected?", "kidney", "choice", CT, ["kidney", ...choices]);
  assertEquals(choice(["liver", "renal pelvis", "lung"]), "options");
  assertEquals(choice(["liver", "spleen", "pelvis-".repeat(12)]), "length");
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
    ["form", 4, 0],
    ["length", 4, 0],
    ["leak", 4, 0],
    ["invisible", 4, 0],
    ["mismatch", 4, 0],
    ["unsupported", 4, 1],
    ["options", 3, 0],
    ["duplicate", 3, 1],
  ]);
  assertEquals(counts[5].reasons, { "not in the caption": 1 });
  assert(counts[5].examples[0].includes("heart"));
  const verdicts = JSON.parse(kept[0].verdicts);
  assertEquals(Object.keys(verdicts), [...FILTERS.map((f) => f.name), "duplicate"]);
  assert(Object.values(verdicts).every((v) => v === "pass"));
});
