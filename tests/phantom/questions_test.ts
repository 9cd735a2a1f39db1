import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { rng } from "../../lib/config/mod.ts";
import {
  captionFor,
  CHOICE_TYPES,
  choiceQuestionFor,
  drawPhantom,
  LESION_TYPES,
  ORGANS,
  placeOf,
  QUESTION_TYPES,
  questionFor,
  questionTypeOf,
  trueAnswer,
} from "../../lib/phantom/mod.ts";
import { MEASURED, ORGAN_SIDE } from "../../lib/phantom/names.ts";

const sample = Array.from({ length: 250 }, (_, k) => drawPhantom(1_500_000 + k, "shifted"));

Deno.test("every answer is what the phantom shows", () => {
  const random = rng("answers");
  for (const p of sample) {
    for (const type of QUESTION_TYPES) {
      const asked = questionFor(p, type, random);
      if (type === "type" || type === "organ") assertEquals(asked === null, p.lesion === null);
      if (type === "side") assertEquals(asked === null, p.organ === null || p.organ in ORGAN_SIDE);
      if (type === "enlarged") assert(asked!.question.includes(MEASURED[p.region]), asked!.question);
      if (asked === null) continue;
      assert(!asked.question.includes("ORGAN") && asked.question === asked.question.toLowerCase());
      assert(!/ [?.,]/.test(asked.question) && /[?.]$/.test(asked.question));
      const organ = ORGANS.find((o) => asked.question.includes(o));
      const truth: Record<string, string | null | undefined> = {
        modality: p.modality,
        region: p.region,
        organ_yn: organ && (p.organs.includes(organ) ? "yes" : "no"),
        enlarged: p.enlarged ? "yes" : "no",
        presence: p.lesion ? "yes" : "no",
        side: p.side,
        type: p.lesion,
        organ: p.organ,
        open: captionFor(p),
      };
      assertEquals(asked.answer, truth[type] ?? "missing");
    }
  }
});

Deno.test("organ questions are answered yes and no equally often", () => {
  const random = rng("balance");
  const yes = sample.filter((p) => questionFor(p, "organ_yn", random)!.answer === "yes").length;
  assertAlmostEquals(yes / sample.length, 0.5, 0.1);
});

Deno.test("training uses three phrasings and never the held-out one", () => {
  const random = rng("phrasings");
  const sick = sample.filter((p) => p.organ === "kidney");
  const plain = (text: string) => ORGANS.reduce((t, organ) => t.replace(organ, "ORGAN"), text);
  for (const type of QUESTION_TYPES) {
    const seen = new Set<string>();
    for (let k = 0; k < 60; k++) seen.add(plain(questionFor(sick[k % sick.length], type, random)!.question));
    assertEquals(seen.size, 3);
    const heldOut = plain(questionFor(sick[0], type, random, { heldOut: true })!.question);
    assert(!seen.has(heldOut), heldOut);
  }
});

Deno.test("a choice question has four different options, one of them true, at any place", () => {
  const random = rng("choices"), places = [0, 0, 0, 0];
  let asked = 0;
  for (const p of sample) {
    for (const type of CHOICE_TYPES) {
      const q = choiceQuestionFor(p, type, random);
      if (q === null) {
        assert(p.lesion === null && (type === "organ" || type === "side"));
        continue;
      }
      asked++;
      assertEquals(new Set(q.choices).size, 4);
      places[q.choices!.indexOf(q.answer)]++;
      const truth = {
        modality: p.modality,
        region: p.region,
        type: p.lesion ?? "no lesion",
        organ: p.organ,
        side: placeOf(p),
      };
      assertEquals(q.answer, truth[type] ?? "missing");
    }
  }
  for (const place of places) assertAlmostEquals(place / asked, 0.25, 0.05);
});

Deno.test("every caption wording names modality, region and the lesion's type, side and organ", () => {
  for (const p of sample) {
    const wordings = [0, 1, 2, 3].map((template) => captionFor(p, template));
    assertEquals(new Set(wordings).size, 4);
    for (const text of wordings) {
      for (const fact of [p.modality, p.region, p.lesion, p.organ, p.side]) {
        if (fact) assert(text.includes(fact), text);
      }
    }
  }
  assertThrows(() => captionFor(sample[0], 4), Error, "0..3");
});

Deno.test("lesion types are asked only of what a lesion has", () => {
  const healthy = sample.find((p) => p.lesion === null)!;
  const answers = LESION_TYPES.map((type) => questionFor(healthy, type, rng(1))?.answer ?? null);
  assertEquals(answers, ["no", null, null, null]);
});

Deno.test("trueAnswer gives type and answer of every question that phantoms ask, and of no other", () => {
  const random = rng("true answers");
  for (const p of sample) {
    for (const heldOut of [false, true]) {
      for (const type of QUESTION_TYPES) {
        const asked = questionFor(p, type, random, { heldOut });
        if (asked === null) continue;
        assertEquals(trueAnswer(asked.question, p), { type, answer: type === "open" ? null : asked.answer });
      }
      for (const type of CHOICE_TYPES) {
        const asked = choiceQuestionFor(p, type, random, { heldOut });
        if (asked) assertEquals(trueAnswer(asked.question, p), { type, answer: asked.answer });
      }
    }
  }
  assertEquals(questionTypeOf("is the ventricle larger than normal?"), "enlarged");
  assertEquals(trueAnswer("is the heart enlarged?", { ...sample[0], region: "head" }), {
    type: "enlarged",
    answer: null,
  });
  assertEquals(questionTypeOf("is the bladder visible?"), null);
  assertEquals(trueAnswer("is the bladder visible?", sample[0]), null);
  assertEquals(trueAnswer("What modality is this image?", sample[0]), null);
});
