/** What a kernel is asked for and what must be remembered in it across cells. */

interface State {
  /** Errors that nothing awaited; the notebook runner fails on them. */
  __labErrors?: string[];
  /** Ends when Stop is pressed the next time. */
  __labStop?: AbortController;
}

const state = globalThis as State;

/** Deno's display interface, or null outside a Jupyter kernel. */
export const jupyter: typeof Deno.jupyter | null = (() => {
  try {
    return Deno.jupyter;
  } catch {
    return null;
  }
})();

// A Deno kernel swallows un-awaited rejections, and dies with all its state when Stop is pressed.
if (jupyter && !state.__labErrors) {
  const errors: string[] = state.__labErrors = [];
  const remember = (what: string) => (event: Event & { reason?: unknown; error?: unknown }) => {
    event.preventDefault();
    const error = event.reason ?? event.error;
    errors.push(`${what}: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
    console.error(errors.at(-1));
  };
  globalThis.addEventListener("unhandledrejection", remember("un-awaited rejection"));
  globalThis.addEventListener("error", remember("uncaught error"));
  Deno.addSignalListener("SIGINT", () => {
    const stop = state.__labStop;
    state.__labStop = new AbortController(); // before anything can ask for the next cell's
    stop?.abort(stopped());
  });
  if (!Deno.env.get("LAB_KERNEL_SHIM")) {
    console.warn(
      "This is Deno's own kernel: output can be lost or land under another cell, above all with Run All. " +
        "Run one cell at a time, or start JupyterLab with ./lab open.",
    );
  }
}

/** One sentence for the cell's output, without the stack of a place that has nothing to do with it. */
function stopped(): Error {
  const error = new Error(
    "Stopped, as you asked: the kernel keeps its state, and this cell can be run again.",
  );
  error.name = "Stopped";
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

/**
 * A signal that aborts when Stop (interrupt) is pressed in Jupyter. Ask for it in each cell that takes long, before what
 * takes long begins: a Stop ends what runs then, and nothing that is asked for later.
 *
 * @example A pause that Stop ends
 * ```ts
 * import { delay } from "@std/async";
 * import { stopSignal } from "@lib/jupyter/mod.ts";
 *
 * await delay(10, { signal: stopSignal() });
 * ```
 */
export function stopSignal(): AbortSignal {
  return (state.__labStop ??= new AbortController()).signal;
}

/** Milliseconds for which a loop may keep other work out. */
const TURN_MS = 20;
let turned = -Infinity;

/**
 * A point at which a long loop can be stopped: lets other work go on, Stop among it, which a loop over native calls
 * otherwise keeps out. It does so some fifty times a second, so that it costs nothing where a loop's steps are short.
 *
 * @throws the signal's reason, once it is aborted
 */
export async function checkpoint(signal?: AbortSignal): Promise<void> {
  if (performance.now() - turned > TURN_MS) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    turned = performance.now();
  }
  signal?.throwIfAborted();
}
