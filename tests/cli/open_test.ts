import { assert, assertEquals } from "@std/assert";
import { exists } from "@std/fs";
import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import { ownNotebooks } from "../../lib/cli/support/own_notebooks.ts";
import { inTerminal, NO_TERMINAL } from "../launcher/terminal.ts";

Deno.test({
  name:
    "./lab open with a LAB_HOME serves copies; Ctrl-C ends it with its kernel, and asks nothing [needs a pseudo-terminal]",
  ignore: NO_TERMINAL,
  fn: async () => {
    const LAB_HOME = await Deno.makeTempDir({ prefix: "open-" });
    try {
      const lab = [join(paths.root, "lab"), "open", "--no-browser", "--ServerApp.ip=127.0.0.1"];
      const { code, text } = await inTerminal(["80", "--kernel", ...lab], { LAB_HOME });
      assertEquals(code, 130, text);
      assert(!/\[y\/N\]|\?\s*$|Traceback/m.test(text.replace(/\?token=.*/g, "")), text);
      assert(text.includes(`The notebooks are copies of yours in ${LAB_HOME}/notebooks.`), text);
      assert(await exists(join(LAB_HOME, "notebooks/00_start_here.ipynb")));
      assert(await exists(join(LAB_HOME, "notebooks/solutions/03_solutions.ipynb")));
    } finally {
      await Deno.remove(LAB_HOME, { recursive: true });
    }
  },
});

Deno.test("a user's copies follow the installation's notebooks until the user changes them", async () => {
  const base = await Deno.makeTempDir({ prefix: "own-" }), own = join(base, "ann/notebooks");
  const installed = ["00_a.ipynb", "01_b.ipynb"].map((name) => join(base, name));
  const install = (...texts: string[]) =>
    Promise.all(texts.map((text, i) => Deno.writeTextFile(installed[i], text)));
  const copies = () =>
    Promise.all(["00_a.ipynb", "01_b.ipynb"].map((name) => Deno.readTextFile(join(own, name))));
  try {
    await install("a1", "b1");
    assertEquals(await ownNotebooks(installed, own), []);
    assertEquals(await copies(), ["a1", "b1"]);
    await Deno.writeTextFile(join(own, "01_b.ipynb"), "mine");
    assertEquals(await ownNotebooks(installed, own), []); // changed, and not behind
    await install("a2", "b2");
    assertEquals(await ownNotebooks(installed, own), ["01_b.ipynb"]);
    assertEquals(await copies(), ["a2", "mine"]);
    assertEquals(await ownNotebooks(installed, own), ["01_b.ipynb"]);
    await Deno.remove(join(own, "01_b.ipynb")); // to get the new one
    await Deno.writeTextFile(join(own, ".copied.json"), "{"); // damaged: says less, harms nothing
    await install("a3", "b2");
    assertEquals(await ownNotebooks(installed, own), ["00_a.ipynb"]);
    assertEquals(await copies(), ["a2", "b2"]);
  } finally {
    await Deno.remove(base, { recursive: true });
  }
});
