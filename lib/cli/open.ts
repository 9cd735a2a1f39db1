import { join } from "@std/path";
import { paths } from "../config/mod.ts";
import { runChild } from "./support/child.ts";
import { listNotebooks, listSolutions } from "./support/notebooks.ts";
import { ownNotebooks } from "./support/own_notebooks.ts";

export const usage = `usage: ./lab open [JUPYTERLAB-OPTIONS]

Starts JupyterLab with the notebooks; Ctrl-C ends it. On a machine without a browser: ./lab open --no-browser --port 8888
Where LAB_HOME is set, these are copies in that folder: what you change there stays, whatever the installation brings later.`;

/** Copies of the notebooks for who has a LAB_HOME, in which they can be saved. */
async function copyNotebooks(): Promise<void> {
  const folder = join(paths.home, "notebooks");
  const behind = [
    ...await ownNotebooks(await listNotebooks(), folder),
    ...await ownNotebooks(await listSolutions(), join(folder, "solutions")),
  ];
  console.error(`The notebooks are copies of yours in ${folder}.`);
  if (behind.length) {
    const place = join(paths.root, "notebooks");
    console.error(`These stay as you saved them, while ${place} has new ones: ${behind.join(", ")}.`);
  }
}

export async function run(args: string[]): Promise<void> {
  if (paths.home !== paths.root) await copyNotebooks();
  const { success, code } = await runChild(join(paths.venv, "bin/jupyter"), {
    args: [
      "lab",
      `--ServerApp.root_dir=${paths.home}`,
      "--ServerApp.answer_yes=True", // at Ctrl-C
      "--LabApp.default_url=/lab/tree/notebooks",
      ...(Deno.uid() === 0 ? ["--allow-root"] : []), // in a container
      ...args,
    ],
  });
  if (!success) throw new Error(`JupyterLab ended with exit code ${code}.`);
}
