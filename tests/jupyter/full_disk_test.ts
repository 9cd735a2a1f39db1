import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { paths } from "@lib/config/mod.ts";
import { mayMount } from "../artifacts/small_disk.ts";
import { scratchNotebook } from "./support.ts";

/** A stage that writes as many rows as it is told, and fills what is left of the disk first if it is told to. */
const CELLS = [
  `import { startRun } from "@lib/artifacts/mod.ts";
import { loadConfig } from "@lib/config/mod.ts";
import { check } from "@lib/jupyter/mod.ts";
const rows = Number(Deno.env.get("ROWS")), results = Deno.env.get("LAB_RESULTS");`,
  `const run = await startRun("01_data", loadConfig({}), { outputs: ["rows.arrow"] });
await run.writeTable("rows", Array.from({ length: rows }, (_, i) => ({ i, text: "row " + i })));`,
  `await run.finish();
await check("rows", rows, 1);`,
];
/** Fills the disk to the last byte. */
const FILL = `try {
  for (const size of [65536, 4096, 1]) {
    while (true) Deno.writeFileSync(results + "/filler", new Uint8Array(size), { append: true });
  }
} catch { /* it is full */ }`;

const SHELL = `mount -t tmpfs -o size=400k tmpfs "$R" || exit 9
run() { "$PYTHON" "$RUNNER" "$1" "$R/tiny/notebooks/x.ipynb"; echo "ended $?"; }
list() { (cd "$R" && find . -type f ! -name filler ! -name lock ! -name '*.ipynb' | sort); echo "copies"; ls "$R/tiny/notebooks"; }
ROWS=10 run "$SMALL"; list; echo ===
ROWS=60000 run "$FULL"; list; rm -f "$R/filler"; echo ===
mount -o remount,ro "$R"; ROWS=10 run "$SMALL"; list`;

Deno.test({
  name:
    "a notebook on a full or read-only disk ends with the cause in one sentence on top, and its earlier run is as it was [needs root, unshare]",
  ignore: !await mayMount(),
  fn: async () => {
    const small = await scratchNotebook(CELLS), full = await scratchNotebook(CELLS.toSpliced(1, 0, FILL));
    const results = join(small.folder, "results");
    await Deno.mkdir(results);
    try {
      const { stdout, stderr } = await new Deno.Command("unshare", {
        args: ["-m", "sh", "-c", `exec 2>&1\n${SHELL}`],
        env: {
          R: results,
          LAB_RESULTS: results,
          PYTHON: join(paths.venv, "bin/python"),
          RUNNER: fromFileUrl(new URL("../../lib/jupyter/run_notebook.py", import.meta.url)),
          SMALL: small.notebook,
          FULL: full.notebook,
        },
      }).output();
      const out = new TextDecoder().decode(stdout), [good, filled, readOnly] = out.split("===\n");
      assertEquals(new TextDecoder().decode(stderr), "");
      assertStringIncludes(good, "ended 0");
      const files = (part: string) => part.split(/ended \d\n/)[1].split("copies")[0];
      assertMatch(files(good), /current\n.*manifest\.json\n.*rows\.arrow\n$/s);
      const room = "cannot be written: the disk is full: make room and run again.";
      for (
        const [part, sentence] of [
          [filled, room],
          [
            readOnly,
            "cannot be written: the disk is read-only: use another folder, or mount it for writing and run again.",
          ],
        ]
      ) {
        const [status, first, ...rest] = part.split("\n");
        assertMatch(status, /^x +\d+\.\d s {2}FAILED/);
        assertMatch(first, /^cell [23]: Error: \//);
        assert(first.endsWith(sentence), part);
        assert(!rest.join("\n").includes("Traceback"), part);
        assertStringIncludes(part, "ended 1");
        assertEquals(files(part), files(good), part);
        assert(!part.includes(".tmp"), part);
      }
    } finally {
      for (const { remove } of [small, full]) await remove();
    }
  },
});
