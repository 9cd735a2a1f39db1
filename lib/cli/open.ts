import { join } from "@std/path";
import { paths } from "../config/mod.ts";
import { runChild } from "./support/child.ts";

export const usage = `usage: ./lab open [JUPYTERLAB-OPTIONS]

Starts JupyterLab with the notebooks; Ctrl-C ends it. On a machine without a browser: ./lab open --no-browser --port 8888`;

export async function run(args: string[]): Promise<void> {
  const { success, code } = await runChild(join(paths.venv, "bin/jupyter"), {
    args: [
      "lab",
      `--ServerApp.root_dir=${paths.root}`,
      "--ServerApp.answer_yes=True", // at Ctrl-C
      "--LabApp.default_url=/lab/tree/notebooks",
      ...(Deno.uid() === 0 ? ["--allow-root"] : []), // in a container
      ...args,
    ],
  });
  if (!success) throw new Error(`JupyterLab ended with exit code ${code}.`);
}
