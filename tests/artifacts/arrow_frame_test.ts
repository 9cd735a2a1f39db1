import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { columnTypes } from "../../lib/artifacts/arrow.ts";
import { readArrow, writeArrow } from "../../lib/artifacts/mod.ts";
import { rng } from "../../lib/config/mod.ts";

const row = (i: number) => ({
  text: `row ${i}`,
  n: i,
  share: i / 3,
  seen: i % 2 === 0,
  words: Array.from({ length: i % 3 }, (_, k) => `w${k}`),
  sizes: [i, i + 1.5],
  missing: null,
});

/** Reads damaged bytes; the time must stay bounded, and a failure must be the one sentence. */
async function readDamaged(path: string, bytes: Uint8Array): Promise<boolean> {
  await Deno.writeFile(path, bytes);
  try {
    await readArrow(path);
    return true; // damage among the values: the manifest's hash finds it
  } catch (error) {
    assert(
      error instanceof Error && /is not a complete Arrow IPC file \(/.test(error.message),
      String(error),
    );
    return false;
  }
}

Deno.test("400 damaged tables are read or refused with one sentence in bounded time", async () => {
  const folder = await Deno.makeTempDir(), path = join(folder, "t.arrow");
  try {
    for (const rows of [0, 40]) {
      await writeArrow(path, Array.from({ length: rows }, (_, i) => row(i)), {
        text: "string",
        n: "integer",
        share: "number",
        seen: "boolean",
        words: "strings",
        sizes: "numbers",
        missing: "string",
      });
      await readArrow(path);
      const whole = await Deno.readFile(path), random = rng(rows);
      const damaged = whole.slice();
      damaged[10] = 0xda;
      assert(!await readDamaged(path, damaged) || rows === 0, "byte 10 = 0xDA");
      for (let k = 0; k < 200; k++) {
        const bytes = whole.slice(0, k % 10 === 9 ? Math.floor(random() * whole.length) : undefined);
        for (let i = 0; i <= k % 4 && bytes.length > 0; i++) {
          bytes[Math.floor(random() * bytes.length)] = [0, 0xff, 0x7f, Math.floor(random() * 256)][k % 4];
        }
        if (bytes.length > 0) await readDamaged(path, bytes);
      }
    }
    await assertRejects(() => readArrow(join(folder, "none")), Deno.errors.NotFound);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a batch whose values are said to lie beyond its body is refused", async () => {
  const path = await Deno.makeTempFile({ suffix: ".arrow" });
  try {
    await writeArrow(path, [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }, { n: 5 }], { n: "integer" });
    const whole = await Deno.readFile(path), view = new DataView(whole.buffer);
    // Start and length of the values, 5 of 4 bytes, padded to a multiple of 8, in the batch's message.
    const at = whole.findIndex((_, i) =>
      i % 8 === 0 && i + 16 <= whole.length && view.getBigInt64(i, true) === 0n &&
      view.getBigInt64(i + 8, true) === 24n
    );
    assert(at > 0 && await readDamaged(path, whole.slice()));
    for (const [place, value] of [[at + 8, 2n ** 12n], [at, 2n ** 12n], [at, 4n], [at + 8, 19n]] as const) {
      const bytes = whole.slice();
      new DataView(bytes.buffer).setBigInt64(place, value, true);
      assert(!await readDamaged(path, bytes), `${value} at ${place - at}`);
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a batch whose message says that it is something else is refused", async () => {
  const path = await Deno.makeTempFile({ suffix: ".arrow" });
  try {
    await writeArrow(path, [{ n: 1 }]);
    const whole = await Deno.readFile(path), view = new DataView(whole.buffer);
    const batch = 8, end = batch + 8 + view.getInt32(batch + 4, true); // right behind the file's magic bytes
    const said: string[] = [];
    // The message's type is one of the bytes that are 3 (a record batch): a dictionary's is 2.
    for (let at = batch + 8; at < end; at++) {
      if (whole[at] !== 3) continue;
      await Deno.writeFile(path, whole.with(at, 2));
      await readArrow(path).catch(({ message }) => said.push(message));
    }
    assert(said.some((message) => message.includes(`its batch at byte ${batch} is damaged`)), said.join());
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("texts and lists whose places go back, or begin before the first one, are refused", async () => {
  const path = await Deno.makeTempFile({ suffix: ".arrow" });
  try {
    for (const rows of [[{ a: ["x", "y"] }, { a: ["z"] }], [{ a: [1, 2] }, { a: [3] }]]) {
      await writeArrow(path, rows);
      const whole = await Deno.readFile(path), view = new DataView(whole.buffer);
      const at = whole.findIndex((_, i) =>
        i % 8 === 0 && i + 12 <= whole.length &&
        [0, 2, 3].every((place, k) => view.getInt32(i + 4 * k, true) === place)
      );
      assert(at > 0 && await readDamaged(path, whole.slice()));
      for (const [k, place] of [[0, -1], [1, -1], [1, 4], [2, 1], [2, 4]]) {
        const bytes = whole.slice();
        new DataView(bytes.buffer).setInt32(at + 4 * k, place, true);
        assert(!await readDamaged(path, bytes), `place ${k} is ${place}`);
      }
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a table of another program with a dictionary, or a type that ours do not have, is refused", async () => {
  const path = await Deno.makeTempFile({ suffix: ".arrow" });
  try {
    const others: Record<string, unknown[]>[] = [{ text: ["a", "b", "a"] }, { day: [new Date(0)] }];
    for (const columns of others) {
      const bytes = new Uint8Array(tableToIPC(tableFromArrays(columns), "file"));
      assert(!await readDamaged(path, bytes), Object.keys(columns).join());
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("an empty list leaves open what lists of its column hold, unless an earlier one has told it", () => {
  assertEquals(columnTypes([{ a: [] }, { a: ["x"] }, { a: [] }]), { a: "strings" });
  assertEquals(columnTypes([{ a: [1] }, { a: [] }, { a: [2] }]), { a: "numbers" });
  assertThrows(
    () => columnTypes([{ a: [1] }, { a: [] }, { a: ["x"] }]),
    Error,
    'Column "a" held numbers so far',
  );
});
