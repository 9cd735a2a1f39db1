import { basename, join } from "@std/path";
import { paths, type Scale } from "../../config/mod.ts";
import { UsageError } from "../command.ts";
import { runChild } from "./child.ts";

/** The notebooks NN_name.ipynb of a folder of the checkout, in order. */
async function numbered(...folder: string[]): Promise<string[]> {
  const place = join(paths.root, ...folder), names: string[] = [];
  for await (const { name } of Deno.readDir(place)) {
    if (/^\d\d_.*\.ipynb$/.test(name)) names.push(name);
  }
  return names.sort().map((name) => join(place, name));
}

/** The course's notebooks in order: notebooks/NN_name.ipynb. */
export const listNotebooks = (): Promise<string[]> => numbered("notebooks");

/** Their exercises, solved: notebooks/solutions/NN_solutions.ipynb. No part of the course, and run by tests alone. */
export const listSolutions = (): Promise<string[]> => numbered("notebooks", "solutions");

/** Place of the notebook with this number, such as 5 or 05. @throws {UsageError} when there is none */
export function notebookIndex(number: string, notebooks: readonly string[]): number {
  const index = notebooks.findIndex((path) => basename(path).startsWith(`${number.padStart(2, "0")}_`));
  if (index >= 0) return index;
  const numbers = notebooks.map((path) => basename(path).slice(0, 2)).join(", ");
  throw new UsageError(`there is no notebook ${number}; there are ${numbers || "none"}.`);
}

/** How a notebook is run. */
export interface NotebookRun {
  scale: Scale;
  /** Results root: artifacts and executed copies go to `<results>/<scale>/`. */
  results: string;
  /** Further environment variables of the kernel. */
  env?: Record<string, string>;
}

/** Where the executed copy of a notebook goes. */
export const executedCopy = (notebook: string, { results, scale }: NotebookRun): string =>
  join(results, scale, "notebooks", basename(notebook));

/** Where it goes when a cell fails, as far as it ran. */
export const failedCopy = (notebook: string, run: NotebookRun): string =>
  executedCopy(notebook, run).replace(/\.ipynb$/, ".failed.ipynb");

/**
 * Runs a notebook in a fresh kernel. Its progress, a line with time and closing check, or the error and the place of
 * the failed copy, go to standard output and standard error.
 *
 * @returns whether all cells ran and the closing check passed.
 */
export async function runNotebook(notebook: string, run: NotebookRun): Promise<boolean> {
  const { success } = await runChild(join(paths.venv, "bin/python"), {
    args: [join(paths.root, "lib/jupyter/run_notebook.py"), notebook, executedCopy(notebook, run)],
    env: { ...run.env, SCALE: run.scale, LAB_RESULTS: run.results },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  });
  return success;
}
