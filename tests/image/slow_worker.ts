import { exists } from "@std/fs";
import { delay } from "@std/async";
import { serve } from "../../lib/config/mod.ts";

/** Writes into a file when it begins and when it ends, which it does once there is a file of that name and ".go". */
serve<{ path: string; word: string }, number>(async ({ path, word }) => {
  await Deno.writeTextFile(path, `${word} begun\n`, { append: true });
  while (!await exists(`${path}.go`)) await delay(10);
  await Deno.writeTextFile(path, `${word} ended\n`, { append: true });
  return { result: 1 };
});
