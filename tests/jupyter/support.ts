import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";

/** A notebook of code cells, in a folder of its own under build/, where deno.json is found. */
export interface Scratch {
  folder: string;
  notebook: string;
  remove(): Promise<void>;
}

const metadata = { kernelspec: { name: "deno", display_name: "Deno", language: "typescript" } };

/** The JSON text of a notebook with these code cells. */
export function notebookText(cells: readonly string[]): string {
  const code = cells.map((source, i) => ({
    cell_type: "code",
    id: `cell-${i}`,
    metadata: {},
    execution_count: null,
    outputs: [],
    source,
  }));
  return JSON.stringify({ cells: code, metadata, nbformat: 4, nbformat_minor: 5 });
}

/** Writes a notebook of code cells; the caller removes it. */
export async function scratchNotebook(cells: readonly string[]): Promise<Scratch> {
  await Deno.mkdir(join(paths.root, "build"), { recursive: true });
  const folder = await Deno.makeTempDir({ dir: join(paths.root, "build"), prefix: "notebook-" });
  const notebook = join(folder, "x.ipynb");
  await Deno.writeTextFile(notebook, notebookText(cells));
  return { folder, notebook, remove: () => Deno.remove(folder, { recursive: true }) };
}

/** Starts run_notebook.py, or another Python script of ours. */
export function python(script: string, args: readonly string[]): Deno.Command {
  return new Deno.Command(join(paths.venv, "bin/python"), {
    args: [join(paths.root, script), ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

export interface Executed {
  code: number;
  out: string;
  err: string;
}

/** Runs a Python script to its end. */
export async function runPython(script: string, args: readonly string[]): Promise<Executed> {
  const { code, stdout, stderr } = await python(script, args).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: decode(stdout), err: decode(stderr) };
}
