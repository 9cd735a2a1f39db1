import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { listFiles } from "@huggingface/hub";
import { downloadHubModel } from "../../lib/download/mod.ts";
import { downloadFile } from "../../lib/download/file.ts";
import { backoff, retryAfter } from "../../lib/download/http.ts";
import { broken, content, digest, names, withFolder, withServer } from "./server.ts";

const retry = { attempts: 2, baseDelayMs: 5 };
const token = "hf_aVerySecretToken", bearer = `Bearer ${token}`;
const commit = "0123456789abcdef0123456789abcdef01234567";

const redirect = (location: string) => new Response(null, { status: 302, headers: { location } });

/** A stream of `piece` every `everyMs` milliseconds, for as long as it is read. */
function drip(piece: Uint8Array<ArrayBuffer>, everyMs: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, everyMs));
      controller.enqueue(piece);
    },
  });
}

async function withHub(base: string, body: (dir: string) => Promise<void>): Promise<void> {
  const before = ["HF_ENDPOINT", "HF_TOKEN"].map((name) => [name, Deno.env.get(name)] as const);
  Deno.env.set("HF_ENDPOINT", base);
  Deno.env.set("HF_TOKEN", token);
  try {
    await withFolder(body);
  } finally {
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
  }
}

/** A hub whose answer about the repository is sound, and whose list of files is `tree`. */
const hub = (tree: (request: Request) => Response) => (request: Request): Response =>
  new URL(request.url).pathname.includes("/revision/")
    ? Response.json({ _id: "1", id: "radvqa/tiny", sha: commit, private: false, gated: false })
    : tree(request);

const entry = (path: string, more: object = {}) => ({ type: "file", path, size: 1, oid: commit, ...more });

for (
  const location of [
    "file:///etc/passwd",
    "data:text/plain,evil",
    "ftp://127.0.0.1/x",
    "blob:null/1",
    "http://",
  ]
) {
  Deno.test(`a redirect to ${location} is refused at once and stores nothing`, async () => {
    await withServer(() => redirect(location), async (base, seen) => {
      await withFolder(async (dir) => {
        const words = location === "http://"
          ? "redirects to something that is not an address"
          : "address: refused";
        await assertRejects(() => downloadFile(`${base}/x`, `${dir}/x`, { retry }), Error, words);
        assertEquals((await names(dir)).includes("x"), false);
        assertEquals(seen.length, 1);
      });
    });
  });
}

Deno.test("an address that is neither http nor https is refused", async () => {
  await withFolder(async (dir) => {
    for (const url of ["file:///etc/passwd", "data:,x"]) {
      await assertRejects(() => downloadFile(url, `${dir}/x`, { retry }), Error, "Expected an http or https");
    }
  });
});

Deno.test("416 for a file of which nothing is here, and an empty answer, are no file", async () => {
  const range = { status: 416, headers: { "content-range": "bytes */0" } };
  for (const answer of [() => new Response(null, range), () => new Response("")]) {
    await withServer(answer, async (base) => {
      await withFolder(async (dir) => {
        await assertRejects(() => downloadFile(`${base}/x`, `${dir}/x`, { retry }), Error);
        assertEquals((await names(dir)).includes("x"), false);
      });
    });
  }
  await withServer(() => new Response(""), async (base) => {
    await withFolder(async (dir) => {
      assertEquals((await downloadFile(`${base}/x`, `${dir}/x`, { size: 0, retry })).bytes, 0);
    });
  });
});

Deno.test("a body without length and without end stops at what is expected", async () => {
  await withServer(() => new Response(drip(content(100_000), 0)), async (base, seen) => {
    await withFolder(async (dir) => {
      const fetch = downloadFile(`${base}/x`, `${dir}/x`, { atMost: 1_000_000, retry });
      await assertRejects(() => fetch, Error, "sent more than the 1000000 bytes expected");
      assertEquals([await names(dir), seen.length], [[], 1]);
    });
  });
});

