import { pooledMap } from "@std/async";
import { join } from "@std/path";
import { paths } from "../config/mod.ts";
import { readArgs } from "./command.ts";
import { plainEnvironment } from "./support/programs.ts";

export const usage = `usage: ./lab audit

Asks the package services whether weaknesses of the locked Python and TypeScript packages are known, and says of each
service whether it could be reached. Ends with exit code 1 if any are known.`;

/** What a service says of the locked packages. */
export interface Findings {
  packages: "Python" | "TypeScript";
  /** Why the service could not be asked, if so. */
  unreached?: string;
  /** A line for each known weakness, or the service's whole report. */
  found: string[];
}

const AT_ONCE = 8;
const WAIT_MS = 15_000;
const PINNED = /^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)/gm;

/** `name/version` of the packages that set-up may install. */
async function lockedPackages(root: string): Promise<string[]> {
  const locks = ["requirements.lock", "requirements-gpu.lock", "requirements-models.lock"];
  const texts = await Promise.all(locks.map((lock) => Deno.readTextFile(join(root, lock))));
  const pinned = texts.flatMap((text) =>
    [...text.matchAll(PINNED)].map(([, name, version]) => `${name}/${version}`)
  );
  return [...new Set(pinned)].sort();
}

/** What pip's index answers about a package, by the JSON interface beside it. */
interface PackageReport {
  vulnerabilities: { id: string; summary?: string | null; fixed_in?: string[]; withdrawn?: string | null }[];
}

/**
 * The known weaknesses of the Python packages.
 *
 * @param service address of the index's JSON interface, below which `name/version/json` lies
 */
export async function auditPython(service: string, root: string = paths.root): Promise<Findings> {
  const names = await lockedPackages(root), ending = new AbortController();
  const ask = async (name: string): Promise<string[]> => {
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(WAIT_MS)]);
    try {
      const response = await fetch(`${service}/${name}/json`, { signal });
      if (!response.ok) {
        await response.body?.cancel();
        throw new Error(`it answers HTTP ${response.status} about ${name}`);
      }
      const { vulnerabilities }: Partial<PackageReport> = await response.json();
      if (!Array.isArray(vulnerabilities)) throw new Error(`it says nothing of weaknesses about ${name}`);
      return vulnerabilities.filter(({ withdrawn }) => !withdrawn).map(({ id, summary, fixed_in }) =>
        `${name.replace("/", " ")}: ${id}${summary ? `, ${summary}` : ""}${
          fixed_in?.length ? ` (mended in ${fixed_in.join(", ")})` : ""
        }`
      );
    } catch (error) {
      ending.abort(error); // one answer that is missing leaves the whole unknown
      throw error;
    }
  };
  try {
    const found = await Array.fromAsync(pooledMap(AT_ONCE, names, ask));
    return { packages: "Python", found: found.flat() };
  } catch {
    return { packages: "Python", unreached: (ending.signal.reason as Error).message, found: [] };
  }
}

/** What `deno audit` found, by its exit code and output. */
export function readDenoAudit(success: boolean, stdout: string, stderr: string): Findings {
  if (success) return { packages: "TypeScript", found: [] };
  if (/^Found \d+ vulnerabilit/m.test(stdout)) return { packages: "TypeScript", found: [stdout.trim()] };
  const why = stderr.match(/^error: (.*)$/m)?.[1] ?? "it gave no answer";
  return { packages: "TypeScript", unreached: why, found: [] };
}

async function output(program: string, args: string[]): Promise<[boolean, string, string]> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { ...plainEnvironment(), NO_COLOR: "1" },
    cwd: paths.root,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return [success, decoder.decode(stdout), decoder.decode(stderr)];
}

/** The JSON interface of the index that pip is set to use, by pip's own defaults, environment and files. */
async function pipService(): Promise<string> {
  const code =
    'from pip._internal.commands import create_command as c; print(c("download").parser.get_default_values().index_url)';
  const [success, index, error] = await output(join(paths.venv, "bin/python"), ["-c", code]);
  if (!success) throw new Error(`pip does not say which index it uses: ${error.trim().split("\n").at(-1)}`);
  return index.trim().replace(/\/(simple\/?)?$/, "") + "/pypi";
}

/** Lines about what was found. */
export function describe({ packages, unreached, found }: Findings): string[] {
  const what = `${packages} packages: `;
  if (unreached !== undefined) return [`${what}not known, the service could not be asked (${unreached})`];
  return found.length ? [`${what}weaknesses are known`, ...found] : [`${what}no known weaknesses`];
}

export async function run(args: string[]): Promise<void> {
  readArgs(args, {});
  const audits = [
    await auditPython(await pipService()),
    readDenoAudit(...await output(join(paths.venv, "bin/deno"), ["audit"])),
  ];
  console.log(audits.flatMap(describe).join("\n"));
  if (audits.some(({ found }) => found.length)) {
    throw new Error(
      "packages with known weaknesses are locked: raise their versions, or say why they do no harm here.",
    );
  }
}
