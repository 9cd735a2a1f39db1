import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  acceptLicence,
  checkFolder,
  DatasetManifest,
  type DatasetProgress,
  fetchDataset,
  isAccepted,
  readManifest,
  readReceipt,
  unpackedSize,
  verifyDataset,
} from "../../lib/download/mod.ts";
import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import { manifestAt, publish, type Published, publisher } from "./dataset_fixture.ts";
import { content, digest, names, ranged, withFolder, withServer } from "./server.ts";

const retry = { attempts: 3, baseDelayMs: 5 };

interface Scene {
  base: string;
  dir: string;
  seen: { path: string; headers: Headers }[];
  /** What the server has; may be changed. */
  now: Published;
}

/** A server with the made-up data set and an empty folder. */
function scene(body: (t: Scene) => Promise<void>): () => Promise<void> {
  return () =>
    withFolder((folder) => {
      const t = { now: publish(), dir: `${folder}/made_up` } as Scene;
      return withServer(publisher(() => t.now), (base, seen) => body(Object.assign(t, { base, seen })));
    });
}

const requests = (t: Scene) => t.seen.map(({ path }) => path).sort();

async function assertWhole(t: Scene, published = t.now) {
  assertEquals(await Deno.readFile(`${t.dir}/rows.csv`), published.rows);
  assertEquals(await Deno.readFile(`${t.dir}/images/2.png`), content(20_000, 4));
  assertEquals(await names(`${t.dir}/images`), ["0.png", "1.png", "2.png"]);
  const whole = [".lock", "images", "images.sha256", "licence.txt", "receipt.json", "rows.csv"];
  assertEquals(await names(t.dir), whole);
}

Deno.test(
  "a data set arrives whole, its hashes are recorded, and a second run asks for nothing",
  scene(async (t) => {
    const manifest = manifestAt(t.base), progress: DatasetProgress[] = [];
    assertEquals((await checkFolder(manifest, t.dir)).state, "absent");
    await fetchDataset(manifest, t.dir, { retry, onProgress: (p) => progress.push(p) });
    await assertWhole(t);
    assertEquals(progress[0].total, null, "nobody knows how long the other file is");
    const { files } = await readReceipt(t.dir), all = t.now.rows.length + t.now.archive.length;
    assertEquals(files["rows.csv"].sha256, digest(t.now.rows));
    assertEquals(files["images.zip"].sha256, digest(t.now.archive));
    assertEquals(files["images.zip"].unpacked, { into: "images", files: 3, bytes: 60_000 });
    assertEquals([progress.at(-1)!.done, progress.at(-1)!.total], [all, all]);
    assertEquals((await checkFolder(manifest, t.dir)).state, "ready");
    await fetchDataset(manifest, t.dir, { retry });
    assertEquals(requests(t), ["/images.zip", "/rows.csv"]);
    assertStringIncludes(await Deno.readTextFile(`${t.dir}/licence.txt`), "CC BY 4.0\n");
  }),
);

Deno.test(
  "what was deleted is fetched again and compared with the first download",
  scene(async (t) => {
    const manifest = manifestAt(t.base), before = t.now;
    await fetchDataset(manifest, t.dir, { retry });
    await Deno.remove(`${t.dir}/rows.csv`);
    assertEquals((await checkFolder(manifest, t.dir)).missing, ["rows.csv"]);
    await fetchDataset(manifest, t.dir, { retry });
    assertEquals(requests(t), ["/images.zip", "/rows.csv", "/rows.csv"]);
    await Deno.remove(`${t.dir}/rows.csv`);
    t.now = { ...before, rows: content(50_000, 77) };
    await assertRejects(() => fetchDataset(manifest, t.dir, { retry }), Error, digest(before.rows));
    assertEquals((await names(t.dir)).includes("rows.csv"), false);
    t.now = before;
    await fetchDataset(manifest, t.dir, { retry });
    await assertWhole(t);
  }),
);

Deno.test(
  "a hash of the manifest that the file does not have is an error, whatever the length",
  scene(async (t) => {
    const [rows, images] = manifestAt(t.base).files;
    const files = [{ ...rows, sha256: "0".repeat(64), checked: true }, images];
    await assertRejects(
      () => fetchDataset(manifestAt(t.base, { files }), t.dir, { retry }),
      Error,
      `instead of ${"0".repeat(64)}`,
    );
    assertEquals(
      requests(t).filter((path) => path === "/rows.csv").length,
      1,
      "what came whole is not asked for again",
    );
  }),
);

