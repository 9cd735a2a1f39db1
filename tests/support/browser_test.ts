import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { writeBrowser } from "./browser.ts";

Deno.test("the tests' browser has a home of its own, no TMPDIR and its arguments; without one there is none", async () => {
  const folder = join(await Deno.makeTempDir(), "it's here"), { PATH, CHROME } = Deno.env.toObject();
  await Deno.mkdir(folder);
  try {
    const browser = join(folder, "google-chrome");
    await Deno.writeTextFile(browser, `#!/bin/sh\necho "$HOME|\${TMPDIR:-none}|$1|$#"\n`);
    await Deno.chmod(browser, 0o755);
    Deno.env.delete("CHROME");
    Deno.env.set("PATH", `/nowhere:${folder}`);
    const script = await writeBrowser(folder);
    const { stdout } = await new Deno.Command(script!, {
      args: ["--a b", "c"],
      env: { TMPDIR: folder, HOME: "/elsewhere" },
    }).output();
    assertEquals(new TextDecoder().decode(stdout), `${folder}|none|--a b|2\n`);
    Deno.env.set("PATH", "/nowhere");
    assertEquals(await writeBrowser(folder), null);
  } finally {
    Deno.env.set("PATH", PATH);
    if (CHROME) Deno.env.set("CHROME", CHROME);
    await Deno.remove(join(folder, ".."), { recursive: true });
  }
});
