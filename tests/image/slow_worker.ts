import { delay } from "@std/async";
import { serve } from "../../lib/config/mod.ts";

/** Writes into a file when it begins and when it ends, 300 ms apart. */
serve<string, number>(async (task) => {
  const [path, word] = task.split(" ");
  await Deno.writeTextFile(path, `${word} begun\n`, { append: true });
  await delay(300);
  await Deno.writeTextFile(path, `${word} ended\n`, { append: true });
  return { result: 1 };
});
