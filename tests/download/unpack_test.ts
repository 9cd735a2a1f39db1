import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import { ArchiveError, entryGuard } from "../../lib/download/entry_guard.ts";
import { unpackArchive } from "../../lib/download/unpack.ts";
import { digest, names, withFolder } from "./server.ts";

/** A folder with the archives that make_archives.py writes. */
async function withArchives(body: (dir: string) => Promise<void>): Promise<void> {
  await withFolder(async (dir) => {
    const { success, stderr } = await new Deno.Command(join(paths.venv, "bin/python"), {
      args: [join(import.meta.dirname!, "make_archives.py"), dir],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    await body(dir);
  });
}

const atMost = 5_000_000;

Deno.test("a zip and a tar.gz come out whole, without the folder around them and macOS's clutter", async () => {
  await withArchives(async (dir) => {
    const zip = await unpackArchive(`${dir}/sound.zip`, `${dir}/imgs`, { atMost });
    assertEquals(zip.map((f) => f.path).sort(), ["a/x.txt", "b.bin", "empty", "é.txt"]);
    assertEquals(await Deno.readTextFile(`${dir}/imgs/a/x.txt`), "hello".repeat(1000));
    for (const { path, bytes, sha256 } of zip) {
      const content = await Deno.readFile(`${dir}/imgs/${path}`);
      assertEquals([content.length, digest(content)], [bytes, sha256]);
    }
    const tar = await unpackArchive(`${dir}/sound.tar.gz`, `${dir}/data`, { atMost, part: "data" });
    assertEquals(tar.map((f) => f.path).sort(), ["a.json", "n".repeat(180) + ".png", "é.txt"]);
    assertEquals((await Deno.readFile(`${dir}/data/${"n".repeat(180)}.png`)).length, 100_000);
    assertEquals((await unpackArchive(`${dir}/zip64.zip`, `${dir}/big`, { atMost }))[0].bytes, 100_000);
    assertEquals((await unpackArchive(`${dir}/stored.zip`, `${dir}/one`, { atMost }))[0].bytes, 1100);
    assertEquals((await unpackArchive(`${dir}/gnu.tar.gz`, `${dir}/gnu`, { atMost }))[0].bytes, 1000);
  });
});

Deno.test("unpacking replaces an older folder and what an earlier run left", async () => {
  await withArchives(async (dir) => {
    for (const old of ["imgs", "imgs.tmp/imgs"]) {
      await Deno.mkdir(`${dir}/${old}`, { recursive: true });
      await Deno.writeTextFile(`${dir}/${old}/old.txt`, "old");
    }
    await unpackArchive(`${dir}/sound.zip`, `${dir}/imgs`, { atMost });
    assertEquals(await names(`${dir}/imgs`), ["a", "b.bin", "empty", "é.txt"]);
    assert(!(await names(dir)).includes("imgs.tmp"));
  });
});

/** Archive -> what its refusal says. */
const HOSTILE: Record<string, string> = {
  "leaves.zip": '"../evil"',
  "leaves_inside.zip": '"a/../../evil"',
  "absolute.zip": '"/etc/evil"',
  "backslash.zip": "evil",
  "drive.zip": '"C:/evil"',
  "dot.zip": '"a/./b"',
  "twice.zip": '"a" is there twice',
  "case.zip": '"a.JPG" differs from "A.jpg" only in upper and lower case',
  "composed.zip": "only in upper and lower case or composed letters",
  "newline.zip": '"a\\nb" has a control or invisible character',
  "escape.zip": '"a\\u001b]0;b" has a control or invisible character',
  "csi.zip": '"a\\u009b2Jb" has a control or invisible character',
  "bidi.zip": '"a\\u202egpj.exe" has a control or invisible character',
  "invisible.zip": '"a\\u200bb" has a control or invisible character',
  "long.zip": "has a name of more than 255 bytes",
  "absolute_windows.zip": "evil",
  "two_names.zip": 'mismatched local file header (filename)) in entry "one.txt"',
  "file_and_folder.zip": "is there twice",
  "much.zip": "more than the 5000000 expected",
  "nothing.zip": "expected files, found none",
  "link.zip": '"link" is a symlink',
  "cut.zip": "expected a whole and sound archive",
  "tail_cut.zip": "expected a whole and sound archive",
  "page.zip": "expected a whole and sound archive",
  "crc.zip": 'CRC32 in entry "one.txt"',
  "encrypted.zip": '"one.txt" is encrypted',
  "size_lie.zip": "imgs/a/x.txt",
  "leaves.tar.gz": '"../evil" leaves the folder',
  "absolute.tar.gz": '"/etc/evil" has an absolute path',
  "link.tar.gz": '"l" is a symlink',
  "hard_link.tar.gz": '"l" is a link',
  "newline.tar.gz": '"a\\nb" has a control or invisible character',
  "escape.tar.gz": '"a\\u001b[2Jb" has a control or invisible character',
  "long.tar.gz": "has a name of more than 255 bytes",
  "device.tar.gz": '"l" is a character-device',
  "case.tar.gz": "only in upper and lower case",
  "fifo.tar.gz": '"l" is a fifo',
  "twice.tar.gz": '"a" is there twice',
  "bomb.tar.gz": "more than the 5000000 expected",
  "cut.tar.gz": "expected a whole and sound archive",
  "tail_cut.tar.gz": "expected a whole and sound archive",
  "tar_cut.tar.gz": "expected a whole and sound archive",
  "header.tar.gz": "checksum",
};

Deno.test("hostile and damaged archives are refused by name, and nothing of them stays", async () => {
  await withArchives(async (dir) => {
    const target = `${dir}/room/target`;
    await Deno.mkdir(`${dir}/room`);
    const check = async (archive: string, limit: number, words: string) => {
      const error = await assertRejects(
        () => unpackArchive(`${dir}/${archive}`, target, { atMost: limit }),
        ArchiveError,
        "",
        archive,
      );
      assertStringIncludes(error.message, `${archive}: `);
      assertStringIncludes(error.message, words, archive);
      assert(!/\p{Cc}/u.test(error.message), `${archive}: one line, without control characters`);
      assertEquals(await names(`${dir}/room`), [], archive);
    };
    for (const [archive, words] of Object.entries(HOSTILE)) await check(archive, atMost, words);
    await check("bomb.zip", 100_000_000, "grows from 19");
    await assertRejects(
      () => unpackArchive(`${dir}/sound.tar.gz`, target, { atMost, part: "other" }),
      ArchiveError,
      "expected a folder other in it",
    );
    assertEquals(await names(`${dir}/room`), []);
    const all = await names(dir);
    for (const name of Object.keys(HOSTILE)) assert(all.includes(name), `${name} is still tested`);
  });
});

Deno.test("a refused archive leaves the older folder as it is", async () => {
  await withArchives(async (dir) => {
    await unpackArchive(`${dir}/stored.zip`, `${dir}/target`, { atMost });
    await assertRejects(() => unpackArchive(`${dir}/crc.zip`, `${dir}/target`, { atMost }), ArchiveError);
    assertEquals(await names(`${dir}/target`), ["one.txt"]);
  });
});

Deno.test("an abort ends unpacking with its own reason and leaves nothing", async () => {
  await withArchives(async (dir) => {
    await Deno.mkdir(`${dir}/room`);
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error("stopped by hand"));
    await assertRejects(
      () =>
        unpackArchive(`${dir}/sound.zip`, `${dir}/room/target`, { atMost, signal: stop.signal, onProgress }),
      Error,
      "stopped by hand",
    );
    assertEquals(await names(`${dir}/room`), []);
  });
});

Deno.test("an entry may grow 200-fold, no more, unless it is less than a MiB long", () => {
  const grown = (size: number, packed: number | null) => () =>
    entryGuard("a.zip", 10 ** 9)({ name: "a", kind: "file", encrypted: false, size, packed });
  const large = 200 * 10_000, small = 2 ** 20;
  for (const [size, packed] of [[large, 10_000], [small, 1], [large, null]] as const) {
    assertEquals(grown(size, packed)(), "a");
  }
  assertThrows(grown(large + 1, 10_000), ArchiveError, "grows from 10000 to 2000001 bytes");
  assertThrows(grown(small + 1, 1), ArchiveError, "more than 200 times");
});

Deno.test("folders may be named again, entries beyond a million are refused", () => {
  const admit = entryGuard("many.zip", 1), empty = { encrypted: false, size: 0, packed: 0 };
  admit({ name: "a/b/c", kind: "file", ...empty });
  assertEquals(admit({ name: "a/b/", kind: "directory", ...empty }), "a/b");
  const rest = () => {
    for (let i = 0; i < 1_000_000; i++) admit({ name: `${i}`, kind: "file", ...empty });
  };
  assertThrows(rest, ArchiveError, "is one of more than 1000000");
});
