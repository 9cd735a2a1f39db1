/** Processes that compute together, from disks of their own. */
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import { workerEnvironments } from "../../lib/cli/support/workers.ts";

const CHILD = fromFileUrl(new URL("./joined_child.ts", import.meta.url));
const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** What two processes say, each of which has the runs and works in the folder that it is given. */
async function sayOfTwo(own: readonly [content: string, cwd: string][]): Promise<string[]> {
  return await Promise.all(
    workerEnvironments(2).map(async (env, rank) => {
      const [content, cwd] = own[rank], LAB_RESULTS = await Deno.makeTempDir({ dir: folder });
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", `--config=${join(paths.root, "deno.json")}`, CHILD, content],
        env: { ...env, LAB_RESULTS, LAB_DEVICE: "cpu" },
        cwd,
      }).output();
      assertEquals(new TextDecoder().decode(stderr), "");
      return new TextDecoder().decode(stdout).trim();
    }),
  );
}

const refused = (what: string) =>
  `The worker of rank 1 differs from rank 0 in ${what}: start all in the same way, from the same files.`;

Deno.test("processes with the same settings, runs and weights compute together; another run or other weights are refused by name", async () => {
  const { root } = paths, elsewhere = join(folder, "elsewhere"), nano = join(elsewhere, "data/nano");
  await Deno.mkdir(nano, { recursive: true });
  for await (const { name } of Deno.readDir(join(root, "data/nano"))) {
    await Deno.copyFile(join(root, "data/nano", name), join(nano, name));
  }
  assertEquals(await sayOfTwo([["a", root], ["a", elsewhere]]), ["2", "2"]);
  const [_, said] = await sayOfTwo([["a", root], ["b", root]]);
  assertEquals(said, refused("inputs.03_annealing/pairs.txt"));
  const weights = await Deno.readFile(join(nano, "model.safetensors"));
  weights[weights.length - 4] ^= 1; // the last bit of the last number
  await Deno.writeFile(join(nano, "model.safetensors"), weights);
  assertEquals(await sayOfTwo([["a", root], ["a", elsewhere]]), ["2", refused("weights")]);
});