Deno.test("a length beyond what is expected is refused before the body is read", async () => {
  const headers = { "content-length": String(2 ** 50) };
  await withServer(() => new Response(drip(content(10), 5), { headers }), async (base) => {
    await withFolder(async (dir) => {
      const fetch = downloadFile(`${base}/x`, `${dir}/x`, { retry });
      await assertRejects(() => fetch, Error, "has 1125899906842624 bytes, at most");
    });
  });
});

Deno.test("a slow drip is dropped, and drops that bring hardly anything are counted", async () => {
  await withServer(() => new Response(drip(content(10), 20)), async (base, seen) => {
    await withFolder(async (dir) => {
      const fetch = downloadFile(`${base}/x`, `${dir}/x`, { size: 100_000, stallMs: 200, retry });
      await assertRejects(() => fetch, Error, '2 tries in a row failed, the last one with "the connection');
      assertEquals(seen.length, 2);
    });
  });
});

Deno.test("a drip that goes on with a long .part is as slow as any", async () => {
  const whole = content(200_000), sha256 = digest(whole);
  const later = (request: Request) => {
    const start = Number(/=(\d+)-/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
    const headers = { "content-range": `bytes ${start}-199999/200000` };
    return new Response(drip(content(10), 20), { status: 206, headers });
  };
  await withServer(
    (request, count) => count > 1 ? later(request) : broken(whole, 150_000),
    async (base, seen) => {
      await withFolder(async (dir) => {
        const signal = AbortSignal.timeout(20_000);
        const fetch = downloadFile(`${base}/x`, `${dir}/x`, {
          size: 200_000,
          sha256,
          stallMs: 200,
          retry,
          signal,
        });
        await assertRejects(() => fetch, Error, "tries in a row failed");
        assertEquals(seen.length, 2);
      });
    },
  );
});

Deno.test("a Retry-After is of seconds or a date, no less than nothing and no more than two minutes", () => {
  const asked = (value: string | null) =>
    retryAfter(new Response(null, { headers: value === null ? {} : { "retry-after": value } }));
  assertEquals(["3", "0", "-5", "120", "3600"].map(asked), [3000, 0, 0, 120_000, 120_000]);
  assertEquals([asked("soon"), asked(null)], [undefined, undefined]);
  const ahead = (seconds: number) => asked(new Date(Date.now() + 1000 * seconds).toUTCString())!;
  assert(ahead(30) > 28_000 && ahead(30) <= 30_000, `${ahead(30)}`);
  assertEquals([ahead(-60), ahead(3600)], [0, 120_000]);
});

Deno.test("each wait before another try may be longer than the last, up to a minute", () => {
  const longest = (attempt: number) => Math.max(...Array.from({ length: 200 }, () => backoff(attempt, 500)));
  assert(longest(1) > 800 && longest(1) <= 1000);
  assert(longest(4) > 6500 && longest(4) <= 8000);
  assert(longest(40) > 50_000 && longest(40) <= 60_000);
});

Deno.test("the hub's client sends the token wherever a list goes on; ours does not", async () => {
  const page = () => Response.json([entry("config.json")]);
  await withServer(page, async (elsewhere, seenThere) => {
    const link = { headers: { link: `<${elsewhere}/next>; rel="next"` } };
    await withServer(hub(() => Response.json([entry("a.json")], link)), async (base, seen) => {
      const listing = listFiles({ repo: "radvqa/tiny", hubUrl: base, accessToken: token });
      const theirs = await Array.fromAsync(listing);
      assertEquals(theirs.length, 2);
      // Whether this is so may change with its version; ours must hold in any case.
      assertEquals(seenThere.map((r) => r.headers.get("authorization")), [bearer]);
      await withHub(base, async (dir) => {
        seen.length = seenThere.length = 0;
        const fetch = downloadHubModel("radvqa/tiny", "main", dir, { retry, files: ["none"] });
        await assertRejects(() => fetch, Error, "it has a.json, config.json");
        assert(seen.length === 2 && seen.every((r) => r.headers.get("authorization") === bearer));
        assertEquals(seenThere.map((r) => r.headers.get("authorization")), [null]);
      });
    });
  });
});

Deno.test("the token does not follow a redirect of the hub's lists, nor come back to the hub by one", async () => {
  await withServer(
    (request) => redirect(`${new URL(request.url).searchParams.get("back")}/again`),
    async (elsewhere, there) => {
      const tree = (base: string) => (request: Request) =>
        request.url.endsWith("/again")
          ? Response.json([entry("a.json")])
          : redirect(`${elsewhere}/x?back=${base}`);
      const own = (request: Request) => hub(tree(new URL(request.url).origin))(request);
      await withServer(own, async (base, seen) => {
        await withHub(base, async (dir) => {
          const fetch = downloadHubModel("radvqa/tiny", "main", dir, { retry, files: ["none"] });
          await assertRejects(() => fetch, Error, "it has a.json");
          assertEquals(there.map((r) => r.headers.get("authorization")), [null]);
          assertEquals(seen.map((r) => r.headers.get("authorization")), [bearer, bearer, null]);
        });
      });
    },
  );
});

Deno.test("a list that goes on for ever, or turns in a circle, ends in an error", async () => {
  let n = 0;
  const next = (to: (base: string) => string) => (request: Request) => {
    const link = `<${to(new URL(request.url).origin)}>; rel="next"`;
    return Response.json([entry(`${n++}`)], { headers: { link } });
  };
  for (const to of [(base: string) => `${base}/page`, (base: string) => `${base}/${n}`]) {
    await withServer(hub(next(to)), async (base) => {
      await withHub(base, async (dir) => {
        const fetch = downloadHubModel("radvqa/tiny", "main", dir, { retry });
        await assertRejects(() => fetch, Error, "lists its files without end");
      });
    });
  }
});

const LISTS: Record<string, [(request: Request) => Response, string]> = {
  "that never ends": [() => new Response(drip(new Uint8Array(4_000_000), 0)), "answers with more than"],
  "that drips": [() => new Response(drip(content(1), 10)), 'the last one with "the connection stalled"'],
  "that is a page": [() => new Response("<html>login</html>"), "expected the hub's list of files"],
  "of another kind": [() => Response.json({ files: 3 }), "expected the hub's list of files"],
  "without hashes": [() => Response.json([{ type: "file", path: "a", size: 1 }]), "expected the hub's list"],
  "with a hash that is a path": [() => Response.json([entry("a", { oid: "../../x" })]), "expected the hub's"],
  "with a control character": [() => Response.json([entry("a\u001b]0;b")]), '"a\\u001b]0;b" has a control'],
  "with an absolute path": [() => Response.json([entry("/etc/passwd")]), "has an absolute path"],
};

for (const [what, [tree, words]] of Object.entries(LISTS)) {
  const stallMs = what === "that drips" ? 100 : 10_000;
  Deno.test(`a hub's list ${what} is refused with a sentence`, async () => {
    await withServer(hub(tree), async (base) => {
      await withHub(base, async (dir) => {
        const fetch = downloadHubModel("radvqa/tiny", "main", dir, { retry, stallMs });
        const error = await assertRejects(() => fetch, Error);
        assertStringIncludes(error.message, words);
        assert(!Deno.inspect(error).includes(token), "the token must not appear");
        assertEquals(await names(dir), []);
      });
    });
  });
}

Deno.test("a commit that is none is refused before it names a folder", async () => {
  const answer = () =>
    Response.json({ _id: "1", id: "radvqa/tiny", sha: "../../x", private: false, gated: false });
  await withServer(answer, async (base) => {
    await withHub(base, async (dir) => {
      const fetch = downloadHubModel("radvqa/tiny", "main", dir, { retry });
      await assertRejects(() => fetch, Error, "expected the hub's list of files");
    });
  });
});
