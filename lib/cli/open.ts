import { join } from "@std/path";
import { paths } from "../config/mod.ts";

export const usage = `usage: ./lab open [JUPYTERLAB-OPTIONS]

Starts JupyterLab with the notebooks. On a machine without a browser: ./lab open --no-browser --port 8888`;

export async function run(args: string[]): Promise<void> {
  const child = new Deno.Command(join(paths.venv, "bin/jupyter"), {
    args: [
      "lab",
      `--ServerApp.root_dir=${paths.root}`,
      "--LabApp.default_url=/lab/tree/notebooks",
      ...(Deno.uid() === 0 ? ["--allow-root"] : []), // in a container
      ...args,
    ],
  }).spawn();
  Deno.addSignalListener("SIGINT", () => {}); // JupyterLab gets it too, asks, and ends by itself
  Deno.addSignalListener("SIGTERM", () => child.kill("SIGTERM"));
  const { success, code } = await child.status;
  if (!success) throw new Error(`JupyterLab ended with exit code ${code}.`);
}
