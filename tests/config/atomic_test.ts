import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  diskError,
  makeFolder,
  writeAllSync,
  writeFileAtomic,
  writeFileAtomicSync,
} from "../../lib/config/mod.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("a file is written whole, with the permissions asked for, and nothing lies beside it", () =>
  inFolder(async (folder) => {
    const path = join(folder, "a");
    await writeFileAtomic(path, "text");
    assertEquals(await Deno.readTextFile(path), "text");
    await writeFileAtomic(path, new Uint8Array([1, 2]), { mode: 0o600 });
    assertEquals([...await Deno.readFile(path)], [1, 2]);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
    assertEquals(names(folder), ["a"]);
  }));

Deno.test("when writing fails, the old file stays and nothing lies beside it", () =>
  inFolder(async (folder) => {
    const path = join(folder, "a");
    await writeFileAtomic(path, "old");
    assertThrows(
      () =>
        writeFileAtomicSync(path, (file) => {
          writeAllSync(file, new Uint8Array(100));
          throw new Error("half way");
        }),
      Error,
      "half way",
    );
    assertEquals([await Deno.readTextFile(path), names(folder)], ["old", ["a"]]);
    await assertRejects(() => writeFileAtomic(join(folder, "none", "a"), "x"), Deno.errors.NotFound);
  }));

Deno.test("what a killed writer left is taken over; what a living one is writing is left alone", () =>
  inFolder(async (folder) => {
    const path = join(folder, "a");
    await Deno.writeTextFile(`${path}.tmp`, "left behind, and longer than what comes");
    await writeFileAtomic(path, "new");
    assertEquals([await Deno.readTextFile(path), names(folder)], ["new", ["a"]]);
    writeFileAtomicSync(path, (file) => {
      writeFileAtomicSync(path, "inner");
      writeAllSync(file, new TextEncoder().encode("outer"));
    });
    assertEquals([await Deno.readTextFile(path), names(folder)], ["outer", ["a"]]);
  }));

Deno.test("a full disk is one sentence, and so is a folder that is closed to the user", async () => {
  const full = Deno.openSync("/dev/full", { write: true });
  const error = assertThrows(() => full.writeSync(new Uint8Array(1)));
  full.close();
  assertEquals(
    (diskError(error, "results/x") as Error).message,
    "results/x cannot be written: the disk is full: make room and run again.",
  );
  await assertRejects(
    () => makeFolder("/proc/version/results"),
    Error,
    "/proc/version/results cannot be written: there is a file where its folder should be: use another place and run again.",
  );
  const large = Object.assign(new Error("File too large (os error 27)"), { code: "EFBIG" }); // as of FAT
  assertMatch(
    (diskError(large, "x") as Error).message,
    /^x cannot be written: this disk takes no file so large/,
  );
  const other = new Error("no system error");
  assertEquals(diskError(other, "x"), other);
  await assertRejects(() => writeFileAtomic("/proc/version", "x"), Error); // neither renamed nor left behind
});
