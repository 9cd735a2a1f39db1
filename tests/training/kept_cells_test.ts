import { assert, assertEquals } from "@std/assert";
import { keptCommand, runKept } from "./kept_results.ts";

interface Trained {
  /** Name, LoRA's configuration and hashes of each cell. */
  cells: unknown[];
  /** Calls of onStep: three for a cell that is trained, one for a kept one; the fit's training is one more. */
  steps: number;
}

const SCRIPT = new URL("./kept_child.ts", import.meta.url);
const train = (results: string, otherRank = 3, validation = 4) =>
  runKept<Trained>(SCRIPT, results, [`${otherRank}`, `${validation}`]);

/** Starts the training and kills the process once the first cell is there, while the second is trained. */
async function killAfterFirst(results: string): Promise<void> {
  const child = keptCommand(SCRIPT, results, ["3", "4"]).spawn();
  void child.stdout.cancel();
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    if (text.includes("done roco_v2__with")) child.kill("SIGKILL");
  }
  assertEquals((await child.status).signal, "SIGKILL");
}

Deno.test("after a kill the missing cells are trained, and all are bit for bit those of a run that was not killed", async () => {
  const whole = await Deno.makeTempDir(), killed = await Deno.makeTempDir();
  try {
    const [uninterrupted] = await Promise.all([train(whole), killAfterFirst(killed)]);
    assertEquals(uninterrupted.steps, 12);
    const resumed = await train(killed);
    assertEquals(resumed.cells, uninterrupted.cells);
    assertEquals(resumed.steps, 1 + 3 + 3 + 3);
    assertEquals((await train(whole)).steps, 4);
    // Another rank is no other cell's; other validation examples are one cell's.
    const changed = await train(whole, 2, 3);
    assertEquals(changed.steps, 1 + 1 + 3 + 3);
    assertEquals(changed.cells.slice(0, 2), uninterrupted.cells.slice(0, 2));
    assert(JSON.stringify(changed.cells[2]) !== JSON.stringify(uninterrupted.cells[2]));
  } finally {
    for (const dir of [whole, killed]) await Deno.remove(dir, { recursive: true });
  }
});
