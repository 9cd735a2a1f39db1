import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { downloadFile, type DownloadOptions } from "../../lib/download/file.ts";
import { HttpError } from "../../lib/download/http.ts";
import { broken, content, digest, type Handler, names, ranged, withFolder, withServer } from "./server.ts";

const bytes = content(100_000);
const sha256 = digest(bytes);
const retry = { attempts: 4, baseDelayMs: 5 };

function scenario(
  handler: Handler,
  check: (
    t: { base: string; path: string; dir: string; seen: { path: string; headers: Headers }[] },
  ) => Promise<void>,
): () => Promise<void> {
  return () =>
    withFolder((dir) =>
      withServer(handler, (base, seen) => check({ base, dir, path: `${dir}/sub/file.bin`, seen }))
    );
}

async function fetchWhole(
  t: { base: string; path: string; dir: string },
  options: DownloadOptions = { sha256 },
) {
  const file = await downloadFile(`${t.base}/file`, t.path, { retry, ...options });
  assertEquals(await Deno.readFile(t.path), bytes);
  assertEquals(await names(`${t.dir}/sub`), ["file.bin"]);
  assertEquals(file.bytes, bytes.length);
  assertEquals(file.sha256, sha256);
  return file;
}

async function leavePart(
  t: { base: string; path: string; dir: string },
  part: Uint8Array,
  etag: string | null,
) {
  await Deno.mkdir(`${t.dir}/sub`, { recursive: true });
  await Deno.writeFile(`${t.path}.part`, part);
  await Deno.writeTextFile(`${t.path}.part.json`, JSON.stringify({ url: `${t.base}/file`, etag }));
}

Deno.test(
  "a file arrives whole, with progress, and a second call fetches nothing",
  scenario((request) => ranged(request, bytes), async (t) => {
    const progress: number[] = [];
    await fetchWhole(t, {
      sha256,
      onProgress: (p) => (assertEquals(p.total, bytes.length), progress.push(p.received)),
    });
    assertEquals(progress.at(-1), bytes.length);
    assert(progress.every((v, i) => i === 0 || v > progress[i - 1]));
    assertEquals((await fetchWhole(t)).fetched, false);
    assertEquals(t.seen.length, 1);
  }),
);

Deno.test(
  "an existing file with another digest is replaced",
  scenario((request) => ranged(request, bytes), async (t) => {
    await Deno.mkdir(`${t.dir}/sub`);
    await Deno.writeFile(t.path, content(50, 9));
    assertEquals((await fetchWhole(t)).fetched, true);
  }),
);

Deno.test(
  "a dropped connection is resumed from where it broke, with If-Range",
  scenario(
    (request, n) => n === 1 ? broken(bytes, 40_000, { etag: '"v1"' }) : ranged(request, bytes, '"v1"'),
    async (t) => {
      await fetchWhole(t, {});
      assertEquals(t.seen.length, 2);
      assertEquals(t.seen[1].headers.get("range"), "bytes=40000-");
      assertEquals(t.seen[1].headers.get("if-range"), '"v1"');
    },
  ),
);

Deno.test(
  "a .part of an earlier run is resumed",
  scenario((request) => ranged(request, bytes, '"v1"'), async (t) => {
    await leavePart(t, bytes.slice(0, 70_000), '"v1"');
    await fetchWhole(t);
    assertEquals(t.seen[0].headers.get("range"), "bytes=70000-");
  }),
);

Deno.test(
  "a .part of a file that changed since starts over",
  scenario((request) => ranged(request, bytes, '"v2"'), async (t) => {
    await leavePart(t, content(70_000, 5), '"v1"');
    await fetchWhole(t, {});
  }),
);

Deno.test(
  "a damaged .part is noticed by the digest and fetched again",
  scenario((request) => ranged(request, bytes), async (t) => {
    await leavePart(t, content(70_000, 5), null);
    await fetchWhole(t);
    assertEquals(t.seen.map((r) => r.headers.get("range")), ["bytes=70000-", null]);
  }),
);

Deno.test(
  "a file that changes while it comes is taken as it is then, not as a mixture",
  scenario((request, n) => {
    const old = content(100_000, 5);
    return n === 1 ? broken(old, 40_000, { etag: '"v1"' }) : ranged(request, bytes, '"v2"');
  }, async (t) => {
    await fetchWhole(t, {});
    assertEquals(t.seen[1].headers.get("if-range"), '"v1"');
  }),
);

Deno.test(
  "a server that keeps the ETag of a file that changed is found out by the digest",
  scenario((request, n) => {
    const old = content(100_000, 5);
    return n === 1 ? broken(old, 40_000, { etag: '"same"' }) : ranged(request, bytes, '"same"');
  }, async (t) => {
    const stop = await assertRejects(() => downloadFile(`${t.base}/file`, t.path, { sha256, retry }), Error);
    assertStringIncludes((stop as Error).message, sha256);
    await fetchWhole(t);
  }),
);

