import { assertEquals } from "@std/assert";
import { parseReply, type RawPair, type ReplyShape } from "@lib/synthesis/mod.ts";

const one: RawPair = { question: "Which organ is shown?", answer: "The liver", choices: null };
const two: RawPair = { question: "Which plane is it?", answer: "axial", choices: null };
const object = (pair: RawPair) => JSON.stringify({ question: pair.question, answer: pair.answer });

/** Shapes seen in real teacher output for MedPix (made-up contents), and those usual for other models. */
const SHAPES: [string, string, ReplyShape][] = [
  [
    "plain Q and A",
    "Here are two pairs:\n\nQ: Which organ is shown?\nA: The liver\n\nQ: Which plane is it?\nA: axial",
    "qa_text",
  ],
  [
    "bold question",
    "Pairs:\n**Q: Which organ is shown?**\nA: The liver\n\n**Q: Which plane is it?**\nA: axial",
    "qa_text",
  ],
  [
    "bold letters",
    "**Q:** Which organ is shown?\n**A:** The liver\n\n**Q:** Which plane is it?\n**A:** axial",
    "qa_text",
  ],
  [
    "numbered bold letters",
    "**Q1:** Which organ is shown?\n**A1:** The liver\n**Q2:** Which plane is it?\n**A2:** axial",
    "qa_text",
  ],
  [
    "numbered bold question",
    "**Q1: Which organ is shown?**\nA1: The liver\n\n**Q2: Which plane is it?**\nA2: axial",
    "qa_text",
  ],
  [
    "numbered question only",
    "**Q1: Which organ is shown?**\nA: The liver\n**Q2: Which plane is it?**\nA: axial",
    "qa_text",
  ],
  [
    "whole words",
    "Question: Which organ is shown?\nAnswer: The liver\n\nQuestion 2: Which plane is it?\nAnswer 2: axial",
    "qa_text",
  ],
  [
    "numbered list",
    "1. Which organ is shown?\n   Answer: The liver\n2. Which plane is it?\n   Answer: axial",
    "qa_text",
  ],
  [
    "list with letters",
    "1. Q: Which organ is shown?\nA: The liver\n2. Q: Which plane is it?\nA: axial",
    "qa_text",
  ],
  ["one line each", "Q: Which organ is shown? A: The liver\nQ: Which plane is it? A: axial", "qa_text"],
  [
    "several lines",
    "Q: Which organ\nis shown?\nA: The\nliver\nQ: Which plane is it?\nA: axial",
    "qa_text",
  ],
  [
    "Windows lines",
    "Q: Which organ is shown?\r\nA: The liver\r\n\r\nQ: Which plane is it?\r\nA: axial",
    "qa_text",
  ],
  ["JSON array", `[${object(one)}, ${object(two)}]`, "json_array"],
  [
    "one object",
    JSON.stringify({ pairs: [one, two].map(({ question, answer }) => ({ question, answer })) }),
    "json",
  ],
  [
    "nested qa_pair",
    JSON.stringify({ image_id: "x", qa_pair: [JSON.parse(object(one)), JSON.parse(object(two))] }),
    "json",
  ],
  ["fenced", "Sure:\n```json\n[" + object(one) + ",\n" + object(two) + "]\n```\nDone.", "json_fenced"],
  ["objects by line", `${object(one)}\n${object(two)}`, "json_lines"],
  ["objects without commas", `${object(one)} ${object(two)}`, "json_lines"],
  ["objects in prose", `First: ${object(one)} and then ${object(two)}.`, "json_salvaged"],
  [
    "other keys",
    `[{"Q": "Which organ is shown?", "A": "The liver"}, {"Question": "Which plane is it?", "Answer": "axial"}]`,
    "json_array",
  ],
];

for (const [name, text, shape] of SHAPES) {
  Deno.test(`a reply as ${name} gives its pairs`, () => {
    assertEquals(parseReply(text), { shape, pairs: [one, two], problems: [] });
  });
}

Deno.test("a reply cut at the token limit loses its last pair only, and says so", () => {
  const array = `[${object(one)}, {"question": "Which pla`;
  assertEquals(parseReply(array, "length"), {
    shape: "json_salvaged",
    pairs: [one],
    problems: ["truncated"],
  });
  const fenced = '```json\n{"pairs": [' + object(one) + `, {"question": "Which plane is it?", "answer": "ax`;
  assertEquals(parseReply(fenced, "length"), { shape: "json_fenced", pairs: [one], problems: ["truncated"] });
  const text = "Q: Which organ is shown?\nA: The liver\nQ: Which plane is it?\nA: ax";
  assertEquals(parseReply(text, "length"), { shape: "qa_text", pairs: [one], problems: ["truncated"] });
  assertEquals(parseReply(`{"question": "Which organ is`, "length").problems, ["truncated"]);
  assertEquals(parseReply(object(one), "length"), { shape: "json", pairs: [one], problems: [] });
});

Deno.test("what gives no pair has a name", () => {
  assertEquals(parseReply("  \n").problems, ["empty"]);
  assertEquals(parseReply("I'm sorry, but I can't help with that.").problems, ["refusal"]);
  assertEquals(parseReply("The image shows a liver.").problems, ["no_pairs"]);
  assertEquals(parseReply("Q: Which organ is shown?\n\nQ: Which plane is it?\nA: axial"), {
    shape: "qa_text",
    pairs: [two],
    problems: ["missing_answer"],
  });
  assertEquals(parseReply(`A: axial\n${"Q: Which plane is it?\nA: axial"}`).problems, ["missing_question"]);
  assertEquals(parseReply(`[{"question": "Which plane is it?"}, {"answer": "axial"}]`).problems, [
    "missing_answer",
    "missing_question",
  ]);
});

Deno.test("an answer with a number goes to the question of its number, or to the last one where questions have none", () => {
  assertEquals(parseReply("Q: Which organ is shown?\nA1: The liver").pairs, [one]);
  const asked = "Q1: Which organ is shown?\nQ2: Which plane is it?\n";
  assertEquals(parseReply(`${asked}A1: The liver\nA2: axial`), {
    shape: "qa_text",
    pairs: [one, two],
    problems: [],
  });
  assertEquals(parseReply(`${asked}A2: axial\nA3: coronal`), {
    shape: "qa_text",
    pairs: [two],
    problems: ["missing_question", "missing_answer"],
  });
});

Deno.test("options come without letters and the answer as an option's text", () => {
  const wanted: RawPair = {
    question: "Which organ?",
    answer: "liver",
    choices: ["lung", "liver", "spleen", "heart"],
  };
  const listed = "Q: Which organ?\nA) lung\nB) liver\nC) spleen\nD) heart\nAnswer: B";
  assertEquals(parseReply(listed).pairs, [wanted]);
  assertEquals(parseReply(listed.replace("Answer: B", "A: B) liver")).pairs, [wanted]);
  const letters = {
    question: "Which organ?",
    options: { A: "lung", B: "liver", C: "spleen", D: "heart" },
    answer: "B",
  };
  assertEquals(parseReply(JSON.stringify(letters)).pairs, [wanted]);
  const wrong = { question: "Which organ?", answer: "liver", wrong_answers: ["lung", "spleen", "heart"] };
  assertEquals(parseReply(JSON.stringify(wrong)).pairs[0].choices, ["liver", "lung", "spleen", "heart"]);
});

Deno.test("braces and quotes inside strings do not end an object", () => {
  const pair = { question: 'What does "}{" mark?', answer: 'a \\ and a "quote"', choices: null };
  assertEquals(parseReply(`first ${object(pair)} last`).pairs, [pair]);
});
