import { visible } from "../../jupyter/mod.ts";

/** What `console` writes from now on passes `visible`: no answer, file name or error drives the terminal. */
export function showConsole(): void {
  for (const name of ["log", "info", "warn", "error"] as const) {
    const write = console[name].bind(console);
    console[name] = (...values: unknown[]) =>
      write(
        visible(values.map((value) => typeof value === "string" ? value : Deno.inspect(value)).join(" ")),
      );
  }
}
