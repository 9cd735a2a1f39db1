import type { PaliGemmaConfig } from "./config.ts";
import { hubName, linearModules, memoryName } from "./names.ts";

/** Module paths in memory: transformers 5, 4.52-4.57, and earlier. A pattern was written for one of them. */
const SPELLINGS = [
  memoryName,
  (module: string) =>
    memoryName(module).replace(/^model\.vision_tower\./, "model.vision_tower.vision_model."),
  hubName,
];

/** PEFT's rule: a string is a full-match pattern (or "all-linear"), a list holds paths or path endings. */
function selects(targets: string | string[], path: string): boolean {
  if (targets === "all-linear") return true;
  if (typeof targets === "string") return new RegExp(`^(?:${targets})$`).test(path);
  return targets.some((t) => path === t || path.endsWith(`.${t}`));
}

/**
 * How the modules of an adapter file differ from those that `target_modules` selects in the base model; empty where
 * they agree under one of the spellings. A pattern in a syntax JavaScript does not have is not checked.
 */
export function selectionProblems(
  stored: readonly string[],
  targets: string | string[],
  config: PaliGemmaConfig,
): string[] {
  const modules = Object.keys(linearModules(config)), there = new Set(stored);
  let fewest: string[] | undefined;
  for (const spell of SPELLINGS) {
    let chosen: Set<string>;
    try {
      chosen = new Set(modules.filter((m) => selects(targets, spell(m))));
    } catch (error) {
      if (error instanceof SyntaxError) return [];
      throw error;
    }
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
