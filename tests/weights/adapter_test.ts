import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { rng } from "@lib/config/mod.ts";
import { realType, tf } from "@lib/tensor/mod.ts";
import {
  type Adapter,
  loadAdapter,
  type Params,
  readHeader,
  saveAdapter,
  writeSafetensors,
} from "@lib/weights/mod.ts";
import { linearModules } from "@lib/weights/names.ts";
import { inTempDir, randomTensor, TINY, valuesOf } from "./make.ts";

const ATTENTION = ".*(vision_tower|language_model).*\\.self_attn\\.(q_proj|k_proj|v_proj|o_proj|out_proj)";
const PROJECTOR = "multi_modal_projector.linear";

/** Random matrices of rank 3 for the modules that `chosen` picks. */
function adapterFor(chosen: RegExp, targets: string | string[] = ATTENTION, projector = false): Adapter {
  const random = rng("adapter"), params: Params = {};
  for (const [module, [into, out]] of Object.entries(linearModules(TINY)).filter(([m]) => chosen.test(m))) {
    params[`${module}.lora_A.weight`] = tf.keep(randomTensor([3, into], random));
    params[`${module}.lora_B.weight`] = tf.keep(randomTensor([out, 3], random));
  }
  const own = {
    [`${PROJECTOR}.weight`]: randomTensor([8, 6], random),
    [`${PROJECTOR}.bias`]: randomTensor([8], random),
  };
  return { config: { r: 3, alpha: 8, targets }, params, ...(projector ? { projector: own } : {}) };
}

/** Writes adapter files with keys and configuration as given. */
async function write(dir: string, tensors: Params, config: Record<string, unknown> = {}): Promise<void> {
  const base = { peft_type: "LORA", r: 3, lora_alpha: 8, target_modules: ATTENTION, bias: "none" };
  await Deno.writeTextFile(join(dir, "adapter_config.json"), JSON.stringify({ ...base, ...config }));
  writeSafetensors(join(dir, "adapter_model.safetensors"), tensors);
}

const spelt = (adapter: Adapter, spell: (canonical: string) => string): Params =>
  Object.fromEntries(
    Object.entries({ ...adapter.params, ...adapter.projector }).map(([n, t]) => [spell(n), t]),
  );

Deno.test("an adapter comes back as it was saved, with and without the projector", () =>
  inTempDir(async (dir) => {
    for (const projector of [false, true]) {
      const adapter = adapterFor(/self_attn/, ATTENTION, projector);
      await saveAdapter(dir, adapter, { baseModel: "google/paligemma-3b-mix-448" });
      const back = await loadAdapter(dir, TINY);
      assertEquals(back.config, adapter.config);
      assertEquals(valuesOf(back.params), valuesOf(adapter.params));
      assertEquals(
        back.projector && valuesOf(back.projector),
        adapter.projector && valuesOf(adapter.projector),
      );
    }
    const config = JSON.parse(await Deno.readTextFile(join(dir, "adapter_config.json")));
    assertEquals([config.base_model_name_or_path, config.modules_to_save], [
      "google/paligemma-3b-mix-448",
      ["multi_modal_projector"],
    ]);
    assertEquals([config.peft_type, config.r, config.lora_alpha, config.lora_dropout], ["LORA", 3, 8, 0]);
    const keys = readHeader(join(dir, "adapter_model.safetensors")).tensors.map((t) => t.name);
    assertEquals(keys.includes("base_model.model.model.multi_modal_projector.linear.weight"), true);
    assertEquals(
      keys.includes("base_model.model.model.vision_tower.encoder.layers.0.self_attn.out_proj.lora_A.weight"),
      true,
    );
  }));

Deno.test("the key spellings of older transformers and of PEFT's training state load the same", () =>
  inTempDir(async (dir) => {
    const adapter = adapterFor(/self_attn/, ATTENTION, true), head = "base_model.model.";
    const spellings: Record<string, (n: string) => string> = {
      "transformers 5": (n) => `${head}model.${n}`,
      "4.52 to 4.57": (n) => `${head}model.${n.replace("vision_tower.", "vision_tower.vision_model.")}`,
      "4.51 and before": (n) =>
        head + n.replace("vision_tower.", "vision_tower.vision_model.")
          .replace("language_model.", "language_model.model."),
      "adapter named": (n) =>
        `${head}model.${
          n.replace(/(lora_[AB])/, "$1.default").replace("projector.", "projector.modules_to_save.default.")
        }`,
    };
    for (const [title, spell] of Object.entries(spellings)) {
      await write(dir, spelt(adapter, spell), { modules_to_save: ["multi_modal_projector"] });
      const back = await loadAdapter(dir, TINY);
      assertEquals(valuesOf(back.params), valuesOf(adapter.params), title);
      assertEquals(valuesOf(back.projector!), valuesOf(adapter.projector!), title);
    }
  }));

Deno.test("matrices stored in bfloat16 load as float32", () =>
  inTempDir(async (dir) => {
    const adapter = adapterFor(/self_attn/);
    await write(dir, {});
    writeSafetensors(
      join(dir, "adapter_model.safetensors"),
      spelt(adapter, (n) => `base_model.model.model.${n}`),
      {
        dtype: "bfloat16",
      },
    );
    const back = await loadAdapter(dir);
    assertEquals([...new Set(Object.values(back.params).map(realType))], ["float32"]);
  }));

