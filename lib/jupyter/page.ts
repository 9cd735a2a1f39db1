import { join } from "@std/path";
import { type Pixels, show } from "./display.ts";
import { html, visible } from "./text.ts";

/** What a page may load or use beside its own text. */
export interface PageOptions {
  /** Source of a script that `NAME.js` uses. */
  library?: string;
  /** Further sources of pictures than data URIs, as a content security policy names them: "blob:". */
  images?: string;
  /** Servers that its script may ask, likewise: "'self'". None, if not said otherwise. */
  servers?: string;
}

/**
 * A page of one file from `NAME.html` (a title, a style and what stands in the body) and `NAME.js`, in the shell that all pages
 * share: colours of both schemes, and a content security policy by which no other script runs. `NAME.js` finds the data as
 * `pageData`, and shows texts by `element(tag, text)` or `visible(text)`.
 *
 * @param folder where both files lie
 * @param data becomes JSON; nothing in it can end its element
 */
export async function fillPage(
  folder: string,
  name: string,
  data: unknown,
  { library = "", images = "", servers = "'none'" }: PageOptions = {},
): Promise<string> {
  const files = [
    join(import.meta.dirname!, "page_shell.html"),
    join(import.meta.dirname!, "page_base.js"),
    join(folder, `${name}.html`),
    join(folder, `${name}.js`),
  ];
  const [shell, base, own, script] = await Promise.all(files.map((file) => Deno.readTextFile(file)));
  const [head, body] = own.split(/(?<=<\/style>)/, 2);
  // "<" appears in JSON only inside of strings, where it may be written so; then nothing in the data ends the element.
  const parts: Record<string, string> = {
    __IMAGES__: images,
    __SERVERS__: servers,
    __HEAD__: head,
    __BODY__: body,
    '"__DATA__"': JSON.stringify(data).replaceAll("<", "\\u003c"),
    "__SCRIPT__;": `${library}\n${visible}\n${base}\n${script}`,
  };
  const places = /__IMAGES__|__SERVERS__|__HEAD__|__BODY__|"__DATA__"|__SCRIPT__;/g;
  const page = shell.replace(places, (place) => parts[place]);
  const [, run] = page.match(/<script>(.*?)<\/script>/s)!;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(run)));
  return page.replace("__SCRIPT_HASH__", `sha256-${hash.toBase64()}`);
}

/**
 * Shows a page of `fillPage` under the running cell, in a frame that can reach neither the notebook nor any server. Where a
 * notebook is not trusted Jupyter leaves frames out: say beside it where the page is a file.
 *
 * @param title names the frame for screen readers
 * @param height in CSS pixels
 */
export async function showPage(page: string, title: string, height: number): Promise<void> {
  await show({
    "text/html": html`
      <iframe title="${title}" style="width:100%;height:${height}px;border:1px solid #8888"
        sandbox="allow-scripts"
        srcdoc="${page}"></iframe>
    `,
    "text/plain": `[${title}]`,
  });
}

/** The picture as a data URI: a JPEG whose longer side has at most `side` pixels. */
export async function jpegDataUri(picture: Pixels, side: number): Promise<string> {
  const { default: sharp } = await import("sharp");
  const { data, width, height } = picture;
  const jpeg: Uint8Array = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize(side, side, { fit: "inside", withoutEnlargement: true }).jpeg({ quality: 80 }).toBuffer();
  return `data:image/jpeg;base64,${new Uint8Array(jpeg).toBase64()}`;
}