Deno.test(
  "without strong ETag and digest nothing is resumed",
  scenario(
    (request, n) => n === 1 ? broken(bytes, 40_000, { etag: 'W/"weak"' }) : ranged(request, bytes),
    async (t) => {
      await fetchWhole(t, {});
      assertEquals(t.seen[1].headers.get("range"), null);
    },
  ),
);

Deno.test(
  "a server that ignores ranges is read from the start",
  scenario((_, n) => n === 1 ? broken(bytes, 40_000) : new Response(bytes), async (t) => {
    await fetchWhole(t);
    assertEquals(t.seen[1].headers.get("range"), "bytes=40000-");
  }),
);

Deno.test(
  "a server that answers another range than asked is not believed",
  scenario((request, n) => {
    if (n === 1) return broken(bytes, 40_000);
    if (n > 2) return ranged(request, bytes);
    return new Response(bytes.slice(10), {
      status: 206,
      headers: { "content-range": "bytes 10-99999/100000" },
    });
  }, async (t) => {
    await fetchWhole(t);
    assertEquals(t.seen.length, 3);
  }),
);

Deno.test(
  "416 at the full length means the .part is complete",
  scenario(
    () => new Response(null, { status: 416, headers: { "content-range": `bytes */${bytes.length}` } }),
    async (t) => {
      await leavePart(t, bytes, null);
      await fetchWhole(t);
      assertEquals(t.seen.length, 1);
    },
  ),
);

Deno.test(
  "503 and 429 are tried again after Retry-After",
  scenario((request, n) => {
    if (n === 1) return new Response(null, { status: 503 });
    if (n === 2) return new Response(null, { status: 429, headers: { "retry-after": "1" } });
    return ranged(request, bytes);
  }, async (t) => {
    const start = performance.now();
    await fetchWhole(t);
    assert(performance.now() - start >= 990, "Retry-After was not honoured");
    assertEquals(t.seen.length, 3);
  }),
);

Deno.test(
  "429 without Retry-After and with a date are tried again, the date is waited for",
  scenario((request, n) => {
    if (n === 1) return new Response(null, { status: 429 });
    const date = new Date(Date.now() + 2000).toUTCString(); // whole seconds: one to two from now
    if (n === 2) return new Response(null, { status: 503, headers: { "retry-after": date } });
    if (n === 3) return new Response(null, { status: 429, headers: { "retry-after": "soon" } });
    return ranged(request, bytes);
  }, async (t) => {
    const start = performance.now();
    await fetchWhole(t);
    assert(performance.now() - start >= 900, "the date was not honoured");
    assertEquals(t.seen.length, 4);
  }),
);

Deno.test(
  "a lasting 500 ends after the given tries, 404 at once, both with their status",
  scenario(
    (request) => new Response(null, { status: request.url.endsWith("gone") ? 404 : 500 }),
    async (t) => {
      const lasting = await assertRejects(() => downloadFile(`${t.base}/file`, t.path, { retry }), HttpError);
      assertEquals([(lasting as HttpError).status, t.seen.length], [500, 4]);
      const gone = await assertRejects(
        () => downloadFile(`${t.base}/gone`, t.path, { retry }),
        HttpError,
        "404",
      );
      assertEquals([(gone as HttpError).status, t.seen.length], [404, 5]);
    },
  ),
);

Deno.test(
  "a connection that always breaks ends in an error that keeps the .part",
  scenario(
    (request) => request.headers.has("range") ? broken(bytes, 0, {}, 503) : broken(bytes, 40_000),
    async (t) => {
      await assertRejects(() => downloadFile(`${t.base}/file`, t.path, { sha256, retry }), Error, "503");
      assertEquals(await names(`${t.dir}/sub`), ["file.bin.part", "file.bin.part.json"]);
      assertEquals((await Deno.stat(`${t.path}.part`)).size, 40_000);
    },
  ),
);

Deno.test(
  "a wrong digest is an error that names both and leaves nothing",
  scenario((request) => ranged(request, content(100_000, 2)), async (t) => {
    const error = await assertRejects(
      () => downloadFile(`${t.base}/file?sig=secret`, t.path, { sha256, retry }),
      Error,
      sha256,
    );
    assert(!(error as Error).message.includes("secret"), "the query of an address is not shown");
    assertEquals(await names(`${t.dir}/sub`), []);
  }),
);

Deno.test(
  "a length other than expected is refused before the body is read",
  scenario((request) => ranged(request, bytes), async (t) => {
    await assertRejects(
      () => downloadFile(`${t.base}/file`, t.path, { size: 99, retry }),
      Error,
      "99 were expected",
    );
    assertEquals(t.seen.length, 1);
  }),
);

