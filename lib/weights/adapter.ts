import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import { z } from "zod";
import { readIfThere } from "./card.ts";
import { writeJson } from "./checkpoint.ts";
import type { PaliGemmaConfig } from "./config.ts";
import { readHeader, type StoredTensor } from "./header.ts";
import { parseJson } from "./json.ts";
import { canonicalName, expectedShapes, linearModules, memoryName } from "./names.ts";
import { type Params, readTensors, writeSafetensors } from "./safetensors.ts";
import { selectionProblems } from "./targets.ts";

/** Low-rank adaptation: y = W x + B A x * alpha / r. */
export interface LoraConfig {
  /** Rank of the update. */
  r: number;
  /** Its scale times the rank. */
  alpha: number;
  /** PEFT's `target_modules`: a full-match pattern on module paths, or a list of path endings. */
  targets: string | string[];
}

/** A LoRA adapter, with the trained projector where there is one. All float32. */
export interface Adapter {
  /** Rank, scale and adapted modules. */
  config: LoraConfig;
  /** `<canonical module path>.lora_A.weight` [r, in] and `.lora_B.weight` [out, r]. */
  params: Params;
  /** `multi_modal_projector.linear.weight` and `.bias`, in place of the base model's. */
  projector?: Params;
}

const PROJECTOR = "multi_modal_projector.linear";
const positive = z.number().positive();
/** A key that must be false, null or empty. */
const unset = (what: string) =>
  z.custom((x) => x == null || x === false || (typeof x === "object" && Object.keys(x).length === 0), what)
    .optional();
const absent = unset("is not supported here");
const names = z.array(z.string().min(1));
const oneOrMore = <T extends z.ZodType>(one: T, expected: string) => z.union([one, z.array(one)], expected);

/** adapter_config.json. Keys that change what an adapter computes are refused where this code does not do it. */
const PeftConfig = z.looseObject({
  peft_type: z.literal("LORA"),
  r: z.number().int().positive().max(2 ** 16, `expected at most ${2 ** 16}`),
  lora_alpha: positive,
  target_modules: z.union([z.string().min(1), names.min(1)], "expected a pattern or a list of module names"),
  exclude_modules: oneOrMore(z.string(), "expected a pattern or a list of module names").nullish(),
  layers_to_transform: oneOrMore(
    z.number().int().nonnegative(),
    "expected a layer's number or a list of them",
  )
    .nullish(),
  layers_pattern: oneOrMore(z.string(), "expected a pattern or a list of them").nullish(),
  bias: z.literal("none", "biases trained beside LoRA are not supported here").optional(),
  init_lora_weights: z.union(
    [z.boolean(), z.enum(["gaussian", "eva", "orthogonal"])],
    "this initialisation changes the base weights and is not supported here",
  ).nullish(),
  modules_to_save: z.array(
    z.enum(
      ["multi_modal_projector", "multi_modal_projector.linear", "linear"],
      "only the projector can be saved along",
    ),
  ).nullish(),
  use_dora: absent,
  use_rslora: absent,
  use_qalora: absent,
  use_bdlora: absent,
  fan_in_fan_out: absent,
  lora_bias: absent,
  rank_pattern: unset("gives modules ranks of their own, which is not supported here"),
  alpha_pattern: unset("gives modules scales of their own, which is not supported here"),
  layer_replication: absent,
  target_parameters: absent,
  trainable_token_indices: absent,
  alora_invocation_tokens: absent,
  arrow_config: absent,
  kasa_config: absent,
});

/**
 * Loads a LoRA adapter in PEFT's files (adapter_config.json, adapter_model.safetensors), with the key spellings of
 * transformers before 4.52, 4.52-4.57 and 5. Everything becomes float32.
 * @param config of the base model: also checks shapes, and that `target_modules` names exactly the stored modules.
 * @throws with all offending names at once, and for DoRA, rank-stabilised LoRA and other variants not done here; the
 * reason of `signal` between two tensors.
 */
export async function loadAdapter(
  dir: string,
  config?: PaliGemmaConfig,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Adapter> {
  const path = join(dir, "adapter_config.json"), text = await readIfThere(path);
  if (text === null) {
    throw new Error(`Expected a PEFT adapter in ${dir}, found no adapter_config.json there.`);
  }
  const parsed = PeftConfig.safeParse(parseJson(text, path));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((i) => `key "${i.path.join(".")}": ${i.message}`);
    throw new Error(`${path} is not a LoRA adapter this code can run: ${problems.join("; ")}.`);
  }
  const { r, lora_alpha: alpha, target_modules: targets } = parsed.data;
  const selection = {
    targets,
    excluded: parsed.data.exclude_modules,
    saved: parsed.data.modules_to_save,
    layers: parsed.data.layers_to_transform,
    layersPattern: parsed.data.layers_pattern,
  };
  const stored = readHeader(join(dir, "adapter_model.safetensors")).tensors
    .map((t) => ({ ...t, name: adapterName(t.name) }));
  const problems = [
    ...storedProblems(stored, r, !!parsed.data.modules_to_save?.length),
    ...(config
      ? [...baseProblems(stored, config), ...selectionProblems(modulesOf(stored), selection, config)]
      : []),
  ];
  if (problems.length) {
    throw new Error(
      `The adapter in ${dir} cannot be used (${problems.length} problems):\n  ${problems.join("\n  ")}`,
    );
  }
  const all = await readTensors(stored, { dtype: "float32", signal });
  const part = (lora: boolean) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => /\.lora_[AB]\.weight$/.test(name) === lora));
  const projector = part(false);
  return {
    config: { r, alpha, targets },
    params: part(true),
    ...(Object.keys(projector).length ? { projector } : {}),
  };
}

