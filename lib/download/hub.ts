import { datasetInfo, HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { z } from "zod";
import {
  backoff,
  boundedBody,
  guardedFetch,
  HttpError,
  isTransient,
  pause,
  plainError,
  publicUrl,
  RefusedRequest,
  retryAfter,
  watchProgress,
} from "./http.ts";
import { shownName, unsafePath } from "./safe_path.ts";

/** A repository of the Hugging Face hub: `name` is `owner/name`. */
export interface HubRepo {
  type: "model" | "dataset";
  name: string;
}

/** A file of a repository at one commit, with what the hub says of it. */
export interface HubFile {
  name: string;
  url: string;
  size: number;
  /** Large files have the SHA-256 of their LFS pointer, small ones their git blob id. */
  sha256?: string;
  gitOid?: string;
}

export interface HubListing {
  /** The commit that the revision named when the repository was listed; all files are of this commit. */
  commit: string;
  files: HubFile[];
  /** What a request for a file carries: `HF_TOKEN`, when set. */
  headers: Record<string, string>;
}

/** How requests to the hub are made. */
export interface HubRequest {
  /** Ends the request. */
  signal?: AbortSignal;
  /** As for `downloadFile`. */
  retry?: { attempts: number; baseDelayMs: number };
  /** As for `downloadFile`; one answer of the hub's lists may take twice as long in all. */
  stallMs?: number;
}

const hash = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const Commit = hash(40);
/** What a hub says of an entry; without a hash a file could not be checked. */
const Entry = z.union([
  z.object({
    type: z.literal("file"),
    path: z.string(),
    size: z.int().nonnegative(),
    oid: hash(40),
    lfs: z.object({ oid: hash(64), size: z.int().nonnegative() }).optional(),
  }),
  z.object({ type: z.enum(["directory", "unknown"]) }),
]);

/** Files and pages that a listing may have, and bytes of one page. */
const MAX_FILES = 1_000_000, MAX_PAGES = 2_000, MAX_PAGE = 32 * 2 ** 20;

const hubAddress = () => (Deno.env.get("HF_ENDPOINT") || "https://huggingface.co").replace(/\/+$/, "");

/**
 * The files of a repository that fit one of `patterns` (`*` is any characters; default: all), at one commit. `HF_ENDPOINT`
 * names another hub; `HF_TOKEN`, when set, is sent to that host only, and is neither printed nor stored.
 *
 * @param revision branch, tag or commit.
 * @throws Error as {@link explainHub} makes it, or naming a pattern that fits no file
 */
export async function listHub(
  repo: HubRepo,
  revision: string,
  patterns: readonly string[] | undefined,
  options: HubRequest = {},
): Promise<HubListing> {
  const hub = hubAddress(), token = Deno.env.get("HF_TOKEN") || undefined;
  try {
    const common = { hubUrl: hub, fetch: hubFetch(options), ...(token ? { accessToken: token } : {}) };
    const asked = { name: repo.name, revision, additionalFields: ["sha" as const], ...common };
    const info = repo.type === "model" ? await modelInfo(asked) : await datasetInfo(asked);
    const sha = Commit.parse(info.sha);
    const files: HubFile[] = [];
    for await (const listed of listFiles({ repo, revision: sha, recursive: true, ...common })) {
      const entry = Entry.parse(listed);
      if (entry.type !== "file") continue;
      const path = entry.path.split("/").map(encodeURIComponent).join("/");
      files.push({
        name: entry.path,
        url: `${hub}/${repo.type === "dataset" ? "datasets/" : ""}${repo.name}/resolve/${sha}/${path}`,
        size: entry.lfs?.size ?? entry.size,
        sha256: entry.lfs?.oid,
        gitOid: entry.lfs ? undefined : entry.oid,
      });
      if (files.length > MAX_FILES) {
        throw new RefusedRequest(`${repo.name} lists more than ${MAX_FILES} files: refused.`);
      }
    }
    return {
      commit: sha,
      files: select(files, patterns, `${repo.name} at ${revision}`),
      headers: token ? { authorization: `Bearer ${token}` } : {},
    };
  } catch (error) {
    throw explainHub(error, repo, revision);
  }
}

/** No answer that could be used came, in any of the tries. */
class Unreachable extends Error {}

/**
 * The hub client's own requests (what a repository is, page after page of its files) get the same care as the files. By itself the
 * client sends the token wherever a `Link: rel="next"` points, and reads pages without end.
 */
function hubFetch(options: HubRequest): typeof fetch {
  const { attempts, baseDelayMs } = options.retry ?? { attempts: 6, baseDelayMs: 500 };
  const hub = new URL(hubAddress()), asked = new Set<string>();
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (asked.has(url.href) || asked.size > MAX_PAGES) {
      throw new RefusedRequest(`${publicUrl(url)} lists its files without end: refused.`);
    }
    asked.add(url.href);
    if (hub.protocol === "https:" && url.protocol !== "https:") {
      throw new RefusedRequest(`${hub.origin} goes on at ${publicUrl(url)}, unencrypted: refused.`);
    }
    for (let attempt = 1;; attempt++) {
      let wait = backoff(attempt, baseDelayMs);
      try {
        const response = await wholeAnswer(url, init, hub.origin, options);
        if (!isTransient(response.status) || attempt >= attempts) return response;
        wait = retryAfter(response) ?? wait;
      } catch (error) {
        options.signal?.throwIfAborted();
        if (error instanceof RefusedRequest) throw error;
        if (attempt >= attempts) {
          const reason = error instanceof Error ? error.message : String(error);
          throw new Unreachable(`${attempts} tries in a row failed, the last one with "${reason}"`);
        }
      }
      await pause(wait, options.signal);
    }
  };
}