/** What a kill can leave behind: how the folder looks, and what may be asked for again. */
const KILLED: Record<string, { leave: (t: Scene) => Promise<unknown>; asks: string[] }> = {
  "when the archive had come": {
    leave: async (t) => {
      await Deno.remove(`${t.dir}/images`, { recursive: true });
      await Deno.writeFile(`${t.dir}/images.zip`, t.now.archive);
      await forget(t, "images.zip");
    },
    asks: [],
  },
  "in the middle of unpacking": {
    leave: async (t) => {
      await Deno.rename(`${t.dir}/images`, `${t.dir}/images.tmp`);
      await Deno.writeTextFile(`${t.dir}/images.tmp/1.png`, "half");
      await Deno.writeFile(`${t.dir}/images.zip`, t.now.archive);
      await forget(t, "images.zip");
    },
    asks: [],
  },
  "between unpacking and the receipt": {
    leave: async (t) => {
      await Deno.writeFile(`${t.dir}/images.zip`, t.now.archive);
      await forget(t, "images.zip");
    },
    asks: [],
  },
  "between the receipt and the archive's deletion": {
    leave: (t) => Deno.writeFile(`${t.dir}/images.zip`, t.now.archive),
    asks: [],
  },
  "in the middle of a download": {
    leave: async (t) => {
      await Deno.remove(`${t.dir}/rows.csv`);
      await Deno.writeFile(`${t.dir}/rows.csv.part`, t.now.rows.slice(0, 30_000));
      const origin = { url: `${t.base}/rows.csv`, etag: `"50000-${t.now.rows[100]}"` };
      await Deno.writeTextFile(`${t.dir}/rows.csv.part.json`, JSON.stringify(origin));
      await forget(t, "rows.csv");
    },
    asks: ["bytes=30000-"],
  },
  "while the receipt was written": {
    leave: async (t) => {
      await Deno.writeTextFile(`${t.dir}/receipt.json.tmp`, "{");
      await Deno.remove(`${t.dir}/rows.csv`);
    },
    asks: ["whole"],
  },
};

/** Takes a file out of the receipt. */
async function forget(t: Scene, path: string) {
  const receipt = await readReceipt(t.dir);
  delete receipt.files[path];
  await Deno.writeTextFile(`${t.dir}/receipt.json`, JSON.stringify(receipt));
}

for (const [when, { leave, asks }] of Object.entries(KILLED)) {
  Deno.test(
    `killed ${when}: the next run ends well and fetches nothing twice`,
    scene(async (t) => {
      const manifest = manifestAt(t.base);
      await fetchDataset(manifest, t.dir, { retry });
      await leave(t);
      assertEquals((await checkFolder(manifest, t.dir)).state, "partial");
      t.seen.length = 0;
      await fetchDataset(manifest, t.dir, { retry });
      await assertWhole(t);
      assertEquals(t.seen.map(({ headers }) => headers.get("range") ?? "whole"), asks);
    }),
  );
}

Deno.test(
  "a damaged archive is deleted, said to be, and fetched anew by the next run",
  scene(async (t) => {
    const sound = t.now, damaged = new Uint8Array(sound.archive);
    damaged[10_000] ^= 1;
    t.now = { ...sound, archive: damaged };
    const error = await assertRejects(() => fetchDataset(manifestAt(t.base), t.dir, { retry }), Error);
    assertStringIncludes(error.message, 'CRC32 in entry "images/0.png"');
    assertStringIncludes(error.message, "It was deleted");
    assertEquals(error.constructor, Error, "a sentence for a person, not a defect");
    for (const trace of ["images", "images.tmp", "images.zip"]) {
      assert(!(await names(t.dir)).includes(trace), `${trace} stays`);
    }
    t.now = sound;
    await fetchDataset(manifestAt(t.base), t.dir, { retry });
    await assertWhole(t);
  }),
);

Deno.test(
  "two runs at once: one waits, and each file is fetched once",
  scene(async (t) => {
    let waited = 0;
    const slow = { retry, onWait: () => waited++ };
    const held = await Deno.mkdir(t.dir).then(() =>
      Deno.open(`${t.dir}/.lock`, { write: true, create: true })
    );
    await held.lock(true);
    const both = [
      fetchDataset(manifestAt(t.base), t.dir, slow),
      fetchDataset(manifestAt(t.base), t.dir, slow),
    ];
    await new Promise((resolve) => setTimeout(resolve, 400));
    assertEquals([waited, t.seen.length], [2, 0]);
    held.close();
    await Promise.all(both);
    await assertWhole(t);
    assertEquals(requests(t), ["/images.zip", "/rows.csv"]);
  }),
);

Deno.test(
  "who waits for another run can be stopped",
  scene(async (t) => {
    await Deno.mkdir(t.dir);
    using held = await Deno.open(`${t.dir}/.lock`, { write: true, create: true });
    await held.lock(true);
    const stop = new AbortController();
    const onWait = () => stop.abort(new Error("stopped by hand"));
    await assertRejects(
      () => fetchDataset(manifestAt(t.base), t.dir, { retry, signal: stop.signal, onWait }),
      Error,
      "stopped by hand",
    );
    assertEquals(t.seen.length, 0);
  }),
);

