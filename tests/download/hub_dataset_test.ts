import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { checkFolder, fetchDataset, readReceipt } from "../../lib/download/mod.ts";
import { manifestAt } from "./dataset_fixture.ts";
import { content, digest, names, ranged, withFolder, withServer } from "./server.ts";

const retry = { attempts: 3, baseDelayMs: 5 };
const FIRST = "1".repeat(40), SECOND = "2".repeat(40), TOKEN = "hf_aVerySecretToken";
const parts = [content(40_000, 3), content(30_000, 4)];

/** Plays the hub for the data set lab/rows; `head()` is the commit of main. Files lie on a second host. */
function hub(storage: string, head: () => string) {
  return ({ url }: Request): Response => {
    const { pathname } = new URL(url);
    if (/^\/api\/datasets\/lab\/rows\/revision\//.test(pathname)) {
      const asked = pathname.split("/").at(-1)!;
      return Response.json({ _id: "1", id: "lab/rows", sha: asked === "main" ? head() : asked });
    }
    if (/^\/api\/datasets\/lab\/rows\/tree\//.test(pathname)) {
      const file = (path: string, bytes: Uint8Array) => ({
        type: "file",
        path,
        size: bytes.length,
        oid: FIRST,
        lfs: { oid: digest(bytes), size: bytes.length, pointerSize: 130 },
      });
      return Response.json([
        file("data/train-0.parquet", parts[0]),
        file("data/train-1.parquet", parts[1]),
        file("README.md", parts[0]),
      ]);
    }
    const resolved = /^\/datasets\/lab\/rows\/resolve\/[12]{40}\/data\/train-([01])\.parquet$/.exec(pathname);
    if (!resolved) return new Response(null, { status: 404 });
    return new Response(null, {
      status: 302,
      headers: { location: `${storage}/${resolved[1]}?X-Signature=abc` },
    });
  };
}

type Seen = { path: string; headers: Headers }[];

async function withHub(
  head: () => string,
  body: (t: { dir: string; seen: Seen; stored: Seen }) => Promise<void>,
): Promise<void> {
  const before = ["HF_ENDPOINT", "HF_TOKEN"].map((name) => [name, Deno.env.get(name)] as const);
  const store = (request: Request) => ranged(request, parts[Number(new URL(request.url).pathname.slice(1))]);
  try {
    await withServer(store, (storage, stored) =>
      withServer(hub(storage, head), (base, seen) => {
        Deno.env.set("HF_ENDPOINT", base);
        Deno.env.set("HF_TOKEN", TOKEN);
        return withFolder((dir) => body({ dir, seen, stored }));
      }));
  } finally {
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
  }
}

const manifest = manifestAt("http://127.0.0.1:1", {
  files: [{
    hub: "lab/rows",
    revision: "main",
    path: "data/*.parquet",
    bytes: null,
    about: null,
    sha256: null,
    checked: false,
  }],
  holds: [{ any: ["data"], files: 2 }],
});

Deno.test("a hub data set arrives by pattern, checked against the hub's hashes; the token stays at the hub", async () => {
  await withHub(() => FIRST, async ({ dir, seen, stored }) => {
    await fetchDataset(manifest, dir, { retry });
    assertEquals(await names(`${dir}/data`), ["train-0.parquet", "train-1.parquet"]);
    assertEquals(await Deno.readFile(`${dir}/data/train-1.parquet`), parts[1]);
    assert(seen.every(({ headers }) => headers.get("authorization") === `Bearer ${TOKEN}`));
    assertEquals(stored.map(({ headers }) => headers.get("authorization")), [null, null]);
    assert(!(await Deno.readTextFile(`${dir}/receipt.json`)).includes(TOKEN));
    assertEquals((await readReceipt(dir)).files["data/train-0.parquet"].sha256, digest(parts[0]));
  });
});

