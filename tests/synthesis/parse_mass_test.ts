import { assert, assertEquals } from "@std/assert";
import { rng } from "@lib/config/mod.ts";
import { parseReply } from "@lib/synthesis/mod.ts";
import { CLOSINGS, JSON_SHAPES, knownPairs, pick, PREAMBLES, TEXT_SHAPES } from "./reply_shapes.ts";

const REPLIES = 400;
const SHAPES = [...Object.entries(TEXT_SHAPES), ...Object.entries(JSON_SHAPES)];
const TEXT = new Set(Object.keys(TEXT_SHAPES));

for (const [name, render] of SHAPES) {
  Deno.test(`${REPLIES} replies as ${name}: every pair is read, and no other`, () => {
    for (let i = 0; i < REPLIES; i++) {
      const random = rng(`${name}/${i}`), pairs = knownPairs(random);
      const reply = pick(PREAMBLES, random) + render(pairs, random) + pick(CLOSINGS, random);
      const text = random() < 0.3 ? reply.replaceAll("\n", "\r\n") : reply;
      assertEquals(parseReply(text).pairs, pairs, text);
    }
  });

  Deno.test(`${REPLIES} replies as ${name}, cut anywhere: whole pairs or none, and the cut is named`, () => {
    for (let i = 0; i < REPLIES; i++) {
      const random = rng(`cut/${name}/${i}`), pairs = knownPairs(random);
      const whole = pick(PREAMBLES, random) + render(pairs, random);
      const text = whole.slice(0, 1 + Math.floor(random() * (whole.length - 1)));
      const { pairs: read, problems } = parseReply(text, "length");
      assertEquals(read, pairs.slice(0, read.length), text);
      assert(problems.length > 0 || /[}\]`]\s*$/.test(text), text); // between whole objects nothing is torn
      // A server that does not say that it cut the reply: JSON still shows it; in text only the last answer can be short.
      const unsaid = parseReply(text).pairs, sure = TEXT.has(name) ? unsaid.slice(0, -1) : unsaid;
      for (const pair of sure) assert(pairs.some((one) => one.question === pair.question), text);
    }
  });
}

Deno.test("20,000 texts made of pieces of replies: nothing throws, and all that is lost has a name", () => {
  const random = rng("pieces");
  const pieces = [
    ...[
      "Q:",
      "A:",
      "**Q1:**",
      "A2:",
      "Question",
      "Answer:",
      "\n",
      "\n\n",
      "1.",
      "{",
      "}",
      "[",
      "]",
      '"',
      ",",
      ":",
    ],
    ...[
      '"question"',
      '"answer"',
      "```json",
      "```",
      "A)",
      "B)",
      "yes",
      "Which organ?",
      "\\",
      "\u0000",
      "問：",
      "null",
    ],
  ];
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from({ length: 1 + Math.floor(random() * 14) }, () => pick(pieces, random)).join(" ");
    const { pairs, problems } = parseReply(text, random() < 0.5 ? "stop" : "length");
    assert(pairs.length + problems.length > 0, text);
    for (const { question, answer } of pairs) assert(question !== "" && answer !== "", text);
  }
});

Deno.test("hostile replies end soon: a hundred thousand braces, brackets, labels", () => {
  const start = performance.now();
  for (const piece of ["{", "[", '{"a":', "{}", "Q: ", "A:\n", "1. ", "**", "Q?", '"', "```", "(", "#"]) {
    parseReply(piece.repeat(100_000));
    parseReply(piece.repeat(100_000) + "?", "length");
  }
  const seconds = (performance.now() - start) / 1000;
  assert(seconds < 20, `${seconds} s`);
});
