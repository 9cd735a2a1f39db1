import { ensureDir } from "@std/fs";
import { basename, dirname, join } from "@std/path";
import sharp from "sharp";
import { currentManifest } from "../../artifacts/mod.ts";
import { paths } from "../../config/mod.ts";

/** The recorded run may not outgrow this many bytes. */
const LIMIT = 10 * 2 ** 20;

/** The picture at most 1,000 pixels wide and in at most 256 colours, where that is smaller. */
async function smallerPng(bytes: Uint8Array): Promise<Uint8Array> {
  const small = await sharp(bytes).resize({ width: 1000, withoutEnlargement: true }).png({
    palette: true,
    compressionLevel: 9,
    effort: 10,
  }).toBuffer();
  return small.length < bytes.length ? new Uint8Array(small) : bytes;
}

interface Executed {
  cells: { outputs?: { data?: Record<string, unknown> }[] }[];
}

/** An executed notebook with one form of each picture: a smaller PNG, which code hosts show too. */
async function compactNotebook(text: string): Promise<string> {
  const notebook = JSON.parse(text) as Executed;
  const inside = /data:image\/png;base64,/;
  for (const { data } of notebook.cells.flatMap((cell) => cell.outputs ?? [])) {
    if (typeof data?.["image/png"] !== "string") continue;
    data["image/png"] = (await smallerPng(Uint8Array.fromBase64(data["image/png"]))).toBase64();
    for (const type of ["image/svg+xml", "application/vnd.plotly.v1+json"]) delete data[type];
    const html = [data["text/html"] ?? ""].flat().join("");
    if (inside.test(html)) delete data["text/html"];
  }
  return JSON.stringify(notebook, null, 1) + "\n";
}

/** Where a run's output is recorded, or null for what is not: tables with every row, weights, files of this machine. */
function recordedAs(stage: string, file: string): string | null {
  if (/^figures\/[^/]+\.png$/.test(file)) return join("figures", basename(file));
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
    let content: Uint8Array = await Deno.readFile(from);
    if (to.endsWith(".png")) content = await smallerPng(content);
    if (to.endsWith(".ipynb")) {
      content = new TextEncoder().encode(await compactNotebook(decoder.decode(content)));
    }
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
