import { serve } from "../../lib/config/mod.ts";

/** Doubles numbers; odd ones fail, 100 throws outside of the task, 1000 takes its time. */
serve<number, number>(async (x) => {
  if (x === 100) {
    setTimeout(() => {
      throw new Error("out of the blue");
    });
    await new Promise(() => {});
  }
  if (x === 1000) await new Promise((resolve) => setTimeout(resolve, 60_000));
  if (x % 2) throw new Error(`${x} is odd`);
  return { result: 2 * x };
});
