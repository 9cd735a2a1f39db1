import { tiedCommand } from "../../config/mod.ts";

/** Signals by which a person or a system ends a command, and their numbers. */
export const ENDING = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Runs a program to its end. A signal that ends this process is passed on to it first; this process waits for it, and then
 * ends with the exit code that shells give for the signal. If this process is killed, the system ends the program.
 */
export async function runChild(program: string, options: Deno.CommandOptions): Promise<Deno.CommandStatus> {
  const child = tiedCommand(program, options).spawn();
  let ended: keyof typeof ENDING | undefined;
  const listeners = (Object.keys(ENDING) as (keyof typeof ENDING)[]).map((signal) => {
    const listener = () => {
      ended ??= signal;
      try {
        child.kill(signal);
      } catch { /* it has ended already */ }
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  try {
    return await child.status;
  } finally {
    for (const remove of listeners) remove();
    if (ended) Deno.exit(128 + ENDING[ended]);
  }
}
