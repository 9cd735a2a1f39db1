import { join } from "@std/path";
import type { Pixels } from "./display.ts";
import { visible } from "./text.ts";

/**
 * A page of one file from `NAME.html`, which holds `"__DATA__"` in an element of type application/json, `__SCRIPT__;`
 * in a script and `__SCRIPT_HASH__` in its content security policy, so that no other script runs; and `NAME.js`, which
 * reads the data and shows its texts by `visible(text)`.
 *
 * @param folder where both files lie
 * @param data becomes JSON; nothing in it can end its element
 * @param library source of a script that `NAME.js` uses
 */
export async function fillPage(folder: string, name: string, data: unknown, library = ""): Promise<string> {
  const [template, script] = await Promise.all(
    ["html", "js"].map((ending) => Deno.readTextFile(join(folder, `${name}.${ending}`))),
  );
  // "<" appears in JSON only inside of strings, where it may be written so; then nothing in the data ends the element.
  const parts: Record<string, string> = {
    '"__DATA__"': JSON.stringify(data).replaceAll("<", "\\u003c"),
    "__SCRIPT__;": `${library}\n${visible}\n${script}`,
  };
  const page = template.replace(/"__DATA__"|__SCRIPT__;/g, (place) => parts[place]);
  const [, run] = page.match(/<script>(.*?)<\/script>/s)!;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(run)));
  return page.replace("__SCRIPT_HASH__", `sha256-${hash.toBase64()}`);
}

/** The picture as a data URI: a JPEG whose longer side has at most `side` pixels. */
export async function jpegDataUri(picture: Pixels, side: number): Promise<string> {
  const { default: sharp } = await import("sharp");
  const { data, width, height } = picture;
  const jpeg: Uint8Array = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(side, side, { fit: "inside", withoutEnlargement: true }).jpeg({ quality: 80 }).toBuffer();
  return `data:image/jpeg;base64,${new Uint8Array(jpeg).toBase64()}`;
}
