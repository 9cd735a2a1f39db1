/** Processes that share what notebooks 06 and 07 ask. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { encodePng } from "@lib/image/mod.ts";
import { drawPhantom } from "@lib/phantom/mod.ts";
import { linesOf } from "../../lib/cli/support/lines.ts";
import { workerEnvironments } from "../../lib/cli/support/workers.ts";
import { keptCommand } from "../training/kept_results.ts";

const script = new URL("./shared_child.ts", import.meta.url), folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const masks = join(folder, "masks");
await Deno.mkdir(masks);
const drawn = Array.from({ length: 60 }, (_, i) => drawPhantom(4_900_000 + i, "generic"));
const IMAGES = 18;
for (const { seed, mask } of drawn.filter(({ mask }) => mask?.some((x) => x > 0)).slice(0, IMAGES)) {
  const side = Math.sqrt(mask!.length);
  const data = Uint8Array.from({ length: 3 * mask!.length }, (_, i) => mask![Math.floor(i / 3)] ? 255 : 0);
  await Deno.writeFile(join(masks, `${seed}.png`), await encodePng({ width: side, height: side, data }));
}

interface Said {
  done?: number;
  found?: unknown[];
  error?: string;
}

/** Asks all by so many processes; `onSaid` is told what rank 0 says. What each has said. */
async function ask(
  count: number,
  results: string,
  onSaid: (said: Said[], workers: Deno.ChildProcess[]) => void = () => {},
): Promise<Said[][]> {
  // One thread in each process, so that none adds up in another order.
  const alone = [{ LAB_WORKERS: "", LAB_THREADS: "1" }];
  const workers = (count === 1 ? alone : workerEnvironments(count)).map((env) =>
    keptCommand(script, join(folder, results), [masks], { ...env, LAB_THREADS: "1", LAB_DEVICE: "cpu" })
      .spawn()
  );
  return await Promise.all(workers.map(async (worker, rank) => {
    const said: Said[] = [];
    for await (const line of linesOf(worker.stdout)) {
      said.push(JSON.parse(line));
      if (rank === 0) onSaid(said, workers);
    }
    assertEquals(await new Response(worker.stderr).text(), "");
    await worker.status;
    return said;
  }));
}

/** Names of what is kept, each of which ends with the hash of its bytes. */
async function keptNames(results: string): Promise<string[]> {
  const names: string[] = [], kept = join(folder, results, "kept");
  for await (const kind of Deno.readDir(kept)) {
    for await (const { name } of Deno.readDir(join(kept, kind.name))) names.push(`${kind.name}/${name}`);
  }
  return names.sort();
}

const foundOf = (said: Said[]) => {
  const { found, error } = said.at(-1)!;
  assert(found, error);
  return found;
};

let single: { found: unknown[]; kept: string[] };

Deno.test("two and three processes find what one does, bit for bit, in the same files, which the next one takes", async () => {
  const [one] = await ask(1, "one");
  single = { found: foundOf(one), kept: await keptNames("one") };
  assertEquals(single.found.length, 6);
  const kinds = new Set(single.kept.map((name) => name.split("/")[0]));
  assertEquals([...kinds], ["answers", "curves", "likelihoods", "maps", "painted"]);
  for (const count of [2, 3]) {
    const workers = await ask(count, `${count}`);
    for (const said of workers) assertEquals(foundOf(said), single.found);
    assertEquals(await keptNames(`${count}`), single.kept);
  }
  const [again] = await ask(1, "3");
  assertEquals(foundOf(again), single.found);
  assert(again.length < one.length / 2, `${again.length} lines, and ${one.length} when all was asked`);
});

Deno.test("when one of two is killed the other says so; one process goes on from what was kept", async () => {
  let killed = 0;
  const [first] = await ask(2, "killed", (said, [, second]) => {
    if (said.length === 20) second.kill("SIGKILL"), killed = performance.now();
  });
  const seconds = (performance.now() - killed) / 1000;
  assert(killed > 0 && seconds < 30, `${seconds} s`);
  assertMatch(
    first.at(-1)!.error!,
    /^The worker of rank 1 \(127\.0\.0\.1:\d+\) has ended .* from what was kept\.$/,
  );
  const kept = await keptNames("killed");
  assert(kept.length > 0 && kept.length < single.kept.length, `${kept.length} files`);
  assertEquals(kept.filter((name) => !single.kept.includes(name)), []);
  const [rest] = await ask(1, "killed");
  assertEquals(foundOf(rest), single.found);
  assertEquals(await keptNames("killed"), single.kept);
});
