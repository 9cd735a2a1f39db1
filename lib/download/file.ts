import { createHash } from "node:crypto";
import { dirname } from "@std/path";
import { diskError, makeFolder } from "../config/mod.ts";
import {
  backoff,
  guardedFetch,
  HttpError,
  isTransient,
  pause,
  publicUrl,
  RefusedRequest,
  retryAfter,
  watchProgress,
} from "./http.ts";
import { Part } from "./part.ts";

/** What a download must be, and how it is watched. */
export interface DownloadOptions {
  /** Expected SHA-256, lower-case hex. Without it (and without `size`) only the server's own length is checked. */
  sha256?: string;
  /** Expected git blob id (SHA-1), for the hub's small files; needs `size`. */
  gitOid?: string;
  /** Expected length in bytes. */
  size?: number;
  /** The most bytes to take where `size` is not known (default 64 GiB). */
  atMost?: number;
  /** Headers of the request. */
  headers?: Record<string, string>;
  /** Called with bytes as they come; total is null where the server does not say. */
  onProgress?: (progress: { received: number; total: number | null }) => void;
  /** Ends the download; what came stays for the next one. */
  signal?: AbortSignal;
  /** Failures in a row, each with less than 64 KiB, before giving up (default 6), and the first backoff (default 500 ms). */
  retry?: { attempts: number; baseDelayMs: number };
  /** A connection that delivers less than 64 KiB in so long is dropped and tried again (default one minute). */
  stallMs?: number;
}

/** What a connection must bring to count as one that works. */
const PROGRESS = 64 * 1024;

const AT_MOST = 64 * 2 ** 30;

/** A file that is whole. */
export interface DownloadedFile {
  /** Where it lies. */
  path: string;
  /** Its size. */
  bytes: number;
  /** Its hash. */
  sha256: string;
  /** False when the file was there already, and whole. */
  fetched: boolean;
}

/**
 * Downloads `url` to `path`: resumes `<path>.part` with range requests (also after the process ended), tries again after
 * dropped or stalled connections, 429 and 5xx (honouring Retry-After), verifies length and digest, and renames into
 * place only then. An existing file with the expected digest (or, where none is given, the expected size, or any size) is kept.
 * `Authorization` headers are handled as {@link guardedFetch} says.
 *
 * @throws HttpError for a refusal (401, 403, 404, ...) or a fault that outlasts the retries; Error for a wrong digest
 * or length (the .part is deleted), when the connection keeps failing, or the disk is full, read-only or closed to this
 * user (the .part stays for the next run).
 *
 * @example A file from a server of this machine
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { downloadFile } from "@lib/download/file.ts";
 *
 * await using server = Deno.serve({ port: 0, onListen() {} }, () => new Response("scan"));
 * const path = `${await Deno.makeTempDir()}/scan.txt`;
 * const { bytes, fetched } = await downloadFile(`http://127.0.0.1:${server.addr.port}/scan`, path);
 * assertEquals([bytes, fetched, await Deno.readTextFile(path)], [4, true, "scan"]);
 * ```
 */
export async function downloadFile(
  url: string,
  path: string,
  options: DownloadOptions = {},
): Promise<DownloadedFile> {
  try {
    return await download(url, path, options);
  } catch (error) {
    throw diskError(error, path);
  }
}

async function download(url: string, path: string, options: DownloadOptions): Promise<DownloadedFile> {
  if (options.gitOid && options.size === undefined) throw new Error("gitOid can be checked only with size.");
  const kept = await existing(path, options);
  if (kept) return kept;
  await makeFolder(dirname(path));
  const part = new Part(path, url, options.gitOid ? options.size! : null);
  await part.restore();
  const resumed = part.received > 0;
  await fetchAll(url, part, options);
  let problem = mismatch(part, options);
  if (problem && resumed) { // the older half may be the damaged one
    await part.restart(null);
    await fetchAll(url, part, options);
    problem = mismatch(part, options);
  }
  if (problem) {
    await part.discard();
    throw new Error(
      `${
        publicUrl(url)
      } is not the file expected: ${problem}. It was deleted; the file changed upstream or was damaged on the way.`,
    );
  }
  await part.moveTo(path);
  return { path, bytes: part.received, sha256: part.digests().sha256, fetched: true };
}

async function existing(path: string, options: DownloadOptions): Promise<DownloadedFile | null> {
  const info = await Deno.stat(path).catch(() => null);
  if (!info) return null;
  if (options.size !== undefined && info.size !== options.size) return null;
  const sha256 = createHash("sha256"), git = createHash("sha1").update(`blob ${info.size}\0`);
  const file = await Deno.open(path);
  for await (const chunk of file.readable) {
    sha256.update(chunk);
    if (options.gitOid) git.update(chunk);
  }
  const digest = sha256.digest("hex");
  if (options.sha256 && digest !== options.sha256) return null;
  if (options.gitOid && git.digest("hex") !== options.gitOid) return null;
  return { path, bytes: info.size, sha256: digest, fetched: false };
}