/** An answer with its body, which has come within bounds of bytes and time. */
async function wholeAnswer(
  url: URL,
  init: RequestInit | undefined,
  origin: string,
  { signal, stallMs = 60_000 }: HubRequest,
): Promise<Response> {
  using watch = watchProgress({ stallMs: 2 * stallMs, bytes: Infinity, signal });
  const response = await guardedFetch(url, { ...init, signal: watch.signal }, origin);
  const body = await boundedBody(response, MAX_PAGE);
  const { status, statusText, headers } = response;
  return new Response(body.length > 0 ? body : null, { status, statusText, headers });
}

function select(listed: HubFile[], patterns: readonly string[] | undefined, where: string): HubFile[] {
  for (const { name } of listed) {
    const unsafe = unsafePath(name);
    if (unsafe !== null) {
      throw new RefusedRequest(`${where}: refused, since its file ${shownName(name)} ${unsafe}.`);
    }
  }
  if (!patterns) return listed;
  const tests = patterns.map((pattern) =>
    new RegExp("^" + pattern.split("*").map((s) => s.replace(/[\\^$.|?+()[\]{}]/g, "\\$&")).join(".*") + "$")
  );
  tests.forEach((test, i) => {
    if (!listed.some(({ name }) => test.test(name))) {
      throw new Error(
        `${where} has no file "${patterns[i]}"; it has ${listed.map((f) => f.name).join(", ") || "none"}.`,
      );
    }
  });
  return listed.filter(({ name }) => tests.some((test) => test.test(name)));
}

/** Turns the hub's refusals into what a person has to do. The token appears in no message. */
export function explainHub(error: unknown, repo: HubRepo, revision: string): unknown {
  const hub = hubAddress(), page = `${hub}/${repo.type === "dataset" ? "datasets/" : ""}${repo.name}`;
  const status = error instanceof HubApiError
    ? error.statusCode
    : error instanceof HttpError
    ? error.status
    : undefined;
  if (status === 401 || status === 403) {
    const token = Deno.env.get("HF_TOKEN")
      ? "HF_TOKEN is set, but its account has not accepted the licence, or the token may not read gated repositories"
      : "HF_TOKEN is not set";
    return new Error(
      `${repo.name} is gated, private or unknown (${status}): sign in, accept its licence at ${page}, make a ` +
        `read token at ${hub}/settings/tokens and set it as HF_TOKEN (${token}).`,
      { cause: error },
    );
  }
  if (status === 404) {
    return new Error(
      `${repo.name} at revision "${revision}" was not found on ${hub}: check the spelling of both.`,
      { cause: error },
    );
  }
  if (error instanceof HubApiError) {
    return new Error(`${page}: the hub answered ${status}; try again later.`, { cause: error });
  }
  if (error instanceof Unreachable) {
    return new Error(
      `${hub} could not be reached (${error.message}): check the network, or set HF_ENDPOINT.`,
      { cause: error },
    );
  }
  if (error instanceof z.ZodError || error instanceof SyntaxError || error instanceof TypeError) {
    return new Error(
      `${page}: expected the hub's list of files, found something else: check HF_ENDPOINT (${hub}).`,
      { cause: error },
    );
  }
  return plainError(error);
}
