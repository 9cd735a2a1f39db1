import { ensureDir } from "@std/fs";
import { basename, dirname, join } from "@std/path";
import { currentManifest } from "../../artifacts/mod.ts";
import { paths } from "../../config/mod.ts";

/** The recorded run may not outgrow this many bytes. */
const LIMIT = 10 * 2 ** 20;

/** Where a run's output is recorded, or null for what is not: tables with every row, weights, files of this machine. */
function recordedAs(stage: string, file: string): string | null {
  if (/^figures\/[^/]+\.(png|svg|plotly\.json)$/.test(file)) return join("figures", basename(file));
  if (/^[^/]+\.(md|json)$/.test(file) && file !== "manifest.json") return join("tables", stage, file);
  return null;
}

/**
 * Copies what people look at from finished runs to `target`, which it replaces as a whole: executed notebooks, figures,
 * tables and manifests, without Arrow tables and weights.
 *
 * @throws when a file names a folder of this machine, or all together are larger than 10 MB; nothing is replaced then
 */
export async function recordRuns(
  stages: readonly string[],
  notebooks: string,
  target: string,
): Promise<number> {
  const files: { from: string; to: string }[] = [];
  for (const stage of stages) {
    const current = await currentManifest(stage, "tiny");
    if (!current) throw new Error(`Stage ${stage} has no finished run to record.`);
    files.push({ from: join(current.dir, "manifest.json"), to: join("manifests", `${stage}.json`) });
    for (const file of Object.keys(current.manifest.outputs)) {
      const to = recordedAs(stage, file);
      if (to) files.push({ from: join(current.dir, file), to });
    }
  }
  for await (const { name } of Deno.readDir(notebooks)) {
    files.push({ from: join(notebooks, name), to: join("notebooks", name) });
  }
  let bytes = 0;
  const part = `${target}.tmp`, decoder = new TextDecoder();
  await Deno.remove(part, { recursive: true }).catch(() => {});
  for (const { from, to } of files) {
    const content = await Deno.readFile(from);
    if (decoder.decode(content).includes(paths.root)) {
      throw new Error(
        `${from} names this machine's folder ${paths.root}: let the notebook print relative paths.`,
      );
    }
    bytes += content.length;
    await ensureDir(dirname(join(part, to)));
    await Deno.writeFile(join(part, to), content);
  }
  if (bytes > LIMIT) {
    throw new Error(
      `The run to record has ${(bytes / 2 ** 20).toFixed(1)} MB, more than ${LIMIT / 2 ** 20} MB.`,
    );
  }
  await Deno.remove(target, { recursive: true }).catch(() => {});
  await Deno.rename(part, target);
  return bytes;
}
