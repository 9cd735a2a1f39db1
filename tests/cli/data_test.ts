import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { manifestAt, publish } from "../download/dataset_fixture.ts";
import { content, names, withFolder } from "../download/server.ts";
import { granted } from "./granted.ts";
import { transferText } from "../../lib/cli/support/transfer_line.ts";

/** 12 MB in two files: some seconds at the server's pace. */
const published = { ...publish(3, 2_000_000), rows: content(6_000_000) };
const all = published.rows.length + published.archive.length;

/** A server that sends 64 KiB every `pace` ms, honours ranges, and counts the bytes it hands out. */
function slowServer(pace: number) {
  const counts = { bytes: 0, whole: 0 };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const bytes = new URL(request.url).pathname === "/rows.csv" ? published.rows : published.archive;
    const range = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? ""), etag = `"${bytes.length}"`;
    const start = range && request.headers.get("if-range") === etag ? Number(range[1]) : 0;
    if (start === 0) counts.whole++;
    let at = start;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, pace));
        const piece = bytes.subarray(at, at + 65_536);
        at += piece.length;
        counts.bytes += piece.length;
        if (piece.length > 0) controller.enqueue(piece);
        else controller.close();
      },
    }, { highWaterMark: 0 });
    const headers = { etag, "content-length": String(bytes.length - start) };
    if (start === 0) return new Response(body, { headers });
    const part = { ...headers, "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
    return new Response(body, { status: 206, headers: part });
  });
  return { server, counts, base: `http://127.0.0.1:${server.addr.port}` };
}

interface Room {
  manifests: string;
  local: string;
}

async function withRoom(base: string, changes: object, body: (room: Room) => Promise<void>) {
  await withFolder(async (folder) => {
    const room = { manifests: `${folder}/manifests`, local: `${folder}/local` };
    await Deno.mkdir(room.manifests);
    await Deno.writeTextFile(
      `${room.manifests}/made_up.json`,
      JSON.stringify(manifestAt(base, { ...changes })),
    );
    await body(room);
  });
}

const permissions = await granted("data");

const start = ({ manifests, local }: Room, ...args: string[]) =>
  new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...permissions,
      "--quiet",
      join(import.meta.dirname!, "data_process.ts"),
      manifests,
      local,
      ...args,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();

async function finish(child: Deno.ChildProcess): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await child.output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

/** Waits until `there()` holds, at most 20 s. */
async function until(there: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 2000 && !(await there()); i++) await new Promise((resolve) => setTimeout(resolve, 10));
}

const bound = { ...manifestAt("http://127.0.0.1:1").licence, mustAccept: true };

Deno.test("./lab data: killed at many moments and run again, it ends whole and fetches nothing twice", async () => {
  const { server, counts, base } = slowServer(12);
  await withRoom(base, { licence: bound }, async (room) => {
    const dir = `${room.local}/made_up`, kills: number[] = [];
    for (const share of [0.1, 0.35, 0.6, 0.9]) {
      const child = start(room, "made_up", "--yes");
      await until(() => counts.bytes > share * all);
      child.kill("SIGKILL");
      kills.push((await finish(child)).code);
    }
    const last = start(room, "made_up", "--yes"); // killed while it unpacks
    await until(async () => (await names(dir)).some((name) => name === "images.tmp" || name === "images"));
    last.kill("SIGKILL");
    kills.push((await finish(last)).code);
    assert(kills.every((code) => code === 137), `ended by itself: ${kills}`);
    const { code, text } = await finish(start(room, "made_up"));
    assertEquals(code, 0, text);
    assertStringIncludes(text, "made_up is ready");
    assert(!text.includes("Do you accept"), "the licence is asked for once");
    assertEquals(await Deno.readFile(`${dir}/rows.csv`), published.rows);
    for (const i of [0, 1, 2]) {
      assertEquals(await Deno.readFile(`${dir}/images/${i}.png`), content(2_000_000, i + 2));
    }
    assertEquals(await names(dir), [
      ".lock",
      "images",
      "images.sha256",
      "licence.txt",
      "receipt.json",
      "rows.csv",
    ]);
    assertEquals(counts.whole, 2, "each file was begun once");
    // a kill loses what is on its way (0.7 to 1.3 MB for the five were seen)
    assert(counts.bytes < all + 4_000_000, `${counts.bytes} bytes were sent for ${all}`);
    const before = counts.bytes, again = await finish(start(room, "made_up"));
    assertEquals([again.code, counts.bytes], [0, before]);
    const verified = await finish(start(room, "made_up", "--verify"));
    assertEquals([verified.code, verified.text], [0, "made_up: 4 files are as they came.\n"]);
  });
  await server.shutdown();
});

Deno.test("./lab data: Ctrl-C stops with a sentence and keeps what came", async () => {
  const { server, counts, base } = slowServer(12);
  await withRoom(base, {}, async (room) => {
    const child = start(room, "made_up");
    await until(() => counts.bytes > 1_000_000);
    child.kill("SIGINT");
    const { code, text } = await finish(child);
    assertEquals(code, 1);
    assertStringIncludes(text, "stopped; what came is kept");
    assert((await Deno.stat(`${room.local}/made_up/rows.csv.part`)).size > 100_000);
    assertStringIncludes((await finish(start(room))).text, "partial");
  });
  await server.shutdown();
});

Deno.test("./lab data: a licence is not accepted by nobody; without a terminal it takes --yes", async () => {
  const { server, counts, base } = slowServer(0);
  await withRoom(base, { licence: bound }, async (room) => {
    const { code, text } = await finish(start(room, "made_up"));
    assertEquals(code, 1);
    assertStringIncludes(text, "licence   CC BY 4.0: https://example.org/licence");
    assertStringIncludes(text, "with --yes if you have read it");
    assertEquals(counts.bytes, 0);
    const list = await finish(start(room));
    assertStringIncludes(list.text, "made_up   absent  unknown   CC BY 4.0  A made-up data set");
    const unknown = await finish(start(room, "nope"));
    assertStringIncludes(unknown.text, 'no data set "nope"; there are made_up.');
  });
  await server.shutdown();
});

Deno.test("a transfer's line tells share, rate and time left, and claims none it does not know", () => {
  const mb = 1_000_000, doing = "imgs.zip";
  assertEquals(
    transferText({ doing, done: 91 * mb, total: 212 * mb, fetched: 81 * mb }, 10),
    "42%, 91 MB of 212 MB, 8.1 MB/s, 14.9 s left: imgs.zip",
  );
  assertEquals(transferText({ doing, done: 5 * mb, total: null, fetched: 0 }, 0), "5 MB: imgs.zip");
});
