/** The probes' verdicts, found again from their words and the phantoms' facts by a reader of its own, and by the fact check. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type JudgeProbe,
  judgeProbes,
  PROBE_KINDS,
  type ProbeKind,
  SYMMETRIC_KINDS,
} from "./judge_probes.ts";
import { type Findings, phantomOf, questionTypeOf, trueAnswer } from "@lib/phantom/mod.ts";
import { factCheck } from "@lib/synthesis/fact_check.ts";

const COUNT = 16 * PROBE_KINDS.length, probes = judgeProbes(COUNT, 1);
const truthOf = ({ phantom }: JudgeProbe) => phantomOf({ seed: phantom, split: "test" });

/** What a text claims, by its words alone. */
function claims(text: string) {
  const has = (pattern: string) =>
    new RegExp(`\\b(${pattern})\\b`, "i").exec(text)?.[1].toLowerCase() ?? null;
  const term = has("x-ray|radiograph|ct|computed tomography|mri|magnetic resonance image");
  const place = /\b(?:(left|right) )?(lung|liver|spleen|kidney|brain)\b/i.exec(text);
  const sizes = /the (heart|spleen|ventricle) is (not )?enlarged/i.exec(text);
  return {
    modality: term &&
      (term.startsWith("c") ? "ct" : term.startsWith("m") ? "mri" : "x-ray"),
    region: has("chest|abdomen|head"),
    lesion: has("nodule|cyst|hemorrhage") ?? (has("no lesion|normal") ? "no lesion" : null),
    organ: place && !sizes?.[0].includes(place[0]) ? place[2].toLowerCase() : null,
    side: place?.[1]?.toLowerCase() ?? null,
    enlarged: sizes && { structure: sizes[1], yes: sizes[2] === undefined },
  };
}

/** Whether a text says what was found and nothing that is not so. */
function isCorrect(text: string, facts: Findings): boolean {
  const ask = (question: string) => trueAnswer(question, facts)!.answer;
  const said = claims(text);
  const agrees = (claim: string | null, question: string) => claim === null || claim === ask(question);
  if (said.enlarged) {
    const size = ask(`is the ${said.enlarged.structure} enlarged?`);
    if (size !== (said.enlarged.yes ? "yes" : "no")) return false;
  }
  return said.lesion === ask("what is the lesion?") && said.organ === ask("which organ is affected?") &&
    said.side === ask("which side is the lesion on?") &&
    agrees(said.modality, "what modality is this image?") && agrees(said.region, "what body part is shown?");
}

Deno.test("every probe's verdict is what its words and the phantom's facts give", () => {
  for (const probe of probes) {
    const facts = truthOf(probe), told = JSON.stringify(probe);
    assertEquals(questionTypeOf(probe.question), "open", told);
    assert(isCorrect(probe.reference, facts), told);
    assertEquals(isCorrect(probe.answer, facts), probe.correct, told);
  }
});

Deno.test("the fact check calls correct answers supported, and wrong facts contradicted", () => {
  const question = "What type of lesion is shown?";
  const contradicted: ProbeKind[] = [
    "wrong lesion",
    "wrong organ",
    "wrong side",
    "wrong modality",
    "negation",
  ];
  let checked = 0;
  for (const probe of probes) {
    const facts = truthOf(probe);
    const expected = probe.kind === "true detail added" || facts.lesion === null
      ? null
      : probe.correct
      ? "supported"
      : contradicted.includes(probe.kind)
      ? "contradicted"
      : null;
    if (expected === null) continue;
    checked++;
    assertEquals(factCheck({ question, answer: probe.answer }, facts), expected, JSON.stringify(probe));
  }
  assert(checked > COUNT / 2, `${checked}`);
});

Deno.test("kinds are equally frequent, right and wrong ones both many, and no kind has a reference twice", () => {
  const kinds = Map.groupBy(probes, ({ kind }) => kind);
  assertEquals([...kinds.keys()].sort(), PROBE_KINDS.toSorted());
  for (const own of kinds.values()) {
    assertEquals(own.length, 16);
    assertEquals(new Set(own.map(({ reference }) => reference)).size, 16);
  }
  const right = probes.filter(({ correct }) => correct).length / COUNT;
  assert(right >= 0.4 && right <= 0.6, `${right}`);
  assertEquals(new Set(probes.map(({ id }) => id)).size, COUNT);
});

Deno.test("what is symmetric keeps its verdict with reference and answer exchanged, the rest does not", () => {
  const agree = (a: string, b: string) => {
    const [first, second] = [a, b].map(claims);
    return first.lesion === second.lesion && first.organ === second.organ && first.side === second.side &&
      first.modality === second.modality;
  };
  for (const { kind, reference, answer, correct } of probes) {
    if (SYMMETRIC_KINDS.has(kind)) assertEquals(agree(answer, reference), correct, `${kind}: ${answer}`);
  }
  assert(!SYMMETRIC_KINDS.has("true detail added") && !SYMMETRIC_KINDS.has("empty"));
});

Deno.test("a seed gives its probes again, another one others; more than there are references is refused", () => {
  const some = (seed: number) => judgeProbes(30, seed).map(({ id }) => id);
  assertEquals(some(3), some(3));
  assert(some(3).some((id) => !some(4).includes(id)));
  assertThrows(() => judgeProbes(100 * PROBE_KINDS.length, 1), RangeError, "references run out");
});
