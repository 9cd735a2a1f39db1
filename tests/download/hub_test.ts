import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { downloadHubModel } from "../../lib/download/mod.ts";
import { broken, content, digest, names, ranged, withFolder, withServer } from "./server.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const weights = content(60_000), config = new TextEncoder().encode('{"model_type": "paligemma"}\n');
const blob = (bytes: Uint8Array) =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
const retry = { attempts: 3, baseDelayMs: 5 };
const token = "hf_aVerySecretToken";

interface Hub {
  gated?: boolean;
  hugeSize?: number;
  evilPath?: string;
  /** The first request for the weights breaks off. */
  flaky?: boolean;
}

/** Plays the hub's three routes (revision, tree, resolve) for one model, with weights on a second host. */
function hub(options: Hub, storage: string) {
  let faults = 0;
  return (request: Request): Response => {
    const url = new URL(request.url);
    const entry = (path: string, size: number, more: object) => ({ type: "file", path, size, ...more });
    if (url.pathname === "/api/models/radvqa/tiny/revision/main") {
      if (options.flaky && faults++ === 0) return new Response(null, { status: 502 });
      return Response.json({
        _id: "1",
        id: "radvqa/tiny",
        sha: commit,
        private: false,
        gated: options.gated ?? false,
      });
    }
    if (url.pathname === `/api/models/radvqa/tiny/tree/${commit}`) {
      return Response.json([
        entry("config.json", config.length, { oid: blob(config) }),
        { type: "directory", path: "nested", size: 0, oid: commit },
        entry(options.evilPath ?? "nested/model.safetensors", options.hugeSize ?? weights.length, {
          oid: commit,
          lfs: { oid: digest(weights), size: options.hugeSize ?? weights.length, pointerSize: 130 },
        }),
      ]);
    }
    if (url.pathname.startsWith("/radvqa/tiny/resolve/")) {
      assertStringIncludes(url.pathname, commit);
      if (options.gated) {
        return new Response("Access to model is restricted", {
          status: request.headers.has("authorization") ? 403 : 401,
        });
      }
      if (url.pathname.endsWith("config.json")) return ranged(request, config);
      return new Response(null, { status: 302, headers: { location: `${storage}/blob?X-Signature=abc` } });
    }
    return new Response(null, { status: 404 });
  };
}

type Seen = { path: string; headers: Headers }[];

async function withHub(
  options: Hub,
  env: Record<string, string>,
  body: (t: { dir: string; seen: Seen; stored: Seen }) => Promise<void>,
): Promise<void> {
  const before = ["HF_ENDPOINT", "HF_TOKEN"].map((name) => [name, Deno.env.get(name)] as const);
  const store = (request: Request, n: number) =>
    options.flaky && n === 1 ? broken(weights, 20_000) : ranged(request, weights);
  try {
    await withServer(store, (storage, stored) =>
      withServer(hub(options, storage), (base, seen) => {
        for (const [name] of before) Deno.env.delete(name);
        for (const [name, value] of Object.entries({ HF_ENDPOINT: base, ...env })) Deno.env.set(name, value);
        return withFolder((dir) => body({ dir, seen, stored }));
      }));
  } finally {
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
  }
}

Deno.test("a model arrives whole at one commit, and a second call fetches no file", async () => {
  await withHub({ flaky: true }, {}, async ({ dir, seen, stored }) => {
    const progress: string[] = [];
    const got = await downloadHubModel("radvqa/tiny", "main", dir, {
      retry,
      onProgress: (p) => progress.push(p.file),
    });
    assertEquals(got.commit, commit);
    assertEquals(got.files.map((f) => [f.name, f.bytes, f.fetched]), [
      ["config.json", config.length, true],
      ["nested/model.safetensors", weights.length, true],
    ]);
    assertEquals(await Deno.readFile(`${dir}/nested/model.safetensors`), weights);
    assertEquals(await Deno.readFile(`${dir}/config.json`), config);
    assertEquals(await names(`${dir}/nested`), ["model.safetensors"]);
    assertEquals(stored.map((r) => r.headers.get("range")), [null, "bytes=20000-"]);
    assert(progress.includes("config.json") && progress.includes("nested/model.safetensors"));
    assert(seen.every((r) => r.headers.get("authorization") === null));
    const again = await downloadHubModel("radvqa/tiny", "main", dir, { retry });
    assertEquals(again.files.map((f) => f.fetched), [false, false]);
    assertEquals(stored.length, 2);
  });
});

Deno.test("only the files asked for are fetched, and an unknown one is an error that lists what there is", async () => {
  await withHub({}, {}, async ({ dir, stored }) => {
    const got = await downloadHubModel("radvqa/tiny", "main", dir, { files: ["*.json"], retry });
    assertEquals(got.files.map((f) => f.name), ["config.json"]);
    assertEquals(stored.length, 0);
    await assertRejects(
      () => downloadHubModel("radvqa/tiny", "main", dir, { files: ["model.bin"], retry }),
      Error,
      'has no file "model.bin"; it has config.json, nested/model.safetensors',
    );
  });
});

Deno.test("HF_TOKEN goes to the hub and not to the storage it redirects to", async () => {
  await withHub({}, { HF_TOKEN: token }, async ({ dir, seen, stored }) => {
    await downloadHubModel("radvqa/tiny", "main", dir, { retry });
    assert(seen.every((r) => r.headers.get("authorization") === `Bearer ${token}`));
    assertEquals(stored.map((r) => r.headers.get("authorization")), [null]);
    for (const name of await names(dir)) {
      if (name.endsWith(".json")) assert(!(await Deno.readTextFile(`${dir}/${name}`)).includes(token));
    }
  });
});

for (const env of [{}, { HF_TOKEN: token }] as Record<string, string>[]) {
  const state = env.HF_TOKEN ? "with" : "without";
  Deno.test(`a gated model ${state} a token names the licence page and never the token`, async () => {
    await withHub({ gated: true }, env, async ({ dir }) => {
      const error = await assertRejects(() =>
        downloadHubModel("radvqa/tiny", "main", dir, { retry })
      ) as Error;
      assertStringIncludes(error.message, "/radvqa/tiny");
      assertStringIncludes(error.message, "accept its licence");
      assertStringIncludes(error.message, env.HF_TOKEN ? "has not accepted" : "HF_TOKEN is not set");
      assert(!Deno.inspect(error).includes(token), "the token must not appear");
    });
  });
}

Deno.test("an unknown repository is named", async () => {
  await withHub({}, {}, async ({ dir }) => {
    await assertRejects(
      () => downloadHubModel("radvqa/none", "main", dir, { retry }),
      Error,
      "radvqa/none at revision",
    );
  });
});

Deno.test("a full disk is noticed before anything is fetched", async () => {
  await withHub({ hugeSize: 2 ** 52 }, {}, async ({ dir, stored }) => {
    await assertRejects(
      () => downloadHubModel("radvqa/tiny", "main", dir, { retry }),
      Error,
      "make room first",
    );
    assertEquals(stored.length, 0);
    assertEquals(await names(dir), []);
  });
});

Deno.test("a listing that points outside the folder is refused", async () => {
  await withHub({ evilPath: "../../evil" }, {}, async ({ dir, stored }) => {
    await assertRejects(
      () => downloadHubModel("radvqa/tiny", "main", dir, { retry }),
      Error,
      "leaves the folder",
    );
    assertEquals(stored.length, 0);
  });
});