Deno.test(
  "too small a disk is noticed before anything is fetched",
  scene(async (t) => {
    const [rows, images] = manifestAt(t.base).files;
    const files = [rows, { ...images, unpack: { into: "images", atMost: 2 ** 52 } }];
    await assertRejects(
      () => fetchDataset(manifestAt(t.base, { files }), t.dir, { retry }),
      Error,
      "make room first",
    );
    assertEquals(t.seen.length, 0);
    // Of files whose length nobody knows the data set's own counts.
    const vast = manifestAt(t.base, { about: 2 ** 52 });
    await assertRejects(() => fetchDataset(vast, t.dir, { retry }), Error, "make room first");
    const known = vast.files.map((file) => ({ ...file, about: 50_000 }));
    await fetchDataset(manifestAt(t.base, { about: 2 ** 52, files: known }), t.dir, { retry });
    await assertWhole(t);
  }),
);

Deno.test(
  "a licence with conditions is accepted once, and again when it changes",
  scene(async (t) => {
    const { licence } = manifestAt(t.base), bound = { ...licence, mustAccept: true };
    const manifest = manifestAt(t.base, { licence: bound });
    await assertRejects(() => fetchDataset(manifest, t.dir, { retry }), Error, "is not accepted");
    assertEquals(t.seen.length, 0);
    await acceptLicence(manifest, t.dir);
    await fetchDataset(manifest, t.dir, { retry });
    const receipt = await readReceipt(t.dir);
    assert(isAccepted(manifest, receipt));
    const other = manifestAt(t.base, { licence: { ...bound, name: "CC BY-NC 4.0" } });
    assert(!isAccepted(other, receipt));
  }),
);

Deno.test(
  "what a person must fetch is said in steps, and checked afterwards",
  scene(async (t) => {
    const byHand = ["Sign the agreement.", "Put rows.csv here."];
    const holds = [{ any: ["rows.csv", "rows.csv.gz"] }];
    const manifest = manifestAt(t.base, { files: [], byHand, holds });
    const error = await assertRejects(() => fetchDataset(manifest, t.dir), Error);
    assertStringIncludes(error.message, "rows.csv or rows.csv.gz; nobody can fetch it for you:\n  1. Sign");
    await Deno.writeTextFile(`${t.dir}/rows.csv.gz`, "rows");
    await fetchDataset(manifest, t.dir);
    assertEquals((await checkFolder(manifest, t.dir)).state, "ready");
  }),
);

Deno.test(
  "files that differ from what the manifest says they hold are named",
  scene(async (t) => {
    const manifest = manifestAt(t.base, { holds: [{ any: ["images"], files: 4 }] });
    await assertRejects(
      () => fetchDataset(manifest, t.dir, { retry }),
      Error,
      "images with 4 files (it has 3); the published files differ",
    );
  }),
);

Deno.test(
  "a picture deleted by hand and a file cut short are noticed, and their download is done again",
  scene(async (t) => {
    const manifest = manifestAt(t.base, { holds: [{ any: ["images"] }] });
    await fetchDataset(manifest, t.dir, { retry });
    await Deno.remove(`${t.dir}/images/0.png`);
    await Deno.truncate(`${t.dir}/rows.csv`, 10);
    assertEquals((await checkFolder(manifest, t.dir)).missing, [
      "rows.csv with 50000 bytes (it has 10)",
      "images with 3 files (it has 2)",
    ]);
    await fetchDataset(manifest, t.dir, { retry });
    await assertWhole(t);
    assertEquals(requests(t), ["/images.zip", "/images.zip", "/rows.csv", "/rows.csv"]);
  }),
);

Deno.test(
  "hashing again finds what changed and what is gone",
  scene(async (t) => {
    await fetchDataset(manifestAt(t.base), t.dir, { retry });
    assertEquals(await verifyDataset(t.dir), { recorded: 0, same: 4, changed: [], missing: [] });
    await assertWhole(t); // no list of files put there by hand, since there is none
    await Deno.writeFile(`${t.dir}/images/1.png`, content(20_000, 9));
    await Deno.remove(`${t.dir}/images/0.png`);
    assertEquals(await verifyDataset(t.dir), {
      recorded: 0,
      same: 2,
      changed: ["images/1.png"],
      missing: ["images/0.png"],
    });
    const list = `${t.dir}/images.sha256`, lines = await Deno.readTextFile(list);
    for (const damaged of [lines.slice(70), lines.replace(/^./, "x"), ""]) {
      await Deno.writeTextFile(list, damaged);
      await assertRejects(
        () => verifyDataset(t.dir),
        Error,
        `${list}: expected the hashes of 3 files, found `,
      );
    }
    await Deno.remove(list);
    await Deno.remove(`${t.dir}/images`, { recursive: true });
    await fetchDataset(manifestAt(t.base), t.dir, { retry });
    assertEquals((await verifyDataset(t.dir)).same, 4);
  }),
);