Deno.test("target_modules must name exactly the stored modules, as a pattern or as a list", () =>
  inTempDir(async (dir) => {
    const store = (chosen: RegExp, target_modules: unknown) =>
      write(dir, spelt(adapterFor(chosen), (n) => `base_model.model.model.${n}`), { target_modules });
    const good: [RegExp, unknown][] = [
      [/self_attn/, ATTENTION],
      [/self_attn/, ["q_proj", "k_proj", "v_proj", "o_proj", "out_proj"]],
      [/[qv]_proj/, ["q_proj", "v_proj"]],
      [/language_model.*[qv]_proj/, ".*language_model.*\\.(q|v)_proj"],
      [
        /vision_tower.*q_proj/,
        "model\\.vision_tower\\.vision_model\\.encoder\\.layers\\.\\d+\\.self_attn\\.q_proj",
      ],
      [/layers\.1\.mlp/, ".*\\.layers\\.1\\.mlp\\..*"],
      [/./, "all-linear"],
      [/q_proj/, "(?P<python>.*q_proj)"], // a syntax that JavaScript does not have
    ];
    for (const [chosen, targets] of good) {
      await store(chosen, targets);
      const modules = Object.keys(linearModules(TINY)).filter((m) => chosen.test(m));
      assertEquals(
        Object.keys((await loadAdapter(dir, TINY)).params).length,
        2 * modules.length,
        String(targets),
      );
    }
    await store(/self_attn/, ["q_proj", "k_proj", "v_proj", "o_proj"]);
    const { message } = await assertRejects(() => loadAdapter(dir, TINY), Error) as Error;
    assertStringIncludes(message, "2 problems");
    assertStringIncludes(
      message,
      '"vision_tower.encoder.layers.1.self_attn.out_proj" is stored, but target_modules',
    );
    await store(/self_attn/, ["_proj"]); // an ending is a whole part of the path
    await assertRejects(() => loadAdapter(dir, TINY), Error, "16 problems");
    await store(/[qv]_proj/, ATTENTION);
    await assertRejects(() => loadAdapter(dir, TINY), Error, "which is not stored");
    assertEquals((await loadAdapter(dir)).config.targets, ATTENTION); // without a base model there is nothing to compare
  }));

Deno.test("broken files name every problem at once", () =>
  inTempDir(async (dir) => {
    const tensors = spelt(adapterFor(/self_attn/), (n) => `base_model.model.model.${n}`);
    const at = (n: string) => `base_model.model.model.${n}`;
    delete tensors[at("language_model.layers.0.self_attn.q_proj.lora_B.weight")];
    tensors[at("language_model.layers.0.self_attn.k_proj.lora_A.weight")] = tf.zeros([4, 8]);
    tensors[at("language_model.layers.0.self_attn.v_proj.lora_B.weight")] = tf.zeros([5, 3]);
    tensors[at("language_model.layers.7.self_attn.v_proj.lora_A.weight")] = tf.zeros([3, 8]);
    tensors[at("language_model.embed_tokens.lora_embedding_A")] = tf.zeros([3, 21]);
    tensors[at(`${PROJECTOR}.weight`)] = tf.zeros([8, 6]);
    await write(dir, tensors);
    const { message } = await assertRejects(() => loadAdapter(dir, TINY), Error) as Error;
    for (
      const part of [
        'missing "language_model.layers.0.self_attn.q_proj.lora_B.weight"',
        '"language_model.layers.0.self_attn.k_proj.lora_A.weight": expected [3, in], found [4,8]',
        '"language_model.layers.0.self_attn.v_proj.lora_B.weight": the base layer has size 4 there, found 5',
        'no linear layer "language_model.layers.7.self_attn.v_proj"',
        'unknown "language_model.embed_tokens.lora_embedding_A"',
        '"multi_modal_projector.linear" is stored, but modules_to_save does not name it',
      ]
    ) assertStringIncludes(message, part);
    await write(dir, spelt(adapterFor(/self_attn/), at), { modules_to_save: ["multi_modal_projector"] });
    await assertRejects(() => loadAdapter(dir, TINY), Error, "found 0 of them");
    await write(dir, {});
    await assertRejects(() => loadAdapter(dir), Error, "no LoRA matrices");
    await Deno.remove(join(dir, "adapter_model.safetensors"));
    await assertRejects(() => loadAdapter(dir), Error, "cannot be opened");
    await Deno.remove(join(dir, "adapter_config.json"));
    await assertRejects(() => loadAdapter(dir), Error, "no adapter_config.json");
  }));

Deno.test("variants that this code does not compute are refused with the key's name", () =>
  inTempDir(async (dir) => {
    const tensors = spelt(adapterFor(/self_attn/), (n) => `base_model.model.model.${n}`);
    const refused: Record<string, unknown> = {
      use_dora: true,
      use_rslora: true,
      bias: "all",
      peft_type: "LOHA",
      rank_pattern: { q_proj: 4 },
      alpha_pattern: { q_proj: 4 },
      fan_in_fan_out: true,
      init_lora_weights: "pissa",
      modules_to_save: ["embed_tokens"],
      target_parameters: ["x"],
      trainable_token_indices: [1],
      r: 0,
      target_modules: [],
    };
    for (const [key, value] of Object.entries(refused)) {
      await write(dir, tensors, { [key]: value });
      await assertRejects(() => loadAdapter(dir), Error, `key "${key}`);
    }
    for (const [key, what] of [["rank_pattern", "ranks"], ["alpha_pattern", "scales"]]) {
      await write(dir, tensors, { [key]: { q_proj: 4 } });
      const sentence = `key "${key}": gives modules ${what} of their own, which is not supported here.`;
      await assertRejects(() => loadAdapter(dir), Error, sentence);
    }
    await write(dir, tensors, {
      use_dora: false,
      use_rslora: false,
      rank_pattern: {},
      alpha_pattern: null,
      modules_to_save: null,
      target_parameters: [],
      megatron_config: null,
      lora_dropout: 0.05,
    });
    assertEquals((await loadAdapter(dir, TINY)).config.r, 3);
  }));
