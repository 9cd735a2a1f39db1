import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { readArrow, writeArrow } from "../../lib/artifacts/mod.ts";
import { openTable } from "../../lib/artifacts/open_table.ts";
import { mapFile } from "../../lib/artifacts/mapped_file.ts";
import { measureTable, recordRow } from "../bench/table.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("rows, columns and iteration of a mapped table over several batches", () =>
  inFolder(async (folder) => {
    const path = join(folder, "t.arrow"), rows = Array.from({ length: 35_000 }, (_, i) => recordRow(i));
    await writeArrow(path, rows);
    using table = await openTable(path);
    assertEquals([table.length, table.columns], [rows.length, Object.keys(rows[0])]);
    for (const i of [0, 1, 16_383, 16_384, 34_999]) assertEquals(table.row(i), rows[i]);
    assertEquals(table.column("choices"), rows.map((row) => row.choices));
    let i = 0;
    for (const row of table) {
      if (row.id !== rows[i].id || row.caption !== rows[i].caption) assertEquals(row, rows[i]);
      i++;
    }
    assertEquals(i, rows.length);
    for (const wrong of [-1, 35_000, 0.5, NaN]) {
      assertThrows(() => table.row(wrong), RangeError, `row ${wrong}`);
    }
    assertThrows(() => table.column("colour"), RangeError, 'no column "colour"; it has id, dataset');
  }));

Deno.test("after close every access is an error that says so, also in the middle of an iteration", () =>
  inFolder(async (folder) => {
    const path = join(folder, "t.arrow");
    await writeArrow(path, [{ a: "x", b: [1, 2] }, { a: "y", b: [3] }]);
    const table = await openTable(path), rows = table[Symbol.iterator]();
    const first = rows.next().value;
    table.close();
    table.close();
    assertEquals(first, { a: "x", b: [1, 2] }); // given out as a copy
    assertThrows(() => table.row(0), Error, "t.arrow is closed");
    assertThrows(() => table.column("a"), Error, "t.arrow is closed");
    assertThrows(() => rows.next(), Error, "t.arrow is closed");
  }));

Deno.test("a view that outlives the map is empty; nothing is read from where the file was", () =>
  inFolder(async (folder) => {
    const path = join(folder, "bytes");
    await Deno.writeFile(path, new Uint8Array(1 << 20).fill(7));
    const file = await mapFile(path), view = file.bytes.subarray(100, 200);
    assertEquals([view[5], file.bytes.length], [7, 1 << 20]);
    file.close();
    assertEquals([view[5], view.length, file.bytes.length], [undefined, 0, 0]);
  }));

Deno.test("a file replaced by a writer is still read as it was when it was opened", () =>
  inFolder(async (folder) => {
    const path = join(folder, "t.arrow");
    await writeArrow(path, [{ a: "old" }]);
    using table = await openTable(path);
    await writeArrow(path, [{ a: "new" }, { a: "newer" }]);
    assertEquals([...table], [{ a: "old" }]);
    assertEquals(await readArrow(path), [{ a: "new" }, { a: "newer" }]);
  }));

Deno.test("a missing, empty, truncated, damaged or foreign file is one clear error", () =>
  inFolder(async (folder) => {
    const path = join(folder, "t.arrow");
    await assertRejects(() => openTable(path), Deno.errors.NotFound, "t.arrow");
    await assertRejects(() => openTable(folder), Error, "is no file");
    await Deno.writeFile(path, new Uint8Array());
    await assertRejects(() => openTable(path), Error, "is an empty file");
    await Deno.writeTextFile(path, '{"a": 1}\n{"a": 2}\n');
    await assertRejects(
      () => openTable(path),
      Error,
      "t.arrow is not a complete Arrow IPC file (wrong magic bytes",
    );
    await writeArrow(path, Array.from({ length: 20_000 }, (_, i) => recordRow(i)));
    const whole = await Deno.readFile(path);
    for (const length of [1, 6, 12, 400, whole.length >> 1, whole.length - 1]) {
      await Deno.writeFile(path, whole.subarray(0, length));
      await assertRejects(
        () => readArrow(path),
        Error,
        `is not a complete Arrow IPC file (${length < 6 ? "wrong magic bytes" : "its "}`,
        `${length} bytes`,
      );
    }
    for (const broken of [10, 60]) { // the footer: its length, and its place
      const copy = whole.slice();
      copy.fill(0xff, copy.length - broken, copy.length - 6);
      await Deno.writeFile(path, copy);
      await assertRejects(
        () => readArrow(path),
        Error,
        "is not a complete Arrow IPC file",
        `footer ${broken}`,
      );
    }
    await Deno.writeFile(path, new TextEncoder().encode("ARROW1\0\0 and nothing else ARROW1"));
    await assertRejects(() => openTable(path), Error, "is not a complete Arrow IPC file");
  }));

Deno.test("200,000 rows are opened in less than a second and 50 MiB, a random row is read in less than 5 ms", () =>
  inFolder(async (folder) => {
    const found = await measureTable(join(folder, "big.arrow"), 200_000);
    assert(found.openSeconds < 1, `opening took ${found.openSeconds} s`);
    assert(found.openMiB < 50, `opening took ${found.openMiB} MiB`);
    assert(found.medianRowSeconds < 0.005, `a random row took ${found.medianRowSeconds} s`);
    assertEquals(found.rows, 200_000);
  }));