Deno.test("a server that announces more than it sends is not believed", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let asked = 0;
  const serving = (async () => {
    for await (const connection of listener) {
      asked++;
      await connection.read(new Uint8Array(4096));
      const head = `HTTP/1.1 200 OK\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n`;
      await connection.write(new TextEncoder().encode(head));
      await connection.write(bytes.slice(0, 1000));
      connection.close();
    }
  })();
  await withFolder(async (dir) => {
    const url = `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/file`;
    await assertRejects(() => downloadFile(url, `${dir}/file`, { retry }), Error, "4 tries in a row failed");
    assertEquals((await names(dir)).includes("file"), false);
  });
  listener.close();
  await serving;
  assertEquals(asked, 4);
});

Deno.test("a server that accepts and never answers is given up after the tries", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const held: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const connection of listener) held.push(connection);
  })();
  await withFolder(async (dir) => {
    const url = `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/file`;
    await assertRejects(
      () => downloadFile(url, `${dir}/file`, { retry, stallMs: 100 }),
      Error,
      '4 tries in a row failed, the last one with "the connection stalled"',
    );
  });
  listener.close();
  await serving;
  for (const connection of held) connection.close();
  assertEquals(held.length, 4);
});

Deno.test(
  "more than the expected length, without an announced one, is not kept",
  scenario(() => new Response(new Blob([bytes, bytes]).stream()), async (t) => {
    await assertRejects(
      () => downloadFile(`${t.base}/file`, t.path, { size: 100_000, retry }),
      Error,
      "sent more",
    );
    assertEquals((await names(`${t.dir}/sub`)).includes("file.bin"), false);
  }),
);

Deno.test(
  "a range answer that claims another total is not believed",
  scenario((request, n) => {
    if (n === 1) return broken(bytes, 40_000);
    if (n > 2) return ranged(request, bytes);
    const headers = { "content-range": "bytes 40000-99999/50000" };
    return new Response(bytes.slice(40_000), { status: 206, headers });
  }, async (t) => {
    await fetchWhole(t);
    assert(t.seen.length > 2);
  }),
);

Deno.test(
  "a stalled connection is dropped and resumed",
  scenario((request, n) => {
    if (n > 1) return ranged(request, bytes);
    const stream = new ReadableStream({ start: (c) => c.enqueue(bytes.slice(0, 30_000)) });
    return new Response(stream, { headers: { "content-length": String(bytes.length) } });
  }, async (t) => {
    await fetchWhole(t, { sha256, stallMs: 200 });
    assertEquals(t.seen[1].headers.get("range"), "bytes=30000-");
  }),
);

Deno.test(
  "an abort stops at once and keeps what came",
  scenario(() => broken(bytes, 40_000), async (t) => {
    const stop = new AbortController();
    const options = {
      retry,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("stopped by hand")),
    };
    await assertRejects(() => downloadFile(`${t.base}/file`, t.path, options), Error, "stopped by hand");
    assertEquals(t.seen.length, 1);
    assert((await Deno.stat(`${t.path}.part`)).size > 0);
  }),
);

Deno.test("a secret goes to the first host only, not to where it redirects", async () => {
  await withServer((request) => ranged(request, bytes), async (elsewhere, seenThere) => {
    const redirect: Handler = (request) => {
      const to = request.url.endsWith("/file") ? "/moved" : `${elsewhere}/store?signature=1`;
      return new Response(null, { status: 302, headers: { location: to } });
    };
    await scenario(redirect, async (t) => {
      await fetchWhole(t, { sha256, headers: { authorization: "Bearer hf_x", "x-plain": "kept" } });
      assertEquals(t.seen.map((r) => r.headers.get("authorization")), ["Bearer hf_x", "Bearer hf_x"]);
      assertEquals(seenThere.map((r) => r.headers.get("authorization")), [null]);
      assertEquals(seenThere[0].headers.get("x-plain"), "kept");
    })();
  });
});

Deno.test("a secret is never sent over plain http to another machine", async () => {
  await withFolder(async (dir) => {
    const options = { headers: { authorization: "Bearer hf_x" }, retry };
    const error = await assertRejects(
      () => downloadFile("http://example.invalid/f", `${dir}/f`, options),
      Error,
      "unencrypted",
    );
    assertStringIncludes((error as Error).message, "example.invalid");
    assert(!(error as Error).message.includes("hf_x"));
  });
});

Deno.test(
  "a redirect that turns in a circle ends",
  scenario(() => new Response(null, { status: 302, headers: { location: "/file" } }), async (t) => {
    await assertRejects(
      () => downloadFile(`${t.base}/file`, t.path, { retry }),
      Error,
      "redirects more than 10 times",
    );
    assertEquals(t.seen.length, 11);
  }),
);