function mismatch(part: Part, { sha256, gitOid, size }: DownloadOptions): string | null {
  const found = part.digests();
  if (size !== undefined && part.received !== size) return `${part.received} bytes instead of ${size}`;
  if (sha256 && found.sha256 !== sha256) return `SHA-256 ${found.sha256} instead of ${sha256}`;
  const known = size !== undefined || sha256 !== undefined;
  if (!known && part.received === 0) return "it is empty";
  if (gitOid && found.gitOid !== gitOid) return `git id ${found.gitOid} instead of ${gitOid}`;
  return null;
}

async function fetchAll(url: string, part: Part, options: DownloadOptions): Promise<void> {
  const { attempts, baseDelayMs } = options.retry ?? { attempts: 6, baseDelayMs: 500 };
  let failures = 0;
  while (true) {
    const before = part.received;
    let wait: number | undefined;
    try {
      const response = await ask(url, part, options);
      if (response === null) return;
      if ("retry" in response) {
        wait = response.wait;
        throw response.retry;
      }
      return;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (isFinal(error)) throw error;
      failures = part.received >= before + PROGRESS ? 1 : failures + 1;
      if (failures >= attempts) {
        if (error instanceof HttpError) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(
          `${
            publicUrl(url)
          } could not be downloaded: ${attempts} tries in a row failed, the last one with "${reason}". ` +
            `${part.received} bytes are kept; run the same command again to go on.`,
          { cause: error },
        );
      }
      await pause(wait ?? backoff(failures, baseDelayMs), options.signal);
    }
  }
}

/** Refusals and faults of the disk: another request would end the same way. */
function isFinal(error: unknown): boolean {
  if (error instanceof HttpError) return !isTransient(error.status);
  const code = (error as { code?: unknown }).code;
  return error instanceof RefusedRequest ||
    ["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "EIO", "ENOENT", "ENOTDIR", "EISDIR"].includes(
      String(code),
    );
}

/** One request. Null: the file is complete. Otherwise the fault that makes another request necessary. */
async function ask(
  url: string,
  part: Part,
  options: DownloadOptions,
): Promise<null | { retry: Error; wait?: number }> {
  const headers = new Headers(options.headers);
  headers.set("accept-encoding", "identity"); // byte ranges and digests are of the file itself
  const strong = part.etag !== null && !part.etag.startsWith("W/");
  const verifiable = options.sha256 !== undefined || options.gitOid !== undefined;
  if (part.received > 0 && !strong && !verifiable) await part.restart(null);
  if (part.received > 0) {
    headers.set("range", `bytes=${part.received}-`);
    if (strong) headers.set("if-range", part.etag!);
  }
  const stallMs = options.stallMs ?? 60_000;
  using watch = watchProgress({ stallMs, bytes: PROGRESS, signal: options.signal });
  const response = await guardedFetch(url, { headers, signal: watch.signal });
  const total = await accept(response, url, part);
  if (typeof total === "object" && total !== null) return total;
  const { size, atMost = AT_MOST } = options;
  const refuse = async (found: number, expected: string) => {
    await response.body?.cancel();
    throw new RefusedRequest(`${publicUrl(url)} has ${found} bytes, ${expected}: not the same file.`);
  };
  if (size !== undefined && total !== null && total !== size) await refuse(total, `${size} were expected`);
  if (size === undefined && total !== null && total > atMost) {
    await refuse(total, `at most ${atMost} were expected`);
  }
  if (response.body) {
    let before = part.received;
    const limit = total ?? size ?? atMost;
    const whole = await part.append(response.body, limit, () => {
      watch.tick(part.received - before);
      before = part.received;
      options.onProgress?.({ received: part.received, total });
    });
    if (!whole && total === null) {
      await part.discard();
      throw new RefusedRequest(
        `${publicUrl(url)} sent more than the ${limit} bytes expected: not the same file.`,
      );
    }
    if (!whole) return { retry: new Error(`the server sent more than the ${limit} bytes it announced`) };
  }
  if (total !== null && part.received < total) {
    return { retry: new Error(`the connection ended after ${part.received} of ${total} bytes`) };
  }
  return null;
}

/** Makes the .part fit the answer and tells the whole file's length (null: the server does not say). */
async function accept(
  response: Response,
  url: string,
  part: Part,
): Promise<number | null | { retry: Error; wait?: number }> {
  if (response.status === 200) {
    await part.restart(response.headers.get("etag"));
    const length = /^\d+$/.exec(response.headers.get("content-length") ?? "");
    return length === null ? null : Number(length[0]);
  }
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get("content-range") ?? "");
  if (response.status === 206 && range && Number(range[1]) === part.received) {
    return range[2] === "*" ? null : Number(range[2]);
  }
  await response.body?.cancel();
  if (response.status === 206 || response.status === 416) {
    const whole = /^bytes \*\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
    if (response.status === 416 && part.received > 0 && Number(whole?.[1]) === part.received) {
      return part.received;
    }
    await part.restart(null);
    return { retry: new Error(`the server's range answer (${response.status}) does not fit the request`) };
  }
  const fault = new HttpError(
    response.status,
    publicUrl(url),
    `${publicUrl(url)} answered ${response.status} ${response.statusText}`.trimEnd() + ".",
  );
  return { retry: fault, wait: retryAfter(response) };
}
