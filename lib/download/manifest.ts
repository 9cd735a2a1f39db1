import { z } from "zod";
import { basename, join } from "@std/path";

const bytes = z.number().int().positive();
/** A path in the data set's folder; a hub pattern may have `*`. */
const path = z.string().regex(/^(?!.*(^|\/)\.\.?(\/|$))[^/\\][^\\]*$/, "expected a path inside the folder");

const Unpack = z.strictObject({
  /** The folder that the archive becomes. */
  into: path,
  /** Only this folder of the archive. */
  part: path.optional(),
  /** The most that its files may take together: what the disk must have, and where unpacking stops. */
  atMost: bytes,
});

const common = {
  path,
  /** The exact length, where somebody saw it. */
  bytes: bytes.nullable(),
  /** The rounded length that a page gives. */
  about: bytes.nullable(),
  /** Lower-case hex, only where somebody computed it from the real file. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/).nullable(),
  /** Whether length, hash and layout were checked on the real file. */
  checked: z.boolean(),
  unpack: Unpack.optional(),
};

/** One file, or (hub, with `*`) several. Hub files get exact lengths and hashes from the hub's listing. */
const Source = z.union([
  z.strictObject({ url: z.url({ protocol: /^https?$/ }), ...common }),
  z.strictObject({ hub: z.string().regex(/^[\w.-]+\/[\w.-]+$/), revision: z.string().min(1), ...common }),
]).superRefine((file, context) => {
  const issue = (message: string) => context.addIssue({ code: "custom", message });
  if (file.sha256 && !file.checked) issue("a sha256 needs checked: true; a hash that nobody saw is none");
  if (file.path.includes("*") && ("url" in file || file.unpack || file.bytes || file.sha256)) {
    issue("a path with * stands for hub files without unpack, bytes and sha256");
  }
  if (file.unpack && !/\.(zip|tar\.gz)$/.test(file.path)) issue("only .zip and .tar.gz are unpacked");
});
/** Where files of a data set come from: an archive, single files, or a repository of the hub. */
export type Source = z.infer<typeof Source>;

/** What is known of a data set: where it is, whose it is, what it must look like. data/datasets/<name>.json */
export const DatasetManifest = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/),
  title: z.string().min(1),
  citation: z.string().min(1),
  homepage: z.url(),
  licence: z.strictObject({
    name: z.string().min(1),
    url: z.url(),
    summary: z.string().min(1),
    /** Whether use is bound to conditions, which are then shown and accepted once. */
    mustAccept: z.boolean(),
    /** Whether (at least some of) it is for noncommercial use only; null: not stated. */
    nonCommercial: z.boolean().nullable(),
  }),
  /** The rounded length of the whole download, where a page gives that alone. */
  about: bytes.nullable(),
  files: z.array(Source),
  /** What a person does where nothing can be downloaded, or instead of it. */
  byHand: z.array(z.string()),
  /** What the folder holds when it is complete: a file or folder (the first of `any`), with so many files at least. */
  holds: z.array(z.strictObject({ any: z.array(path).min(1), files: bytes.optional() })).min(1),
  /** What could not be verified, and other remarks. */
  notes: z.array(z.string()),
}).refine(({ files, byHand }) => files.length + byHand.length > 0, "neither files nor steps by hand");
/** A file of data/datasets: what a data set is, where it comes from and under which licence. */
export type DatasetManifest = z.infer<typeof DatasetManifest>;

/**
 * The manifest `<folder>/<name>.json`.
 * @throws naming the file and key that are wrong, or the names there are
 */
export async function readManifest(folder: string, name: string): Promise<DatasetManifest> {
  const names = await manifestNames(folder);
  if (!names.includes(name)) {
    throw new Error(`There is no data set "${name}"; there are ${names.join(", ") || "none"}.`);
  }
  const file = join(folder, `${name}.json`);
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    throw new Error(`${file}: expected JSON, found: ${(error as Error).message}.`);
  }
  const parsed = DatasetManifest.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw new Error(`${file}: key "${path.join(".")}": ${message}.`);
  }
  if (parsed.data.name !== name) {
    throw new Error(`${file}: expected the name "${name}", found "${parsed.data.name}".`);
  }
  return parsed.data;
}

/** All manifests of a folder, by name. */
export async function readManifests(folder: string): Promise<DatasetManifest[]> {
  return await Promise.all((await manifestNames(folder)).map((name) => readManifest(folder, name)));
}

async function manifestNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".json")) names.push(basename(name, ".json"));
  }
  return names.sort();
}

/** Length of a manifest's downloads: exact where all are, else what pages say; null where one is unknown. */
export function downloadSize({ files, about }: DatasetManifest): { bytes: number | null; exact: boolean } {
  let bytes = 0;
  for (const file of files) {
    const size = file.bytes ?? file.about;
    if (size === null) return { bytes: about, exact: false };
    bytes += size;
  }
  return { bytes, exact: files.every((file) => file.bytes !== null) };
}

/** The most that a manifest's archives take once unpacked, in bytes. */
export const unpackedSize = ({ files }: DatasetManifest): number =>
  files.reduce((sum, file) => sum + (file.unpack?.atMost ?? 0), 0);
