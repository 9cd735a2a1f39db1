import type { PaliGemmaConfig } from "./config.ts";
import { hubName, linearModules, memoryName } from "./names.ts";
import { pythonFullMatch } from "./pattern.ts";

/** What of an adapter_config.json chooses the adapted modules; the rule is PEFT's `check_target_module_exists`. */
export interface Selection {
  /** A full-match pattern, "all-linear", or a list of paths and path endings. */
  targets: string | string[];
  /** Likewise: these are not adapted. */
  excluded?: string | string[] | null;
  /** Names within paths: trained whole, hence not adapted. */
  saved?: string[] | null;
  /** Numbers of the layers that a list of targets is meant for; the first number in a path is its layer. */
  layers?: number | number[] | null;
  /** Patterns of what stands before that number; by default anything. */
  layersPattern?: string | string[] | null;
}

/** Module paths in memory: transformers 5, 4.52-4.57, and earlier. A pattern was written for one of them. */
const SPELLINGS = [
  memoryName,
  (module: string) =>
    memoryName(module).replace(/^model\.vision_tower\./, "model.vision_tower.vision_model."),
  hubName,
];

type Test = (path: string) => boolean;

/** A pattern that the whole path matches, or a list that holds the path or an ending of it. */
function named(names: string | readonly string[]): Test {
  if (typeof names === "string") return pythonFullMatch(names);
  const listed = new Set(names);
  return (path) => path.split(".").some((_, i, parts) => listed.has(parts.slice(i).join(".")));
}

/** The number of the layer that a path lies in: the first one behind what matches a pattern. */
function layerOf(path: string, before: readonly Test[]): number | null {
  const parts = path.split(".");
  for (const test of before) {
    for (let from = 0; from < parts.length; from++) {
      for (let i = from + 1; i < parts.length - 1; i++) {
        if (/^\d+$/.test(parts[i]) && test(parts.slice(from, i).join("."))) return Number(parts[i]);
      }
    }
  }
  return null;
}

/** @throws if a pattern cannot be matched here */
function selector({ targets, excluded, saved, layers, layersPattern }: Selection): Test {
  const isTarget = typeof targets === "string" && targets.toLowerCase() === "all-linear"
    ? () => true
    : named(targets);
  const isExcluded = excluded?.length ? named(excluded) : () => false;
  const isSaved = (path: string) => saved?.some((name) => `.${path}.`.includes(`.${name}.`)) ?? false;
  const wanted = new Set([layers ?? []].flat());
  const before = layersPattern?.length
    ? [layersPattern].flat().map((pattern) => pythonFullMatch(pattern))
    : [(path: string) => !path.includes(".")];
  // A path that is listed whole is adapted in whichever layer.
  const isWhole = (path: string) => Array.isArray(targets) && targets.includes(path);
  const inLayer = (path: string) => {
    if (wanted.size === 0 || isWhole(path)) return true;
    const layer = layerOf(path, before);
    return layer !== null && wanted.has(layer);
  };
  return (path) => !isExcluded(path) && !isSaved(path) && isTarget(path) && inLayer(path);
}

/**
 * How the modules of an adapter file differ from those that its configuration selects in the base model; empty where
 * they agree under one of the spellings.
 */
export function selectionProblems(
  stored: readonly string[],
  selection: Selection,
  config: PaliGemmaConfig,
): string[] {
  const modules = Object.keys(linearModules(config)), there = new Set(stored);
  let selects: Test;
  try {
    selects = selector(selection);
  } catch (error) {
    return [`${(error as Error).message}; write it otherwise, or list the modules`];
  }
  let fewest: string[] | undefined;
  for (const spell of SPELLINGS) {
    const chosen = new Set(modules.filter((m) => selects(spell(m))));
    const problems = [
      ...[...chosen].filter((m) => !there.has(m)).map((m) =>
        `target_modules selects "${m}", which is not stored`
      ),
      ...stored.filter((m) => !chosen.has(m)).map((m) =>
        `"${m}" is stored, but target_modules does not select it`
      ),
    ];
    if (!fewest || problems.length < fewest.length) fewest = problems;
  }
  return fewest!;
}
