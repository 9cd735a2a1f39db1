import { join } from "@std/path";
import { makeFolder, writeFileAtomic } from "../config/mod.ts";
import { readReceipt, type Receipt, requireAcceptance, writeReceipt } from "./receipt.ts";
import { ArchiveError } from "./entry_guard.ts";
import { downloadFile } from "./file.ts";
import { plainError, publicUrl } from "./http.ts";
import { explainHub, type HubRequest } from "./hub.ts";
import { inLanes } from "./lanes.ts";
import { withLock } from "./lock.ts";
import type { DatasetManifest } from "./manifest.ts";
import { requireSpace } from "./space.ts";
import { checkFolder } from "./state.ts";
import { unpackArchive } from "./unpack.ts";
import { writeHashes } from "./verify.ts";
import { filesOf, isDone, type Wanted } from "./wanted.ts";

/** How far a download is. Bytes that an earlier run left count as done, not as fetched. */
export interface DatasetProgress {
  /** What is being done, in words. */
  doing: string;
  /** How much of `total` is done. */
  done: number;
  /** Null while a length is unknown. */
  total: number | null;
  /** Bytes that came over the network. */
  fetched: number;
}

/** How a data set is fetched. */
export interface DatasetOptions extends HubRequest {
  /** Called as it goes on. */
  onProgress?: (progress: DatasetProgress) => void;
  /** Called once when another process is at the same data set. */
  onWait?: () => void;
}

/**
 * Makes the folder `dir` hold the data set: downloads what is missing, several files at a time, resuming what an earlier
 * run left, unpacks archives and deletes them then. What is there is not fetched again. Every file is checked against the
 * manifest's hash, the hub's, or that of its first download, which `receipt.json` keeps. May be killed at any moment.
 *
 * @throws Error when the licence is not accepted, the disk too small, a source refuses, or something is missing at the end
 */
export async function fetchDataset(
  manifest: DatasetManifest,
  dir: string,
  options: DatasetOptions = {},
): Promise<void> {
  await makeFolder(dir);
  await withLock(join(dir, ".lock"), options, async () => {
    if ((await checkFolder(manifest, dir)).state === "ready") return;
    const receipt = await readReceipt(dir);
    requireAcceptance(manifest, receipt);
    if (manifest.files.length > 0) await fetchFiles(manifest, dir, receipt, options);
    const { missing } = await checkFolder(manifest, dir);
    if (missing.length > 0) throw new Error(missingText(manifest, dir, missing));
    await writeFileAtomic(join(dir, "licence.txt"), `${manifest.licence.name}\n${manifest.licence.url}\n`);
  });
}

function missingText({ name, files, byHand }: DatasetManifest, dir: string, missing: string[]): string {
  const steps = byHand.map((step, i) => `\n  ${i + 1}. ${step}`).join("");
  const how = files.length === 0
    ? `nobody can fetch it for you:${steps}\nThen run ./lab data ${name} again`
    : `the published files differ from what is known of them${steps && `. By hand:${steps}`}`;
  return `Expected in ${dir}: ${missing.join("; ")}; ${how}.`;
}

async function fetchFiles(
  manifest: DatasetManifest,
  dir: string,
  receipt: Receipt,
  options: DatasetOptions,
): Promise<void> {
  const wanted: Wanted[] = [];
  const all = await filesOf(manifest, receipt, options);
  receipt.wanted = all.map(({ path }) => path);
  writeReceipt(dir, receipt); // with the commits, before the first byte
  for (const file of all) if (!(await isDone(file, dir, receipt))) wanted.push(file);
  const left = new Map<Wanted, number>();
  for (const file of wanted) {
    const there = await Deno.stat(join(dir, file.path)).catch(() => Deno.stat(join(dir, `${file.path}.part`)))
      .catch(() => null);
    left.set(file, there?.size ?? 0);
  }
  const expected = (file: Wanted) => file.size ?? file.source.about ?? 0;
  const unknown = wanted.some((file) => expected(file) === 0) ? manifest.about ?? 0 : 0;
  const needed = wanted.reduce(
    (sum, file) => sum + Math.max(0, expected(file) - left.get(file)!) + (file.source.unpack?.atMost ?? 0),
    unknown,
  );
  await requireSpace(dir, needed, "needed for the downloads and what is unpacked from them");

  const received = new Map(left), totals = new Map(wanted.map((file) => [file, file.size ?? null]));
  const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);
  let fetched = 0;
  const tell = (doing: string) =>
    options.onProgress?.({
      doing,
      done: sum(received.values()),
      total: [...totals.values()].includes(null) ? null : sum([...totals.values()].map((n) => n!)),
      fetched,
    });
  await inLanes(wanted, options.signal, async (file, _, signal) => {
    let before: number | null = null;
    const about = file.source.about ?? manifest.about;
    const atMost = about === null ? undefined : 2 * about; // what pages say is rounded
    await fetchOne(file, { dir, receipt, atMost, options: { ...options, signal } }, (now, total) => {
      if (before !== null && now > before) fetched += now - before;
      before = now;
      received.set(file, now);
      if (total !== null) totals.set(file, total);
      tell(file.path);
    }, tell);
  });
}

async function fetchOne(
  file: Wanted,
  { dir, receipt, atMost, options }: {
    dir: string;
    receipt: Receipt;
    atMost: number | undefined;
    options: DatasetOptions;
  },
  onBytes: (received: number, total: number | null) => void,
  tell: (doing: string) => void,
): Promise<void> {
  const { source, path, url } = file, target = join(dir, path), { signal, retry, stallMs } = options;
  const known = file.sha256 ?? receipt.files[path]?.sha256;
  let got;
  try {
    got = await downloadFile(url, target, {
      size: file.size,
      atMost,
      sha256: known,
      gitOid: file.gitOid,
      headers: file.headers,
      signal,
      retry,
      stallMs,
      onProgress: ({ received, total }) => onBytes(received, total),
    });
  } catch (error) {
    throw "hub" in source
      ? explainHub(error, { type: "dataset", name: source.hub }, source.revision)
      : plainError(error);
  }
  onBytes(got.bytes, got.bytes);
  const entry: Receipt["files"][string] = {
    url: publicUrl(url),
    bytes: got.bytes,
    sha256: got.sha256,
    at: new Date().toISOString(),
  };
  if (source.unpack) {
    const { into, part, atMost } = source.unpack;
    let files;
    try {
      files = await unpackArchive(target, join(dir, into), {
        atMost,
        part,
        signal,
        onProgress: (p) => tell(`unpacking ${path} (${p.files} files)`),
      });
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw plainError(error);
      const vouched = file.sha256 !== undefined;
      if (!vouched) await Deno.remove(target);
      const after = vouched
        ? "It is the published file, by its hash, and stays"
        : "It was deleted; run the same command again to fetch it anew";
      throw new Error(`${error.message} ${after}.`, { cause: error });
    }
    await writeHashes(join(dir, into), files);
    entry.unpacked = { into, files: files.length, bytes: files.reduce((n, f) => n + f.bytes, 0) };
  }
  receipt.files[path] = entry;
  writeReceipt(dir, receipt);
  if (source.unpack) await Deno.remove(target);
}
