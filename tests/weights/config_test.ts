import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseConfig, toHubConfig } from "@lib/weights/config.ts";
import { TINY } from "./make.ts";

const lines = Deno.readTextFileSync(new URL("./fixtures/configs.jsonl", import.meta.url)).trim().split("\n");
const cases = lines.slice(1).map((line) => JSON.parse(line));

Deno.test("configurations are read as transformers reads them, defaults included", () => {
  assert(cases.length >= 15);
  for (const { title, config, expected } of cases) assertEquals(parseConfig(config), expected, title);
});

Deno.test("a configuration survives being written and read again", () => {
  assertEquals(parseConfig(toHubConfig(TINY)), TINY);
  for (const { title, expected } of cases) assertEquals(parseConfig(toHubConfig(expected)), expected, title);
});

Deno.test("what the model code cannot do is refused with the key's name", () => {
  const good = () => structuredClone(toHubConfig(TINY)) as Record<string, Record<string, unknown>>;
  const broken: [string, (c: ReturnType<typeof good>) => void, string][] = [
    ["Gemma 2", (c) => c.text_config.model_type = "gemma2", '"text_config.model_type"'],
    ["another model", (c) => (c as Record<string, unknown>).model_type = "llava", '"model_type"'],
    ["a size as text", (c) => c.text_config.hidden_size = "8", '"text_config.hidden_size"'],
    ["a size of zero", (c) => c.vision_config.patch_size = 0, '"vision_config.patch_size"'],
    ["heads that do not divide", (c) => c.vision_config.num_attention_heads = 4, "num_attention_heads"],
    ["key heads that do not divide", (c) => c.text_config.num_key_value_heads = 2, "num_key_value_heads"],
    ["an odd head", (c) => c.text_config.head_dim = 5, '"text_config.head_dim"'],
    [
      "a projector that does not fit",
      (c) => (c as Record<string, unknown>).projection_dim = 9,
      "projection_dim",
    ],
    ["a rectangular image", (c) => c.vision_config.image_size = [9, 8], '"vision_config.image_size"'],
    ["attention biases", (c) => c.text_config.attention_bias = true, '"text_config.attention_bias"'],
    ["another activation", (c) => c.text_config.hidden_act = "silu", '"text_config.hidden_act"'],
    [
      "scaled rotary angles",
      (c) => c.text_config.rope_parameters = { rope_type: "linear", factor: 2 },
      "rope_parameters.rope_type",
    ],
    [
      "an output layer of its own",
      (c) => (c as Record<string, unknown>).tie_word_embeddings = false,
      '"tie_word_embeddings"',
    ],
    [
      "quantized weights",
      (c) => c.quantization_config = { quant_method: "bitsandbytes", load_in_4bit: true },
      '"quantization_config": the weights are quantized',
    ],
    ["several end tokens", (c) => c.text_config.eos_token_id = [1, 107], "lists several tokens"],
    ["capped logits", (c) => c.text_config.final_logit_softcapping = 30, "caps the logits"],
    ["absurdly many layers", (c) => c.text_config.num_hidden_layers = 3000000, "expected at most 512"],
    ["an absurd width", (c) => c.vision_config.hidden_size = 2 ** 40, "expected at most 65536"],
    ["an absurd vocabulary", (c) => c.text_config.vocab_size = 2 ** 31, "expected at most 4194304"],
    ["an absurd image", (c) => c.vision_config.image_size = 1e9, '"vision_config.image_size"'],
    ["four channels", (c) => c.vision_config.num_channels = 4, '"vision_config.num_channels"'],
    [
      "a causal prefix",
      (c) => c.text_config.use_bidirectional_attention = false,
      "use_bidirectional_attention",
    ],
  ];
  for (const [title, change, expected] of broken) {
    const config = good();
    change(config);
    const error = assertThrows(() => parseConfig(config, "some/config.json"), Error) as Error;
    assertStringIncludes(error.message, expected, title);
    assertStringIncludes(error.message, "some/config.json", title);
  }
  assertThrows(() => parseConfig(null), Error, "config.json");
  assertThrows(() => parseConfig([]), Error, "config.json");
});

Deno.test("all offending keys are named at once", () => {
  const error = assertThrows(
    () => parseConfig({ model_type: "paligemma", text_config: { head_dim: -1, vocab_size: "x" } }),
    Error,
  ) as Error;
  assertStringIncludes(error.message, '"text_config.head_dim"');
  assertStringIncludes(error.message, '"text_config.vocab_size"');
});
