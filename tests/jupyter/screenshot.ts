/**
 * Pictures of a notebook as JupyterLab shows it, top to bottom:
 * `./lab deno run -A tests/jupyter/screenshot.ts results/local/tiny/notebooks/05_stage2.ipynb out.png`
 * writes out-1.png, out-2.png, ... (or out.png, where one is enough). Nothing is executed.
 */
import { delay } from "@std/async";
import { basename, dirname, resolve } from "@std/path";
import { withPage } from "./browser.ts";
import { kernelReady, startLab } from "./lab_server.ts";

const [notebook, out] = Deno.args;
if (!notebook?.endsWith(".ipynb") || !out?.endsWith(".png")) {
  console.error("usage: screenshot.ts NOTEBOOK.ipynb OUT.png");
  Deno.exit(2);
}
/** CSS pixels of one picture. */
const WIDTH = 1400, HEIGHT = 1600;

const server = await startLab(dirname(resolve(notebook)));
try {
  await withPage(async (page) => {
    // One document without menus; every cell is drawn, not only those in view.
    await page.goto(server.url(basename(notebook)).replace("/lab/tree/", "/lab/workspaces/shot/tree/"));
    await page.locator(".jp-Notebook .jp-Cell").first().waitFor({ timeout: 60_000 });
    await page.addStyleTag({
      content:
        ".jp-Cell { content-visibility: visible !important; } .jp-SideBar, .jp-sidePanel { display: none; }",
    });
    await kernelReady(page); // by then the page has its length
    const scroller = page.locator(".jp-WindowedPanel-outer").first();
    const shots: Uint8Array[] = [];
    for (let top = 0;; top += HEIGHT - 300) {
      const { end } = await scroller.evaluate((node, y) => {
        const box = node as unknown as { scrollTop: number; clientHeight: number; scrollHeight: number };
        box.scrollTop = y;
        return { end: y + box.clientHeight >= box.scrollHeight - 2 };
      }, top);
      await delay(1500); // figures draw themselves when they come into view
      shots.push(await scroller.screenshot());
      if (end || shots.length === 60) break;
    }
    for (const [i, png] of shots.entries()) {
      const file = shots.length === 1 ? out : out.replace(/\.png$/, `-${i + 1}.png`);
      await Deno.writeFile(file, png);
      console.log(file);
    }
  }, { width: WIDTH, height: HEIGHT });
} finally {
  await server.stop();
}