Deno.test("later downloads are of the commit of the first one, wherever the branch is", async () => {
  let head = FIRST;
  await withHub(() => head, async ({ dir, seen, stored }) => {
    await fetchDataset(manifest, dir, { retry });
    head = SECOND;
    await Deno.remove(`${dir}/data/train-1.parquet`);
    seen.length = stored.length = 0;
    await fetchDataset(manifest, dir, { retry });
    assertEquals(stored.map(({ path }) => path), ["/1"]);
    assert(seen.every(({ path }) => !path.includes("main") && !path.includes(SECOND)));
  });
});

Deno.test("a pattern's files that have not come yet are missing, however many came", async () => {
  await withHub(() => FIRST, async ({ dir, stored }) => {
    const modest = { ...manifest, holds: [{ any: ["data"], files: 1 }] };
    await fetchDataset(modest, dir, { retry });
    const receipt = await readReceipt(dir);
    delete receipt.files["data/train-1.parquet"];
    await Deno.writeTextFile(`${dir}/receipt.json`, JSON.stringify(receipt));
    await Deno.remove(`${dir}/data/train-1.parquet`);
    assertEquals(await checkFolder(modest, dir), { state: "partial", missing: ["data/train-1.parquet"] });
    await fetchDataset(modest, dir, { retry });
    assertEquals(stored.map(({ path }) => path).sort(), ["/0", "/1", "/1"]);
    assertEquals((await checkFolder(modest, dir)).state, "ready");
  });
});

Deno.test("a hub that is ill or has no such data set is a sentence for a person", async () => {
  await withServer(
    ({ url }) => new Response(null, { status: url.includes("lab/rows") ? 500 : 404 }),
    async (base, seen) => {
      const before = Deno.env.get("HF_ENDPOINT");
      Deno.env.set("HF_ENDPOINT", base);
      try {
        await withFolder(async (dir) => {
          const ill = await assertRejects(() => fetchDataset(manifest, dir, { retry }), Error);
          assertEquals([ill.constructor, seen.length], [Error, 3]);
          assertStringIncludes(ill.message, "/datasets/lab/rows: the hub answered 500; try again later.");
          const files = [{ ...manifest.files[0], hub: "lab/other" }];
          const none = await assertRejects(() => fetchDataset({ ...manifest, files }, dir, { retry }), Error);
          assertStringIncludes(none.message, 'lab/other at revision "main" was not found');
        });
      } finally {
        before === undefined ? Deno.env.delete("HF_ENDPOINT") : Deno.env.set("HF_ENDPOINT", before);
      }
    },
  );
});

Deno.test("a hub that is busy is asked again, but not before it says", async () => {
  const times: number[] = [];
  const busyOnce = () =>
    times.push(performance.now()) === 1
      ? new Response(null, { status: 429, headers: { "retry-after": "1" } })
      : new Response(null, { status: 404 });
  await withServer(busyOnce, async (base) => {
    const before = Deno.env.get("HF_ENDPOINT");
    Deno.env.set("HF_ENDPOINT", base);
    try {
      await withFolder(async (dir) => {
        await assertRejects(() => fetchDataset(manifest, dir, { retry }), Error, "was not found");
      });
    } finally {
      before === undefined ? Deno.env.delete("HF_ENDPOINT") : Deno.env.set("HF_ENDPOINT", before);
    }
  });
  assertEquals(times.length, 2);
  assert(times[1] - times[0] >= 990, `${times[1] - times[0]} ms`);
});

Deno.test("a file that is not what the hub lists is refused", async () => {
  await withHub(() => FIRST, async ({ dir }) => {
    const good = parts[1];
    parts[1] = content(30_000, 9);
    const listed = digest(good);
    try {
      const files = [{ ...manifest.files[0], path: "data/train-1.parquet", sha256: listed, checked: true }];
      await assertRejects(
        () => fetchDataset({ ...manifest, files }, dir, { retry }),
        Error,
        `${listed} was expected`,
      );
    } finally {
      parts[1] = good;
    }
  });
});
