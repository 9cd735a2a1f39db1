/** Loads the specs that the npm package @tensorflow/tfjs-core publishes (dist/tests.js) into Jasmine. */
import { dirname, join, relative } from "@std/path";
import { ensureDir } from "@std/fs";
import { createRequire } from "node:module";

/** What of Jasmine's environment the runner uses. */
export interface Jasmine {
  configure(
    options: { random: boolean; failSpecWithNoExpectations: boolean; specFilter: (s: Spec) => boolean },
  ): void;
  addReporter(reporter: { specDone(r: SpecResult): void; suiteDone(r: SpecResult): void }): void;
  execute(): Promise<unknown>;
}
export interface Spec {
  getFullName(): string;
}
export interface SpecResult {
  readonly fullName: string;
  readonly status: string;
  readonly failedExpectations: readonly { readonly message: string }[];
}
interface JasmineRequire {
  core(r: JasmineRequire): { DEFAULT_TIMEOUT_INTERVAL: number; getEnv(o: object): Jasmine };
  interface(jasmine: unknown, env: Jasmine): object;
}

const require = createRequire(import.meta.url);
const PACKAGE = dirname(require.resolve("@tensorflow/tfjs-core/package.json"));

async function* scripts(dir: string): AsyncGenerator<string> {
  for await (const e of Deno.readDir(dir)) {
    const path = join(dir, e.name);
    if (e.isDirectory) yield* scripts(path);
    else if (e.name.endsWith(".js") && !e.name.startsWith("tf-core")) yield path;
  }
}

/** The package's modules leave out ".js" in their imports, which Deno does not resolve: writes a copy that has it. */
async function copyModules(from: string, to: string): Promise<void> {
  const files = new Set(await Array.fromAsync(scripts(from)));
  const complete = (file: string, specifier: string) =>
    files.has(join(dirname(file), `${specifier}.js`)) ? `${specifier}.js` : `${specifier}/index.js`;
  await Promise.all(Array.from(files, async (file) => {
    const code = (await Deno.readTextFile(file))
      .replace(/\n\/\/# sourceMappingURL=.*/, "")
      .replace(/\b(from|import) '(\.[^']*)'/g, (_, word, s) => `${word} '${complete(file, s)}'`)
      // CommonJS packages, whose names an import would not find.
      .replace(/^import (?:\* as )?(\w+) from '(seedrandom|long)';/gm, "const $1 = require('$2');");
    const target = join(to, relative(from, file));
    await ensureDir(dirname(target));
    await Deno.writeTextFile(target, code);
  }));
  await Deno.writeTextFile(join(to, "package.json"), '{ "type": "module" }');
}

/**
 * Registers the specs for a backend that is set.
 * @param dir an empty folder, to be removed afterwards
 */
export async function loadSpecs(backendName: string, dir: string): Promise<Jasmine> {
  const jasmineRequire: JasmineRequire = require("jasmine-core/lib/jasmine-core/jasmine.js");
  const jasmine = jasmineRequire.core(jasmineRequire), env = jasmine.getEnv({ suppressLoadErrors: true });
  jasmine.DEFAULT_TIMEOUT_INTERVAL = 20_000;
  const fromPackage = createRequire(join(PACKAGE, "package.json"));
  const find = (name: string) => name.startsWith("jasmine-core/") ? require(name) : fromPackage(name);
  Object.assign(globalThis, jasmineRequire.interface(jasmine, env), {
    require: Object.assign(find, { resolve: fromPackage.resolve }),
  });
  await copyModules(join(PACKAGE, "dist"), dir);
  const load = (path: string) => import(`file://${join(dir, path)}`);
  const { setTestEnvs } = await load("jasmine_util.js");
  setTestEnvs([{ name: "test-tensorflow", backendName, flags: {}, isDataSync: true }]);
  await load("public/chained_ops/register_all_chained_ops.js");
  await load("tests.js");
  return env;
}
