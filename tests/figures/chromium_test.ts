import { assert, assertEquals } from "@std/assert";
import { renderSvg } from "../../lib/figures/mod.ts";
import { gallery } from "./gallery.ts";

/** A browser: CHROME, or Chromium or Chrome on PATH. */
function findBrowser(): string | null {
  const named = Deno.env.get("CHROME");
  if (named) return named;
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
      try {
        if (Deno.statSync(`${folder}/${name}`).isFile) return `${folder}/${name}`;
      } catch { /* not here */ }
    }
  }
  return null;
}
const browser = findBrowser();

interface Comparison {
  name: string;
  texts: number;
  theirs: number;
  /** Largest distance between centres of the same word in both drawings, pixels, and the word. */
  worst: number;
  word: string;
  /** Words that leave the frame, and pairs of words of which one, a line of the caption, lies on the other. */
  outside: string[];
  covered: string[];
}

/** Runs in the browser: draws each figure with plotly there and compares where words are with our drawing. */
const SCRIPT = `
(async () => {
  await document.fonts.load('12px "DejaVu Sans"');
  await document.fonts.load('bold 12px "DejaVu Sans"');
  const out = [];
  for (const { name, spec, svg } of FIGURES) {
    const place = (text) => { const d = document.createElement("div"); d.innerHTML = text; document.body.append(d); return d; };
    const url = await Plotly.toImage({ data: spec.data, layout: spec.layout }, { format: "svg", width: spec.layout.width, height: spec.layout.height });
    const theirs = place(decodeURIComponent(url.slice(url.indexOf(",") + 1)));
    const ours = place(svg);
    const words = (d) => { const base = d.querySelector("svg").getBoundingClientRect();
      return [...d.querySelectorAll("text")].filter((t) => t.textContent).map((t) => { const r = t.getBoundingClientRect();
        return { text: t.textContent, x: (r.left + r.right) / 2 - base.left, y: (r.top + r.bottom) / 2 - base.top,
          left: r.left - base.left, right: r.right - base.left, top: r.top - base.top, bottom: r.bottom - base.top }; }); };
    const [a, b] = [words(ours), words(theirs)];
    let worst = 0, word = "";
    a.forEach((t, i) => { const o = b[i]; const d = o && o.text === t.text ? Math.hypot(t.x - o.x, t.y - o.y) : 1e6; if (d > worst) { worst = d; word = t.text; } });
    const { width, height } = spec.layout;
    const outside = b.filter((t) => t.left < 0 || t.top < 0 || t.right > width || t.bottom > height).map((t) => t.text);
    const captions = b.slice(-2); // title and provenance are the last annotations
    const covered = captions.flatMap((c) => b.filter((t) => t !== c && t.left < c.right && c.left < t.right && t.top < c.bottom && c.top < t.bottom)
      .map((t) => c.text + " / " + t.text));
    out.push({ name, texts: a.length, theirs: b.length, worst, word, outside, covered });
    theirs.remove(); ours.remove();
  }
  const pre = document.createElement("pre"); pre.id = "out"; pre.textContent = JSON.stringify(out); document.body.replaceChildren(pre);
})().catch((e) => { document.body.textContent = "failed: " + e.stack; });`;

Deno.test({
  name:
    "Every word of every figure is where Chromium puts it, within two pixels, in the frame [needs a browser]",
  ignore: !browser,
  async fn() {
    const figures = [];
    for (const [name, spec] of Object.entries(await gallery())) {
      figures.push({ name, spec, svg: await renderSvg(spec) });
    }
    const folder = await Deno.makeTempDir();
    try {
      const font = new URL("./ttf/", import.meta.resolve("dejavu-fonts-ttf/package.json"));
      const face = (file: string, weight: string) =>
        `@font-face{font-family:"DejaVu Sans";font-weight:${weight};src:url(${new URL(file, font)})}`;
      const plotly = await Deno.readTextFile(
        new URL(import.meta.resolve("plotly.js/dist/plotly-cartesian.min.js")),
      );
      const inline = (code: string) => `<script>${code.replaceAll("</script", "<\\/script")}</script>`;
      await Deno.writeTextFile(
        `${folder}/page.html`,
        `<!doctype html><meta charset="utf-8"><style>${face("DejaVuSans.ttf", "normal")}${
          face("DejaVuSans-Bold.ttf", "bold")
        }</style><body>${inline(plotly)}${inline(`const FIGURES = ${JSON.stringify(figures)};`)}${
          inline(SCRIPT)
        }`,
      );
      const { stdout } = await new Deno.Command(browser!, {
        args: [
          "--headless",
          "--no-sandbox",
          "--disable-gpu",
          "--allow-file-access-from-files",
          `--user-data-dir=${folder}/profile`,
          "--virtual-time-budget=60000",
          "--dump-dom",
          `file://${folder}/page.html`,
        ],
        stderr: "null",
      }).output();
      const dom = new TextDecoder().decode(stdout);
      const json = dom.match(/<pre id="out">([\s\S]*?)<\/pre>/)?.[1];
      assert(json, `the page gave no result: ${dom.slice(-400)}`);
      const unescaped = json.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
      const results: Comparison[] = JSON.parse(unescaped);
      assertEquals(results.length, figures.length);
      for (const { name, texts, theirs, worst, word, outside, covered } of results) {
        assertEquals({ name, outside, covered }, { name, outside: [], covered: [] });
        assertEquals(texts, theirs, name);
        assert(worst < 2, `${name}: "${word}" is ${worst.toFixed(1)} px away from where Chromium puts it`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
