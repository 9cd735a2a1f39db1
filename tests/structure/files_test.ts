import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import { type Lock, lockToCommit } from "./lock.ts";

const LARGEST = 6_000_000;

/** The files that git tracks, or null outside a clone. */
async function trackedFiles(): Promise<string[] | null> {
  try {
    const { success, stdout } = await new Deno.Command("git", { args: ["ls-files", "-z"], cwd: paths.root })
      .output();
    return success ? new TextDecoder().decode(stdout).split("\0").filter(Boolean) : null;
  } catch {
    return null;
  }
}

const tracked = await trackedFiles();

// Written in parts, so that this file does not contain what it looks for.
const machinePaths = new RegExp(
  ["(?<![\\w.])/(?:wor", "k|tm", "p/[a-z]+|roo", "t|hom", "e/[a-z]+)/"].join(""),
);
const registries = new RegExp(
  [String.raw`npmjs\.`, "org|", String.raw`pypi\.`, "org|pythonhost", "ed|debian\\.", "org"].join(""),
);

/** First line of a text that matches. */
const lineWith = (text: string, pattern: RegExp) => text.split("\n").find((line) => pattern.test(line));

Deno.test("the patterns find what they are for", () => {
  assert(machinePaths.test("see /" + "work/x") && machinePaths.test("/ho" + "me/ann/x"));
  assert(!machinePaths.test("lib/work/x is at ./root/"));
  assert(registries.test("https://registry.npmjs" + ".org/x"));
});

Deno.test({
  name: "tracked files name no path of a machine and no package registry's host [needs git]",
  ignore: !tracked,
  fn: async () => {
    const problems: string[] = [];
    for (const name of tracked!) {
      if (/\.(png|jpe?g|arrow|safetensors|dcm|gz|parquet|npz?|pb|bin)$/.test(name)) continue;
      const text = await Deno.readTextFile(join(paths.root, name)).catch(() => "");
      const line = lineWith(text, machinePaths) ?? lineWith(text, registries);
      if (line) problems.push(`${name}: ${line.trim().slice(0, 120)}`);
    }
    assertEquals(problems, []);
  },
});

Deno.test({
  name: "no tracked file is larger than 6 MB [needs git]",
  ignore: !tracked,
  fn: async () => {
    const large: string[] = [];
    for (const name of tracked!) {
      const info = await Deno.stat(join(paths.root, name)).catch(() => null);
      if (info && info.size > LARGEST) large.push(`${name}: ${info.size}`);
    }
    assertEquals(large, []);
  },
});

Deno.test("the committed lock file pins every npm and JSR package of deno.json, with npm's hashes", async () => {
  const read = async (name: string) => JSON.parse(await Deno.readTextFile(join(paths.root, name)));
  const [lock, config] = [await read("deno.lock"), await read("deno.json")];
  const targets = Object.values(config.imports as Record<string, string>).filter((t) => !t.startsWith("./"));
  const missing = targets.filter((target) =>
    !(target.match(/^(npm|jsr):@?[^@]+@[^/]+/)![0] in lock.specifiers)
  );
  assertEquals(missing, []);
  const jsr = Object.entries(lock.specifiers as Lock["specifiers"]).filter(([name]) =>
    name.startsWith("jsr:")
  )
    .map(([name, version]) => `${name.slice(4).replace(/(?<=.)@.*/, "")}@${version}`);
  if (lock.jsr) assertEquals(Object.keys(lock.jsr).sort(), [...new Set(jsr)].sort()); // of all of them, or of none
});

Deno.test("what comes from JSR itself is committed with its hash, what comes from elsewhere with its version", () => {
  const lock = {
    specifiers: { "jsr:@std/fs@1.0.24": "1.0.24", "npm:zod@4.6.7": "4.6.7" },
    jsr: { "@std/fs@1.0.24": { integrity: "ab" } },
    npm: { "zod@4.6.7": {} },
  };
  const { jsr: _, ...rest } = lock;
  assertEquals(lockToCommit(lock, undefined), lock);
  assertEquals(lockToCommit(lock, "file:///stand-in/"), rest);
});

Deno.test({
  name:
    "no code takes a URL's pathname for a file's path: a folder may hold spaces, umlauts and # [needs git]",
  ignore: !tracked,
  fn: async () => {
    const problems: string[] = [];
    for (const name of tracked!.filter((name) => /\.(ts|ipynb)$/.test(name))) {
      const text = await Deno.readTextFile(join(paths.root, name)).catch(() => "");
      const line = lineWith(text, /import\.meta\.(url|resolve).*\)\.pathname/);
      if (line) problems.push(`${name}: ${line.trim()}`);
    }
    assertEquals(problems, []);
  },
});

Deno.test("recorded notebooks show what their cells print, and no value that a cell happens to end with", async () => {
  const folder = join(paths.root, "results/tiny/notebooks"), shown: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const { cells } = JSON.parse(await Deno.readTextFile(join(folder, name)));
    for (const { id, outputs = [] } of cells as { id: string; outputs?: { output_type: string }[] }[]) {
      if (outputs.some((output) => output.output_type === "execute_result")) shown.push(`${name} ${id}`);
    }
  }
  assertEquals(shown, []);
});
