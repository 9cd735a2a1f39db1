/** What a kernel is asked for and what must be remembered in it across cells. */

interface State {
  /** Errors that nothing awaited; the notebook runner fails on them. */
  __labErrors?: string[];
  /** Stop was pressed. */
  __labStop?: boolean;
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
    state.__labStop = true;
    setTimeout(() => state.__labStop = false, 30_000); // a cell without checkpoints must not stop the next one
  });
  if (!Deno.env.get("LAB_KERNEL_SHIM")) {
    console.warn(
      "This is Deno's own kernel: output can be lost or land under another cell, above all with Run All. " +
        "Run one cell at a time, or start JupyterLab with ./lab open.",
    );
  }
}

/**
 * A point at which a long loop can be stopped: lets other work go on, and ends the cell if Stop was pressed.
 *
 * @throws {Error} "interrupted" after Stop (interrupt) in JupyterLab; the kernel keeps its state.
 */
export async function checkpoint(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  if (!state.__labStop) return;
  state.__labStop = false;
  throw new Error("interrupted");
}
