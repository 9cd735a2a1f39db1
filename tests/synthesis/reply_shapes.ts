/** Writes known pairs as teachers write them: every shape of the layouts seen in real output, and those usual elsewhere. */
import { rng } from "@lib/config/mod.ts";
import type { RawPair } from "@lib/synthesis/mod.ts";

export type Random = ReturnType<typeof rng>;
type Render = (pairs: readonly RawPair[], random: Random) => string;

export const pick = <T>(items: readonly T[], random: Random): T => items[Math.floor(random() * items.length)];

const OPENINGS = ["What", "Which organ", "Where exactly", "Is there anything", "Which of the two lungs"];
const MIDDLES = [
  "is shown on this T2*-weighted image",
  "(a: axial or b: coronal) do we see",
  'does the arrow labelled "A" point to',
  "is seen at the 3. rib",
  "lies near the {mass} in question",
  "is larger than 5 mm: the cyst or the node",
  "is hyperintense in Answer to the contrast",
];
const ANSWERS = [
  "The liver",
  "yes",
  "No",
  "axial",
  "T2*",
  "A 1.5 cm cyst; no fat",
  "5",
  'the "halo" sign',
  "ratio 2:1, Q wave absent",
  "Hepatitis A: unlikely",
  "left > right",
  "β-blocker effect, naïve",
  "[none]",
];

/** Pairs with different questions, in words that try to look like labels, options and markup. */
export function knownPairs(random: Random): RawPair[] {
  return Array.from({ length: 1 + Math.floor(random() * 5) }, (_, i) => ({
    question: `${pick(OPENINGS, random)} ${pick(MIDDLES, random)}, number ${i + 1}?`,
    answer: pick(ANSWERS, random),
    choices: null,
  }));
}

const plain = ({ question, answer }: RawPair) => ({ question, answer });
const list = (pairs: readonly RawPair[], gap: string, one: (pair: RawPair, n: number) => string) =>
  pairs.map((pair, i) => one(pair, i + 1)).join(gap);
const gap = (random: Random) => pick(["\n", "\n\n", "\n\n\n", "\n---\n"], random);
/** Breaks a text after some of its words, as wrapped replies do. */
const wrapped = (text: string, random: Random) =>
  text.replace(/ (?=[a-z]{3,} )/g, () => random() < 0.3 ? "\n" : " ");

export const TEXT_SHAPES: Record<string, Render> = {
  "Q: / A:": (p, r) => list(p, gap(r), (x) => `Q: ${x.question}\nA: ${x.answer}`),
  "**Q: ...**": (p, r) => list(p, gap(r), (x) => `**Q: ${x.question}**\nA: ${x.answer}`),
  "**Q:** ...": (p, r) => list(p, gap(r), (x) => `**Q:** ${x.question}\n**A:** ${x.answer}`),
  "**Q1:** ...": (p, r) => list(p, gap(r), (x, n) => `**Q${n}:** ${x.question}\n**A${n}:** ${x.answer}`),
  "**Q1: ...** / A1": (p, r) => list(p, gap(r), (x, n) => `**Q${n}: ${x.question}**\nA${n}: ${x.answer}`),
  "**Q1: ...** / A": (p, r) => list(p, gap(r), (x, n) => `**Q${n}: ${x.question}**\nA: ${x.answer}`),
  "Question: / Answer:": (p, r) => list(p, gap(r), (x) => `Question: ${x.question}\nAnswer: ${x.answer}`),
  "### Question 1": (p, r) =>
    list(p, gap(r), (x, n) => `### Question ${n}\n${x.question}\n\n### Answer ${n}\n${x.answer}`),
  "Question 1 (open):": (p, r) =>
    list(p, gap(r), (x, n) => `**Question ${n} (open):** ${x.question}\n**Answer ${n}:** ${x.answer}`),
  "1. ... / Answer:": (p, r) => list(p, gap(r), (x, n) => `${n}. ${x.question}\n   Answer: ${x.answer}`),
  "1. ... / - ...": (p, r) => list(p, gap(r), (x, n) => `${n}. ${x.question}\n   - ${x.answer}`),
  "1) Q: / A:": (p, r) => list(p, gap(r), (x, n) => `${n}) Q: ${x.question}\n   A: ${x.answer}`),
  "bullets": (p, r) => list(p, gap(r), (x) => `- Q: ${x.question}\n- A: ${x.answer}`),
  "one line each": (p, r) => list(p, gap(r), (x) => `Q: ${x.question} A: ${x.answer}`),
  "wrapped lines": (p, r) => list(p, "\n\n", (x) => wrapped(`Q: ${x.question}\nA: ${x.answer}`, r)),
  "questions, then answers": (p) =>
    `${list(p, "\n", (x, n) => `Q${n}: ${x.question}`)}\n\n${list(p, "\n", (x, n) => `A${n}: ${x.answer}`)}`,
  "*Q: ...*": (p, r) => list(p, gap(r), (x) => `*Q:* ${x.question}\n*A:* ${x.answer}`),
};

export const JSON_SHAPES: Record<string, Render> = {
  "JSON array": (p, r) => JSON.stringify(p.map(plain), null, pick([0, 2], r)),
  "JSON object of pairs": (p) => JSON.stringify({ pairs: p.map(plain) }),
  "fenced JSON": (p, r) => `\`\`\`json\n${JSON.stringify(p.map(plain), null, pick([0, 1], r))}\n\`\`\``,
  "a fence a pair": (p) => list(p, "\n\n", (x) => `\`\`\`json\n${JSON.stringify(plain(x))}\n\`\`\``),
  "an object per line": (p) => list(p, "\n", (x) => JSON.stringify(plain(x))),
  "objects one after another": (p) => list(p, " ", (x) => JSON.stringify(plain(x), null, 4)),
  "objects in prose": (p) => list(p, " and then ", (x) => JSON.stringify(plain(x))),
  "other keys": (p) => JSON.stringify(p.map((x) => ({ Q: x.question, A: x.answer, note: "{}" }))),
};

export const PREAMBLES = ["", "Here are five question-answer pairs:\n\n", "Sure! Pairs about the image:\n"];
export const CLOSINGS = ["", "\n\nI hope this helps!", "\n\nLet me know if you need more."];
