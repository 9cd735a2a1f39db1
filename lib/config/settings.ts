/** One setting of a configuration: `stage2.rank=4`. */
type Tree = { [key: string]: unknown };

const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A value as JSON (`4`, `true`, `null`, `["roco_v2__with"]`), or else as text (`google/paligemma-3b-mix-448`). */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * `tree` with the settings applied in their order; the original stays as it is. Values are not checked here.
 *
 * @param settings such as `seed=7` or `stage2.cells=["roco_v2__with"]`
 * @throws when a setting is not KEY=VALUE, or `tree` has no such key.
 */
export function withSettings(tree: Tree, settings: readonly string[]): Tree {
  const changed = structuredClone(tree);
  for (const setting of settings) {
    const [, path, text] = /^\s*([\w.]+)\s*=(.*)$/s.exec(setting) ?? [];
    if (path === undefined) {
      throw new Error(
        `the setting "${setting}" is not understood; expected KEY=VALUE, such as stage2.rank=4.`,
      );
    }
    const parents = path.split("."), key = parents.pop()!;
    let place: unknown = changed;
    for (const [i, parent] of [...parents, key].entries()) {
      if (!isTree(place) || !Object.hasOwn(place, parent)) {
        const known = isTree(place) ? Object.keys(place).join(", ") : "nothing";
        const under = i ? `"${parents.slice(0, i).join(".")}" has` : "there are";
        throw new Error(`the configuration has no key "${path}"; ${under} ${known}.`);
      }
      if (i < parents.length) place = place[parent];
    }
    const owner = place as Tree;
    if (isTree(owner[key])) {
      throw new Error(`"${path}" is a group of keys; set one of ${Object.keys(owner[key]).join(", ")}.`);
    }
    owner[key] = valueOf(text.trim());
  }
  return changed;
}
