import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { escapeHtml, image } from "../../lib/jupyter/mod.ts";
import { runPython, scratchNotebook } from "./support.ts";

type Data = Record<string, string | string[]>;

interface Output {
  data?: Data;
  metadata?: unknown;
}

/** The outputs of each cell, run in a kernel. */
async function outputs(cells: string[]): Promise<Output[][]> {
  const { folder, notebook, remove } = await scratchNotebook(cells);
  try {
    const target = join(folder, "out.ipynb");
    const { code, err } = await runPython("lib/jupyter/run_notebook.py", [notebook, target]);
    assertEquals(code, 0, err);
    const copy = JSON.parse(await Deno.readTextFile(target)) as { cells: { outputs: Output[] }[] };
    return copy.cells.map((cell) => cell.outputs);
  } finally {
    await remove();
  }
}

/** What they show, by MIME type. */
const displays = async (cells: string[]): Promise<Record<string, string>[][]> =>
  (await outputs(cells)).map((cell) =>
    cell.map(({ data = {} }) =>
      Object.fromEntries(Object.entries(data).map(([type, text]) => [type, [text].flat().join("")]))
    )
  );

Deno.test("a figure's PNG has the figure's size, and a wide one is shown as wide as the page", async () => {
  const figure = (width: number) =>
    `await figure({ data: [], layout: { width: ${width}, height: 100 } }, { name: "empty" });`;
  const [, small, wide] = await outputs([
    `import { check } from "@lib/jupyter/mod.ts";\nimport { figure } from "@lib/figures/mod.ts";`,
    figure(300),
    figure(2000),
    `await check("figures", 2, 2);`,
  ]);
  assertEquals(small[0].metadata, { "image/png": { width: 300 } });
  assertEquals(wide[0].metadata, { "image/png": { width: 960 } });
  const png = Uint8Array.fromBase64([small[0].data!["image/png"]].flat().join(""));
  assertEquals(new DataView(png.buffer).getUint32(16), 300); // the header's width
});

Deno.test("displays carry forms for JupyterLab and for plain text, and data never becomes markup", async () => {
  const [, printed, marked, rows, picture, bar, closing] = await displays([
    `import { check, image, markdown, md, print, progress, table } from "@lib/jupyter/mod.ts";`,
    `await print("accuracy", 0.5, { a: [1, 2] });`,
    "await markdown(md`**bold** $x^2$ ${'*<b>$x$'}`);",
    `await table([{ name: "<b>x</b>", share: 0.123456, n: 12345 }, { name: null, share: 1e-7, n: 3 }]);`,
    `await image({ width: 2, height: 1, data: new Uint8Array([255, 0, 0, 0, 0, 255]) }, { caption: "a < b", width: 64 });`,
    `const move = await progress(20); for (let i = 1; i <= 20; i++) await move(i, "step " + i);`,
    `await check("rows", 2, { atLeast: 1, atMost: 3 });`,
  ]);
  assertEquals(printed, [{ "text/plain": "accuracy 0.5 { a: [ 1, 2 ] }" }]);
  assertEquals(
    marked[0]["text/markdown"],
    "**bold** $x^2$ \\*&#60;b&#62;<span>&#36;</span>x<span>&#36;</span>",
  );
  assertEquals(marked[0]["text/plain"], "**bold** $x^2$ *<b>$x$");
  assertStringIncludes(rows[0]["text/html"], "&#60;b&#62;x&#60;/b&#62;");
  assert(!rows[0]["text/html"].includes("<b>"));
  assertStringIncludes(
    rows[0]["text/html"],
    '<th style="text-align:left">name</th><th style="text-align:right">',
  );
  assertEquals(
    rows[0]["text/plain"],
    "name      share     n\n<b>x</b>  0.1235    12,345\n          1.000e-7  3",
  );
  assertStringIncludes(picture[0]["text/html"], "<figcaption>a &#60; b</figcaption>");
  assertStringIncludes(picture[0]["text/html"], "width:64px");
  assertEquals(picture[0]["image/png"].slice(0, 11), "iVBORw0KGgo");
  assertEquals(bar.map((data) => data["text/plain"]), ["20/20 step 20"]); // one output, in its last state
  assertEquals(closing[0]["text/plain"], "✓ rows: 2 (expected at least 1 and at most 3)");
  assertStringIncludes(closing[0]["text/html"], "#1a7f37");
});

Deno.test("text is made safe for HTML, attributes too", () => {
  assertEquals(escapeHtml(`<a href="x" title='y'>&`), "&#60;a href=&#34;x&#34; title=&#39;y&#39;&#62;&#38;");
});

Deno.test("bytes that are no PNG file are refused", async () => {
  await assertRejects(() => image(new Uint8Array([1, 2, 3])), Error, "expected the bytes of a PNG file");
});
