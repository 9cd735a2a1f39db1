import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { pairPrompt, topicsFor } from "@lib/synthesis/mod.ts";
import { applyFilters } from "@lib/synthesis/apply_filters.ts";
import { filtersFor } from "@lib/synthesis/filters.ts";
import { PAIR_KINDS } from "@lib/synthesis/prompts.ts";
import { captioned, teacherPair } from "./records.ts";

const figure = captioned("1", "ct of the abdomen with a cyst in the right kidney");
const teaching = captioned("2", "cyst in the right kidney", {
  dataset: "medpix2",
  modality: "CT",
  region: "Genitourinary",
  context: { plane: "Axial", history: "52 year old with flank pain" },
});

Deno.test("topics are what the caption speaks of; for cases also what the fields say", () => {
  assertEquals(topicsFor(figure), ["finding", "organ", "side", "modality", "region"]);
  assertEquals(topicsFor(captioned("3", "Chest X-ray, normal")), ["modality", "region"]);
  assertEquals(topicsFor(teaching), ["finding", "organ", "side", "modality"]);
  assertEquals(topicsFor(captioned("4", "Figure 1")), ["finding"]);
});

Deno.test("a case prompt tells modality, plane and location, and never the history", () => {
  const { version, messages } = pairPrompt(teaching, "open", "organ", "yes");
  assertEquals(version, "case-open-v1");
  const last = String(messages.at(-1)!.content);
  assertStringIncludes(
    last,
    "Modality: CT\nPlane: Axial\nLocation: Genitourinary\nCaption: cyst in the right kidney",
  );
  assert(!JSON.stringify(messages).includes("flank pain"));
  assertEquals(pairPrompt(figure, "open", "organ", "yes").version, "literature-open-v1");
});

Deno.test("worked examples fit the schema of their kind and differ from the record only in the last message", () => {
  for (const kind of PAIR_KINDS) {
    for (const topic of topicsFor(figure)) {
      const { messages, schema } = pairPrompt(figure, kind, topic, "no");
      const turns = Array(3).fill(["user", "assistant"]).flat();
      assertEquals(messages.map((m) => m.role), ["system", ...turns, "user"]);
      const required = schema.schema.required as string[];
      for (const message of messages.filter((m) => m.role === "assistant")) {
        assertEquals(Object.keys(JSON.parse(String(message.content))), required);
      }
      const other = pairPrompt(captioned("9", "mri of the head"), kind, topic, "no");
      assertEquals(other.messages.slice(0, -1), messages.slice(0, -1));
    }
  }
  const { schema } = pairPrompt(figure, "yes-no", "side", "no");
  assertEquals((schema.schema.properties as Record<string, unknown>).answer, {
    type: "string",
    enum: ["no"],
  });
});

Deno.test("the worked examples pass the filters that the teacher's pairs must pass", () => {
  const asked = PAIR_KINDS.flatMap((kind) => topicsFor(figure).map((topic) => ({ kind, topic })));
  for (const wanted of ["yes", "no"] as const) {
    for (const { kind, topic } of asked) {
      const { messages } = pairPrompt(teaching, kind, topic, wanted);
      for (let i = 1; i + 1 < messages.length - 1; i += 2) {
        const known = String(messages[i].content).replace(/\nAsk about[^]*$/, "");
        const { question, answer, wrong_answers } = JSON.parse(String(messages[i + 1].content));
        if (kind === "yes-no") assertEquals(answer, wanted);
        const choices = wrong_answers ? [answer, ...wrong_answers] : null;
        const { counts } = applyFilters(
          [{ pair: teacherPair(question, answer, { choices }), known, kind }],
          filtersFor({ completeCaptions: true }),
        );
        const dropped = counts.filter((count) => count.dropped > 0).flatMap((count) => count.examples);
        assertEquals(dropped, [], `${kind} ${topic}`);
      }
    }
  }
});
