/** A configuration as settings such as `stage2.rank=4` see it: values in groups. */
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
    const keys = path.split(".");
    let owner: Tree = changed;
    for (const [i, key] of keys.entries()) {
      const value = owner[key], last = i === keys.length - 1;
      if (!Object.hasOwn(owner, key) || !last && !isTree(value)) {
        const found = Object.hasOwn(owner, key)
          ? "it is a value"
          : `there are ${Object.keys(owner).join(", ")}`;
        throw new Error(`the configuration has no key "${path}"; at "${key}" ${found}.`);
      }
      if (!isTree(value)) owner[key] = valueOf(text.trim());
      else if (!last) owner = value;
      else throw new Error(`"${path}" is a group of keys; set one of ${Object.keys(value).join(", ")}.`);
    }
  }
  return changed;
}
