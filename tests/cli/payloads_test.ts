import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import { decodeImage, encodePng } from "../../lib/image/mod.ts";
import { oneLine } from "../../lib/jupyter/mod.ts";
import { withFolder } from "../download/server.ts";
import { PAYLOADS } from "../jupyter/payloads.ts";

/** `./lab ...args` and what it wrote to the terminal. */
async function lab(dir: string, ...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", join(paths.root, "lib/cli/main.ts"), ...args],
    cwd: dir,
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

// deno-lint-ignore no-control-regex -- what a terminal would obey
const OBEYED = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b-\u200f\u2028\u2029\ufeff]/;
/** What may stand in an argument and attacks a terminal or a picture, short enough for a prompt. */
const HOSTILE = [PAYLOADS[0], ...PAYLOADS.filter((text) => OBEYED.test(text))].join(" ").replaceAll("\0", "")
  .replaceAll("\n", " ").toWellFormed();

Deno.test("ask: question, card and file name that attack are printed as text, and the picture is drawn", () =>
  withFolder(async (dir) => {
    const model = join(dir, "model"), image = "\x1b]0;x\x07\u202Egnp<b>.png";
    await Deno.mkdir(model);
    for await (const { name, isFile } of Deno.readDir(join(paths.data, "nano"))) {
      if (isFile) await Deno.copyFile(join(paths.data, "nano", name), join(model, name));
    }
    await Deno.writeTextFile(
      join(model, "lab_card.json"),
      JSON.stringify({ demonstration: true, notice: PAYLOADS.join(" ") }),
    );
    await Deno.writeFile(
      join(dir, image),
      await encodePng({ width: 64, height: 64, data: new Uint8Array(12288) }),
    );
    const { code, text } = await lab(dir, "ask", image, HOSTILE, "--model", model);
    assertEquals(code, 0, text);
    assert(!OBEYED.test(text), JSON.stringify(text));
    assertStringIncludes(text, oneLine(PAYLOADS.join(" ")));
    const [picture] = [...Deno.readDirSync(dir)].filter(({ name }) => name.includes("saliency"));
    const { width, height } = await decodeImage(join(dir, picture.name));
    assert(width > 600 && height > 300);
  }));

Deno.test("names in errors of commands are printed as text", () =>
  withFolder(async (dir) => {
    for (
      const args of [["\x1b[2J\u202Ex"], ["ask", "\x1b[2J\u202Ex.png", "what?"], [
        "review",
        "\x1b[2J\u202Ex.json",
      ]]
    ) {
      const { code, text } = await lab(dir, ...args);
      assert(code !== 0 && !OBEYED.test(text), JSON.stringify(text));
      assertStringIncludes(text, "<U+001B>[2J<U+202E>x");
    }
  }));
