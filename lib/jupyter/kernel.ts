/** State that survives from cell to cell: errors nobody caught, and whether Stop was pressed. */
interface KernelState {
  __labErrors?: string[];
  __labStop?: boolean;
}
const state = globalThis as unknown as KernelState;

/** Whether this code runs in a Jupyter kernel. */
export const inKernel: boolean = typeof Deno.jupyter !== "undefined" && hasBroadcast();

function hasBroadcast(): boolean {
  try {
    return typeof Deno.jupyter.broadcast === "function";
  } catch {
    return false;
  }
}

/**
 * Makes a kernel behave: errors of promises nobody awaited are collected (the notebook runner fails on them) and the
 * Stop button sets a flag that `checkpoint` turns into an error, instead of ending the process with everything in it.
 */
export function guardKernel(): void {
  if (state.__labErrors) return;
  const errors: string[] = state.__labErrors = [];
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    errors.push(String(event.reason));
    console.error("A promise nobody awaited was rejected:", event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    errors.push(String(event.error));
    console.error("Uncaught:", event.error);
  });
  Deno.addSignalListener("SIGINT", () => {
    state.__labStop = true;
  });
  if (!Deno.env.get("LAB_KERNEL_SHIM")) {
    console.warn(
      "This is Deno's own kernel: with Run All, output may appear under the wrong cell, or not at all. " +
        "./lab open uses a kernel that keeps it in place.",
    );
  }
}

/**
 * Lets the event loop turn; long loops call it between steps.
 *
 * @throws "interrupted" when the Stop button was pressed since the last call
 */
export async function checkpoint(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  if (state.__labStop) {
    state.__labStop = false;
    throw new Error("interrupted");
  }
}