/** The canonical name of a tensor in an adapter file, e.g. "language_model.layers.0.self_attn.q_proj.lora_A.weight". */
function adapterName(key: string): string {
  const plain = key.replace(/^base_model\.model\./, "").replace(/(\.lora_[AB])\.\w+\.weight$/, "$1.weight")
    .replace(/\.modules_to_save\.\w+(?=\.)/, "");
  return canonicalName(plain);
}

const modulesOf = (stored: readonly StoredTensor[]) => [
  ...new Set(stored.flatMap((t) => /^(.*)\.lora_[AB]\.weight$/.exec(t.name)?.[1] ?? [])),
];

/** What is wrong with the stored tensors by themselves: pairs, ranks, a projector that is not whole. */
function storedProblems(stored: readonly StoredTensor[], r: number, saved: boolean): string[] {
  const problems: string[] = [], shapes = new Map<string, number[]>();
  for (const t of stored) {
    if (shapes.has(t.name)) problems.push(`"${t.name}" given twice`);
    shapes.set(t.name, t.shape);
    if (
      !/\.lora_[AB]\.weight$/.test(t.name) && !/^multi_modal_projector\.linear\.(weight|bias)$/.test(t.name)
    ) {
      problems.push(`unknown "${t.name}"`);
    }
  }
  for (const module of modulesOf(stored)) {
    const a = shapes.get(`${module}.lora_A.weight`), b = shapes.get(`${module}.lora_B.weight`);
    if (!a) problems.push(`missing "${module}.lora_A.weight"`);
    else if (a.length !== 2 || a[0] !== r) {
      problems.push(`"${module}.lora_A.weight": expected [${r}, in], found [${a}]`);
    }
    if (!b) problems.push(`missing "${module}.lora_B.weight"`);
    else if (b.length !== 2 || b[1] !== r) {
      problems.push(`"${module}.lora_B.weight": expected [out, ${r}], found [${b}]`);
    }
  }
  if (!modulesOf(stored).length) problems.push("no LoRA matrices");
  const own = ["weight", "bias"].filter((p) => shapes.has(`${PROJECTOR}.${p}`));
  if (own.length !== (saved ? 2 : 0)) {
    problems.push(
      saved
        ? `modules_to_save names the projector, expected "${PROJECTOR}.weight" and ".bias", found ${own.length} of them`
        : `"${PROJECTOR}" is stored, but modules_to_save does not name it`,
    );
  }
  return problems;
}

/** What does not fit the base model: unknown modules, other sizes. */
function baseProblems(stored: readonly StoredTensor[], config: PaliGemmaConfig): string[] {
  const linear = linearModules(config), shapes = expectedShapes(config);
  return stored.flatMap(({ name, shape }) => {
    const [, module, side] = /^(.*)\.lora_([AB])\.weight$/.exec(name) ?? [];
    if (module === undefined) {
      return name in shapes && shapes[name].join() !== shape.join()
        ? [`"${name}": expected [${shapes[name]}], found [${shape}]`]
        : [];
    }
    if (!Object.hasOwn(linear, module)) return [`"${name}": the base model has no linear layer "${module}"`];
    const [into, out] = linear[module], want = side === "A" ? into : out, found = shape[side === "A" ? 1 : 0];
    return want === found ? [] : [`"${name}": the base layer has size ${want} there, found ${found}`];
  });
}

/**
 * Writes an adapter as PEFT 0.21 with transformers 5 does, float32.
 * @param baseModel hub id or folder of the base model, for `base_model_name_or_path`.
 */
export async function saveAdapter(
  dir: string,
  adapter: Adapter,
  { baseModel = null }: { baseModel?: string | null } = {},
): Promise<void> {
  const { config: { r, alpha, targets }, params, projector } = adapter;
  await ensureDir(dir);
  await writeJson(join(dir, "adapter_config.json"), {
    peft_type: "LORA",
    task_type: null,
    base_model_name_or_path: baseModel,
    r,
    lora_alpha: alpha,
    lora_dropout: 0,
    bias: "none",
    target_modules: targets,
    modules_to_save: projector ? ["multi_modal_projector"] : null,
    rank_pattern: {},
    alpha_pattern: {},
    use_rslora: false,
    use_dora: false,
    fan_in_fan_out: false,
    init_lora_weights: true,
    inference_mode: true,
  });
  writeSafetensors(
    join(dir, "adapter_model.safetensors"),
    Object.fromEntries(
      Object.entries({ ...params, ...projector }).map((
        [name, t],
      ) => [`base_model.model.${memoryName(name)}`, t]),
    ),
    { dtype: "float32" },
  );
}
