import { ensureDir, exists } from "@std/fs";
import { basename, dirname, join, relative } from "@std/path";
import sharp from "sharp";
import { z } from "zod";
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

const Executed = z.looseObject({
  cells: z.array(z.looseObject({
    outputs: z.array(z.looseObject({ data: z.record(z.string(), z.unknown()).optional() })).optional(),
  })),
});

/** An executed notebook whose pictures are a smaller PNG, which code hosts show too, and what Plotly draws, if anything. */
async function compactNotebook(text: string): Promise<string> {
  const notebook = Executed.parse(JSON.parse(text));
  const inside = /data:image\/png;base64,/;
  for (const { data } of notebook.cells.flatMap((cell) => cell.outputs ?? [])) {
    if (typeof data?.["image/png"] !== "string") continue;
    data["image/png"] = (await smallerPng(Uint8Array.fromBase64(data["image/png"]))).toBase64();
    delete data["image/svg+xml"];
    const html = [data["text/html"] ?? ""].flat().join("");
    if (inside.test(html)) delete data["text/html"];
  }
  return JSON.stringify(notebook, null, 1) + "\n";
}

/** Where a run's output is recorded, or null for what is not: tables with every row, weights, files of this machine. */
function recordedAs(stage: string, file: string): string | null {
  if (/^figures\/[^/]+\.png$/.test(file)) return join("figures", basename(file));
  if (/^([^/]+\.(md|json)|explorer\.html)$/.test(file) && file !== "manifest.json") {
    return join("tables", stage, file);
  }
  return null;
}

/** Folders of this machine, which nothing that is recorded may name. */
const MACHINE = [paths.root, paths.results, paths.local, Deno.env.get("HOME") ?? "/"].filter((folder) =>
  folder !== "/"
);

/** The first string of a JSON value that is a path of this machine: `config.corpora.folder is "/data"`; null: none. */
function absolutePath(value: unknown, name = ""): string | null {
  if (typeof value === "string") return /^(\/|file:)/.test(value) ? `${name} is "${value}"` : null;
  if (value === null || typeof value !== "object") return null;
  for (const [key, inner] of Object.entries(value)) {
    const found = absolutePath(inner, name ? `${name}.${key}` : key);
    if (found) return found;
  }
  return null;
}

/** What is recorded of one file. */
async function contentOf(file: string): Promise<Uint8Array> {
  const bytes = await Deno.readFile(file);
  if (file.endsWith(".png")) return await smallerPng(bytes);
  const text = new TextDecoder().decode(bytes);
  const recorded = file.endsWith(".ipynb") ? await compactNotebook(text) : text;
  const folder = MACHINE.find((folder) => recorded.includes(`${folder}/`) || recorded.includes(`${folder}"`));
  const named = folder ?? (file.endsWith(".json") ? absolutePath(JSON.parse(text)) : null);
  if (named) {
    throw new Error(`it names a folder of this machine (${named}): let the notebook write relative paths.`);
  }
  return new TextEncoder().encode(recorded);
}

/**
 * Copies what people look at from finished tiny runs to `target`, which it replaces as a whole: executed notebooks,
 * figures, tables and manifests, without Arrow tables and weights.
 *
 * @param notebooks folder of the stages' executed notebooks
 * @returns bytes recorded
 * @throws naming the file when it is missing, damaged or names a folder of this machine; when all together are larger
 * than 10 MB; when `target` is where the runs themselves lie. Nothing is replaced then.
 */
export async function recordRuns(
  stages: readonly string[],
  notebooks: string,
  target: string,
): Promise<number> {
  if (
    !relative(target, paths.results).startsWith("..") || !relative(paths.results, target).startsWith("..")
  ) {
    throw new Error(
      `The runs in ${paths.results} cannot be recorded to ${target}, which lies in the same place: set LAB_RESULTS to another folder.`,
    );
  }
  const files: { from: string; to: string }[] = [];
  for (const stage of stages) {
    const current = await currentManifest(stage, "tiny");
    if (!current) throw new Error(`Stage ${stage} has no finished run to record.`);
    if (await exists(join(notebooks, `${stage}.failed.ipynb`))) {
      throw new Error(`Stage ${stage} failed when it ran last: run it again before it is recorded.`);
    }
    files.push({ from: join(notebooks, `${stage}.ipynb`), to: join("notebooks", `${stage}.ipynb`) });
    files.push({ from: join(current.dir, "manifest.json"), to: join("manifests", `${stage}.json`) });
    for (const file of Object.keys(current.manifest.outputs)) {
      const to = recordedAs(stage, file);
      if (to) files.push({ from: join(current.dir, file), to });
    }
  }
  let bytes = 0;
  const part = `${target}.tmp`;
  await Deno.remove(part, { recursive: true }).catch(() => {});
  try {
    for (const { from, to } of files) {
      const content = await contentOf(from).catch((error) => {
        throw new Error(`${from} cannot be recorded: ${error.message}`);
      });
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
  } finally {
    await Deno.remove(part, { recursive: true }).catch(() => {});
  }
  return bytes;
}
