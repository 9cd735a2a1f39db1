import { delay } from "@std/async";
import { join } from "@std/path";
import type { Page } from "playwright-core";
import { paths } from "../../lib/config/mod.ts";

/** A JupyterLab server of our own kernel on 127.0.0.1. */
export interface LabServer {
  /** Address of a file below the served folder, with the access token. */
  url(file: string): string;
  stop(): Promise<void>;
}

/** Serves a folder; settings and runtime files go to a temporary one. */
export async function startLab(folder: string): Promise<LabServer> {
  const state = await Deno.makeTempDir(), token = crypto.randomUUID();
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const dirs = ["CONFIG", "DATA", "RUNTIME"].map((name) => [`JUPYTER_${name}_DIR`, join(state, name)]);
  const child = new Deno.Command(join(paths.venv, "bin/jupyter"), {
    args: [
      "lab",
      "--no-browser",
      "--allow-root",
      `--port=${port}`,
      `--IdentityProvider.token=${token}`,
      `--ServerApp.root_dir=${folder}`,
    ],
    env: { ...Object.fromEntries(dirs), IPYTHONDIR: join(state, "ipython") },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const base = `http://127.0.0.1:${port}`;
  const stop = async () => {
    try {
      child.kill("SIGTERM");
    } catch { /* it has ended */ }
    await child.status;
    await Deno.remove(state, { recursive: true });
  };
  for (let i = 0; i < 300; i++) {
    try {
      const answer = await fetch(`${base}/api/status?token=${token}`);
      await answer.body?.cancel();
      if (answer.ok) return { url: (file) => `${base}/lab/tree/${encodeURI(file)}?token=${token}`, stop };
    } catch { /* not there yet */ }
    await delay(200);
  }
  await stop();
  throw new Error("JupyterLab did not answer within a minute.");
}

/** Waits until the opened notebook is connected to a Deno kernel that has nothing to do. */
export async function kernelReady(page: Page): Promise<void> {
  const timeout = 60_000;
  await page.locator(".jp-Toolbar-kernelName", { hasText: "Deno" }).waitFor({ timeout });
  await page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').waitFor({ timeout });
}