Deno.test("what an earlier run left counts as done, not as fetched; another length than the manifest's is refused", async () => {
  const rows = content(200_000), unseen = { about: null, sha256: null, checked: false };
  const handler = (request: Request) => {
    const answer = ranged(request, rows, '"1"'),
      pieces = answer.body!.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          async transform(chunk, controller) {
            for (let at = 0; at < chunk.length; at += 10_000) {
              controller.enqueue(chunk.subarray(at, at + 10_000));
              await new Promise((resolve) => setTimeout(resolve, 5));
            }
          },
        }),
      );
    return new Response(pieces, { status: answer.status, headers: answer.headers });
  };
  await withFolder((dir) =>
    withServer(handler, async (base) => {
      const file = (bytes: number) => ({ url: `${base}/rows.csv`, path: "rows.csv", bytes, ...unseen });
      const manifest = (bytes: number) =>
        manifestAt(base, { files: [file(bytes)], holds: [{ any: ["rows.csv"] }] });
      await assertRejects(
        () => fetchDataset(manifest(199_999), dir, { retry }),
        Error,
        "199999 bytes expected: not the same file",
      );
      const stop = new AbortController(), told: DatasetProgress[] = [];
      const half = (p: DatasetProgress) => p.done >= 100_000 && stop.abort(new Error("half of it"));
      await assertRejects(
        () => fetchDataset(manifest(200_000), dir, { retry, signal: stop.signal, onProgress: half }),
        Error,
        "half of it",
      );
      await fetchDataset(manifest(200_000), dir, { retry, onProgress: (p) => told.push(p) });
      const { done, total, fetched } = told.at(-1)!;
      assertEquals([done, total], [200_000, 200_000]);
      assert(told[0].done >= 100_000 && fetched > 20_000 && fetched <= 100_000, JSON.stringify(told));
    })
  );
});

Deno.test(
  "a refusal of the server names the address",
  scene(async (t) => {
    const [, images] = manifestAt(t.base).files;
    const files = [{ ...images, url: `${t.base}/gone.zip?key=secret` }];
    const error = await assertRejects(
      () => fetchDataset(manifestAt(t.base, { files }), t.dir, { retry }),
      Error,
    );
    assertStringIncludes(error.message, "/gone.zip answered 404");
    assert(!error.message.includes("secret"));
    assertEquals(error.constructor, Error);
  }),
);

Deno.test("manifests that could lie or write elsewhere are refused", () => {
  const sound = manifestAt("http://127.0.0.1:1");
  const [rows, images] = sound.files;
  const refused = (changes: object) =>
    assert(!DatasetManifest.safeParse({ ...sound, ...changes }).success, JSON.stringify(changes));
  refused({ files: [{ ...rows, sha256: "0".repeat(64) }] });
  refused({ files: [{ ...rows, path: "../rows.csv" }] });
  refused({ files: [{ ...rows, path: "/rows.csv" }] });
  refused({ files: [{ ...rows, path: "*.csv" }] });
  refused({ files: [{ ...rows, url: "file:///etc/passwd" }] });
  refused({ files: [{ ...images, path: "images.rar" }] });
  const unseen = { bytes: null, about: null, sha256: null, checked: false };
  const hub = { hub: "owner/name", revision: "main", ...unseen };
  const pattern = (changes: object) => ({ files: [{ ...hub, path: "*.csv", ...changes }] });
  assert(DatasetManifest.safeParse({ ...sound, ...pattern({}) }).success);
  refused(pattern({ bytes: 5 }));
  refused(pattern({ sha256: "0".repeat(64), checked: true }));
  refused(pattern({ path: "*.zip", unpack: images.unpack }));
  refused({ files: [], byHand: [] });
  refused({ surprise: 1 });
});

Deno.test("what archives take once unpacked is the sum of what they may take", () => {
  const manifest = manifestAt("http://127.0.0.1:1"), [rows, images] = manifest.files;
  assertEquals(unpackedSize(manifest), 20_000_000);
  assertEquals(unpackedSize({ ...manifest, files: [rows, images, images] }), 40_000_000);
  assertEquals(unpackedSize({ ...manifest, files: [rows] }), 0);
});

Deno.test("every committed manifest is valid, and claims no hash or length that nobody saw", async () => {
  const folder = join(paths.data, "datasets");
  for (const file of await names(folder)) {
    const manifest = await readManifest(folder, file.replace(/\.json$/, ""));
    for (const source of manifest.files) {
      assert(source.checked || (source.sha256 === null && source.bytes === null), `${file}: ${source.path}`);
    }
  }
});
