import { assert, assertEquals, assertThrows } from "@std/assert";
import { trainBpe } from "@lib/nano/bpe_train.ts";
import { tokenizerFrom } from "@lib/text/tokenizer.ts";
import { readFixture } from "../text/gemma.ts";
import { sentences } from "../text/sentences.ts";

interface Trained {
  text: string;
  ids: number[];
  decoded: string;
}

const json = trainBpe(sentences(400), 640);
const tokenizer = tokenizerFrom(json);

Deno.test("special tokens, bytes and the line break lie where Gemma's readers expect them", () => {
  const { padId, eosId, bosId, imageId, vocabSize } = tokenizer;
  assertEquals([padId, eosId, bosId, tokenizer.tokenToId("<unk>"), imageId, vocabSize], [
    0,
    1,
    2,
    3,
    639,
    640,
  ]);
  assertEquals([tokenizer.idToToken(4), tokenizer.idToToken(259), tokenizer.idToToken(260)], [
    "<0x00>",
    "<0xFF>",
    "\n",
  ]);
  assertEquals(
    Object.values(json.model.vocab).sort((a, b) => a - b),
    Array.from({ length: 640 }, (_, i) => i),
  );
  assertEquals(tokenizer.encode("a\n\nb").filter((id) => id === 260).length, 2);
});

Deno.test("training is deterministic and does not depend on the order of the texts", () => {
  const texts = sentences(400);
  assertEquals(trainBpe(texts, 640), json);
  assertEquals(trainBpe(texts.toReversed(), 640), json);
});

Deno.test("frequent words become single tokens, and every text comes back", () => {
  const texts = sentences(400);
  for (const word of ["answer", "▁the", "▁hemorrhage", "nodule", "yes"]) {
    assert(tokenizer.tokenToId(word) !== undefined, word);
  }
  const characters = texts.reduce((n, t) => n + t.length, 0);
  const tokens = texts.reduce((n, t) => n + tokenizer.encode(t).length, 0);
  assert(characters / tokens > 3, `${characters / tokens} characters per token`);
  for (const text of [...texts, " 肺 🫁\t\u0000 \ufeff\u00e9 <eos>", "", "  two  spaces ", "ZYX 0987 {}~"]) {
    assertEquals(tokenizer.decode(tokenizer.encode(text)), text);
  }
});

Deno.test("merges stay inside words: digits, line breaks and word borders are never crossed", () => {
  for (const [left, right] of json.model.merges) {
    const made = left + right;
    assert(!/[\p{N}\n]/u.test(made), JSON.stringify(made));
    assert(!made.slice(1).includes("▁"), JSON.stringify(made));
  }
});

Deno.test("a vocabulary larger than the texts can fill is filled up, one too small is refused", () => {
  const small = trainBpe(["ab ab ab"], 400);
  assertEquals(Object.keys(small.model.vocab).length, 400);
  assertEquals([small.model.vocab["<unused0>"] > 0, small.model.vocab["<image>"]], [true, 399]);
  assertEquals(small.model.merges, [["a", "b"], ["▁", "ab"]]);
  const count = 4 + 256 + 1 + 94 + 1 + 1; // specials, bytes, "\n", ASCII, "▁", <image>
  assertEquals(Object.keys(trainBpe([], count).model.vocab).length, count);
  assertThrows(() => trainBpe([], count - 1), Error, `at least ${count} tokens`);
});

Deno.test("transformers reads the trained tokenizer and gives the same ids", () => {
  const { header, rows } = readFixture<Trained>("trained_ids", import.meta.url);
  assertEquals(header.tokenizer, json); // the fixture was made with what trainBpe gives today
  assert(rows.length > 100);
  for (const { text, ids, decoded } of rows) {
    assertEquals(tokenizer.encode(text), ids, JSON.stringify(text));
    assertEquals(tokenizer.decode(ids), decoded, JSON.stringify(text));
  }
});
