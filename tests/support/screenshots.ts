/**
 * What people see, as pictures in results/screenshots, from the last finished course on phantoms (`./lab demo` first):
 * `./lab deno run -A tests/support/screenshots.ts`. Needs Chromium.
 */
import { ensureDir } from "@std/fs";
import { join } from "@std/path";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { findRun } from "@lib/artifacts/mod.ts";
import { loadConfig, paths } from "@lib/config/mod.ts";
import { corporaFolder, loadSlake } from "@lib/corpus/mod.ts";
import { withPage } from "../jupyter/browser.ts";
import { kernelReady, startLab } from "../jupyter/lab_server.ts";

const folder = join(paths.root, "results", "screenshots"), config = loadConfig({});
await ensureDir(folder);

const fileUrl = (path: string) => `file://${encodeURI(path)}`;

async function shoot(page: Page, name: string): Promise<void> {
  const png = await sharp(await page.screenshot()).png({ palette: true, effort: 10 }).toBuffer();
  await Deno.writeFile(join(folder, `${name}.png`), png);
  console.log(`results/screenshots/${name}.png, ${Math.round(png.length / 1024)} KiB`);
}

/** A page that a stage left in its run's folder. */
async function runPage(stage: string, file: string): Promise<string> {
  const found = await findRun(stage, config);
  if (!found) throw new Error(`Stage ${stage} has no finished run: ./lab demo makes one.`);
  return fileUrl(join(found.dir, file));
}

/** The address of the page of `./lab serve`, and its process. */
async function served(): Promise<{ address: string; child: Deno.ChildProcess }> {
  const child = new Deno.Command(join(paths.root, "lab"), { args: ["serve"], stdout: "piped", stdin: "null" })
    .spawn();
  let said = "";
  for await (
    const chunk of child.stdout.pipeThrough(new TextDecoderStream()).values({ preventCancel: true })
  ) {
    said += chunk;
    const address = /^Page: +(\S+)$/m.exec(said)?.[1];
    if (address) return { address, child };
  }
  throw new Error(`./lab serve ended without the address of its page: ${said}`);
}

async function shootLesson(page: Page): Promise<void> {
  const server = await startLab(join(paths.results, "tiny", "notebooks"));
  try {
    await page.goto(server.url("07_saliency.ipynb"));
    await page.locator(".jp-Notebook .jp-Cell").first().waitFor({ timeout: 60_000 });
    await kernelReady(page);
    const heading = page.locator(".jp-RenderedMarkdown h2", { hasText: "Equation 2" }).first();
    await heading.scrollIntoViewIfNeeded();
    await page.locator(".jp-RenderedMarkdown mjx-container").first().waitFor({ timeout: 60_000 });
    await shoot(page, "lesson");
  } finally {
    await server.stop();
  }
}

async function shootServe(page: Page): Promise<void> {
  const { records } = await loadSlake(join(await corporaFolder(config), "slake"));
  const { imagePath, question } = records.find(({ split, answerType }) =>
    split === "test" && answerType === "open"
  )!;
  const { address, child } = await served();
  try {
    await page.goto(address);
    await page.setInputFiles("#file", imagePath);
    await page.fill("#questions", question!);
    await page.click("#ask");
    await page.locator("#status", { hasText: "Answered." }).waitFor({ timeout: 300_000 });
    await shoot(page, "serve");
  } finally {
    child.kill("SIGINT");
    await child.status;
  }
}

async function shootSite(page: Page): Promise<void> {
  const out = await Deno.makeTempDir();
  try {
    const { success } = await new Deno.Command(join(paths.root, "lab"), {
      args: ["site", "--out", join(out, "site")],
    })
      .spawn().status;
    if (!success) throw new Error("./lab site failed.");
    await page.goto(fileUrl(join(out, "site", "03_annealing.html")));
    await page.locator(".figure.is-drawn").first().waitFor();
    await page.locator(".katex-display").first().scrollIntoViewIfNeeded();
    await shoot(page, "site");
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

await withPage(async (page) => {
  await page.goto(await runPage("07_saliency", "explorer.html"));
  await page.locator("#tokens li").last().click();
  await shoot(page, "explorer");
  await page.goto(await runPage("06_evaluation", "answers.html"));
  await page.selectOption("#verdict", { index: 1 });
  await page.locator("button.map").first().click();
  await page.locator("summary").first().click();
  await shoot(page, "answers");
  await page.goto(await runPage("02_synthesis", "review.html"));
  await shoot(page, "review");
  await shootServe(page);
  await shootSite(page);
  await shootLesson(page);
}, { width: 1366, height: 900 });
