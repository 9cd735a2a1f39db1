import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { mayMount } from "../artifacts/small_disk.ts";

Deno.test({
  name:
    "a download or an archive for which the disk has no room is one sentence, at once, and goes on when there is [needs root, unshare]",
  ignore: !await mayMount(),
  fn: async () => {
    const shell =
      `mount -t tmpfs -o size=80k tmpfs /mnt && exec "$0" run -A --quiet --no-check "--config=$1" "$2"`;
    const { stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        "-m",
        "sh",
        "-c",
        shell,
        Deno.execPath(),
        fromFileUrl(new URL("../../deno.json", import.meta.url)),
        fromFileUrl(new URL("./full_disk_script.ts", import.meta.url)),
      ],
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    const [readOnly, download, unpacking, ready] = lines.map((line) => JSON.parse(line));
    assertEquals(readOnly, {
      said:
        "Error: /mnt/made_up cannot be written: the disk is read-only: use another folder, or mount it for writing and run again.",
      left: [],
      asked: [],
    });
    const full = "cannot be written: the disk is full: make room and run again.";
    assertMatch(download.said, new RegExp(`^Error: /mnt/made_up/(rows\\.csv|images\\.zip) ${full}$`));
    assertEquals(download.asked, ["/images.zip", "/rows.csv"], "nothing is asked for again");
    assertEquals(unpacking.said, `Error: /mnt/made_up/images ${full}`);
    assertEquals(unpacking.left.includes("images.tmp"), false);
    assertEquals([ready.said, ready.asked], ["ready", []], "what came before is kept");
  },
});
