/** `./lab site`: what it is made of, what of a run it says, and the pages themselves in a browser without network. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { exists } from "@std/fs";
import { basename, join } from "@std/path";
import { JSDOM } from "jsdom";
import type { Page } from "playwright-core";
import { PAYLOADS, TRAP } from "../jupyter/payloads.ts";
import { chrome, withPage } from "../jupyter/browser.ts";

// The results folder is read from the environment when lib/config is loaded.
const folder = await Deno.makeTempDir({ prefix: "site-" }), results = join(folder, "results");
Deno.env.set("LAB_RESULTS", results);
const { startRun } = await import("../../lib/artifacts/mod.ts");
const { loadConfig } = await import("../../lib/config/mod.ts");
const { CHECK, CheckResult } = await import("../../lib/jupyter/mod.ts");
const { run: site } = await import("../../lib/cli/site.ts");
const { listNotebooks } = await import("../../lib/cli/support/notebooks.ts");
const { convert, searchTexts } = await import("../../lib/cli/support/site.ts");
const { replaceSite } = await import("../../lib/cli/support/site_folder.ts");
const { closingChecks, indexBody, renderPage } = await import("../../lib/cli/support/site_page.ts");
const { readPart } = await import("../../lib/cli/support/site_part.ts");
const { notebookText } = await import("../jupyter/support.ts");
const { siteSource } = await import("../../lib/cli/support/site_source.ts");

addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** Runs the command; what it said. */
async function said(...args: string[]): Promise<string> {
  const { log, error } = console, lines: string[] = [];
  console.log = console.error = (line: string) => void lines.push(line);
  try {
    await site(args);
  } finally {
    Object.assign(console, { log, error });
  }
  return lines.join("\n");
}

/** The local run of a stage: the notebook as it is in the course, executed by nobody. */
async function stageRun(notebook: string, inputs: string[] = []): Promise<void> {
  const name = basename(notebook, ".ipynb");
  const run = await startRun(name, loadConfig({}), { inputs });
  if (name === "01_data") await run.writeText("samples.html", "<!DOCTYPE html><title>samples</title>");
  await run.finish();
  const executed = join(results, "tiny", "notebooks", `${name}.ipynb`);
  await Deno.mkdir(join(results, "tiny", "notebooks"), { recursive: true });
  await Deno.copyFile(notebook, executed);
  await Deno.utime(executed, new Date(), new Date());
}

Deno.test("the index shows titles, goals, checks, notes and facts as text, whatever they hold", async () => {
  const link = { page: "00_x.html", title: "" };
  for (const text of PAYLOADS) {
    const entry = {
      ...link,
      title: text,
      goal: text,
      checks: [text],
      seconds: 61,
      links: [],
      missing: [text],
    };
    const body = indexBody([entry], {
      facts: { run: text, started: text, [text]: text },
      notes: [text],
      others: [],
    });
    const page = await renderPage({ ...link, title: text, body, next: { ...link, title: text } }, [
      { ...link, title: text },
    ]);
    const { document } = new JSDOM(page).window;
    assertEquals(
      document.querySelectorAll("main :is(img, script, svg, style), [onerror], [onload], [style]").length,
      0,
    );
    assertEquals(
      document.querySelectorAll(`script:not([src="assets/site.js"]), a[href*="${TRAP}"]`).length,
      0,
    );
    assertEquals(document.querySelectorAll("main li h2 a, .checks li, .notes li").length, 3);
  }
  const body = indexBody([], { facts: { run: "x <y>", started: "" }, notes: [], others: [] });
  assertStringIncludes(body, "x &#60;y&#62;");
});

Deno.test("closing checks are read from their own form; anything else under their type is none", () => {
  const check = { ok: true, text: "✓ rows: 3", name: "rows", value: 3, atLeast: 1, atMost: null };
  assertEquals(CheckResult.parse(check), check);
  const outputs = [{ [CHECK]: check }, { [CHECK]: { text: "✓ forged" } }, { [CHECK]: "✓" }, {
    "text/plain": "x",
  }];
  assertEquals(closingChecks(outputs, CHECK), ["✓ rows: 3"]);
});

/** A document as nbconvert and `readPart` make it. */
async function partOf(name: string, text: string, pages = new Map<string, string>()) {
  const from = join(folder, name), page = "part.html", mark = `tex-${crypto.randomUUID()}`;
  await Deno.writeTextFile(from, text);
  await convert([{ from, place: from, page }], folder, join(folder, "styles.css"), mark);
  const converted = await Deno.readTextFile(join(folder, page));
  return readPart(converted, { mark, place: from, pages, title: name, isNotebook: name.endsWith(".ipynb") });
}

const FOREIGN = [
  ...PAYLOADS,
  `<iframe src="http://${TRAP}/h"></iframe><style>@import "http://${TRAP}/i"</style>`,
  `<form action="http://${TRAP}/j"><button>go</button></form><base href="http://${TRAP}/"><meta http-equiv="refresh" content="0">`,
  `<p style="position:fixed;background:url(http://${TRAP}/k)" id="search" onclick="globalThis.owned = 9">over all</p>`,
  `<img src="data:image/svg+xml;base64,PHN2Zy8+"><a href="data:text/html,x">data</a></div></main></body>`,
];

Deno.test("foreign markup in outputs does nothing: what is not allowed stays as text, in figures too", async () => {
  const notebook = JSON.parse(notebookText(["await show()"]));
  const spec = {
    data: [{ name: `</script><!--<script>${FOREIGN[0]}` }],
    layout: { annotations: [{ text: FOREIGN[2] }] },
  };
  const data = [
    ...FOREIGN.flatMap((text) => [{ "text/html": text }, { "text/markdown": text }, { "text/plain": text }]),
    { "application/javascript": "globalThis.owned = 10", "text/plain": "script" },
    { "image/png": `"><script>`, "text/plain": `"><script>alert(1)</script>` },
    { "application/vnd.plotly.v1+json": spec, "image/png": "", "text/plain": "Figure: x" },
  ];
  notebook.cells[0].outputs = data.map((data) => ({ output_type: "display_data", metadata: {}, data }));
  const { html } = await partOf("foreign.ipynb", JSON.stringify(notebook));
  const { document } = new JSDOM(`<main>${html}</main><p id="after"></p>`).window;
  const bad =
    `:is(script:not([type="application/json"]), iframe, style, form, base, meta, svg, link, button), [onerror],
    [onload], [onclick], [onmouseover], [id="search"], a[href^="javascript"], a[href^="data"]`;
  assertEquals([...document.querySelectorAll(bad)].map((one) => one.outerHTML), []);
  const pictures = [...document.querySelectorAll("main img")].map((one) => one.getAttribute("src"));
  assertEquals(pictures.filter((src) => src !== null && !src.startsWith("data:image/png;base64,")), []);
  assertEquals(document.querySelectorAll('[style*="url"], [style*="position"]').length, 0);
  assert(document.querySelector("main")!.textContent.includes("<iframe"), "it is not seen");
  assert(document.getElementById("after")!.parentElement === document.body, "an output has closed the page");
  const [figure] = document.querySelectorAll('script[type="application/json"]');
  assertEquals(JSON.parse(figure.textContent), spec);
  assertEquals(document.querySelectorAll("main .jp-RenderedHTML .katex, main pre .katex").length, 0);
});

Deno.test("Markdown is set with its mathematics; links lead to pages of the site, or are text", async () => {
  const text =
    "# A $ 5 title\n\n**Goal.** See *it*.\n\n## Sum\n\nWith $x < \\sqrt{y}$ and\n\n$$\\frac{a}{b}$$\n\n" +
    "[next](01_data.ipynb#Sum) [gone](../gone.md) [away](https://arxiv.org/abs/2506.14451) [no](file:///etc/passwd)\n\n" +
    "| a | b |\n|---|---|\n| one | two |\n";
  const part = await partOf("text.md", text, new Map([[join(folder, "01_data.ipynb"), "01_data.html"]]));
  const { document } = new JSDOM(part.html).window;
  assertEquals([part.title, part.goal], ["A $ 5 title", "See it."]);
  assertEquals(document.querySelectorAll(".katex math").length, 2);
  assertEquals(document.querySelectorAll(".katex-display, .katex-error").length, 1);
  assertEquals(
    [...document.querySelectorAll("a[href]:not(.anchor-link)")].map((one) => one.getAttribute("href")),
    [
      "01_data.html#Sum",
      "https://arxiv.org/abs/2506.14451",
    ],
  );
  assertEquals(
    searchTexts([{ page: "text.html", ...part }]).map((
      { heading, id, text },
    ) => [heading, id, text]),
    [
      ["A $ 5 title", "A-$-5-title", "Goal. See it."],
      ["Sum", "Sum", "With and next gone away no a b one two"],
    ],
  );
  assertEquals(
    searchTexts([{ page: "p.html", title: "T\u202E", sections: part.sections }])[0].title,
    "T<U+202E>",
  );
});

Deno.test("the local run is shown where it is whole; what is missing, stale or changed is said", async () => {
  const notebooks = await listNotebooks();
  const notes = async () => {
    const { kind, notes } = await siteSource({ recorded: false });
    return [kind, ...notes].join(" ");
  };
  const { kind, stages } = await siteSource({ recorded: true });
  assertEquals([kind, stages.length], ["recorded", (await listNotebooks()).length]);
  const recorded = await notes();
  assert(!recorded.includes("not whole"), "nothing has run here");
  await stageRun(notebooks[0]);
  assertStringIncludes(
    await notes(),
    "The run of this installation is not whole and is not shown: 01_data has not run. 02_synthesis has not run.",
  );
  for (const [i, notebook] of notebooks.entries()) {
    await stageRun(notebook, i === 3 ? ["01_data", "02_synthesis"] : []);
  }
  assertEquals(await notes(), "local");

  const executed = join(results, "tiny", "notebooks", "05_stage2.ipynb"),
    failed = executed.replace(".ipynb", ".failed.ipynb");
  await Deno.writeTextFile(failed, "{}");
  assertStringIncludes(
    await notes(),
    "recorded The run of this installation is not whole and is not shown: 05_stage2 failed",
  );
  await Deno.remove(failed);
  await Deno.utime(executed, 1, 1);
  assertStringIncludes(await notes(), "The executed copy of 05_stage2 is of an earlier run.");
  await Deno.writeTextFile(executed, notebookText(["1"]));
  await stageRun(notebooks[2]);
  const limited = await startRun("07_saliency", loadConfig({ LIMIT: "3" }));
  assertEquals(
    await notes(),
    [
      "local",
      "03_annealing was made from another run of 02_synthesis than the one shown here: it is stale.",
      "The notebook 05_stage2 has been changed since it ran.",
    ].join(" "),
  );
  await limited.finish();
  assertStringIncludes(await notes(), "07_saliency is limited to 3 rows.");
  await stageRun(notebooks[7]);

  const out = join(folder, "local");
  const words = await said("--out", out);
  assertStringIncludes(words, "05_stage2 has been changed");
  assertStringIncludes(words, "of the last tiny run");
  const index = await Deno.readTextFile(join(out, "index.html"));
  assertStringIncludes(index, "03_annealing was made from another run of 02_synthesis");
  assertStringIncludes(index, 'href="./runs/01_data/samples.html"');
  assertEquals(
    await Deno.readTextFile(join(out, "runs/01_data/samples.html")),
    "<!DOCTYPE html><title>samples</title>",
  );
  assertEquals((await Deno.stat(out)).mode! & 0o077, 0, "others may read a run of one's own");
});

Deno.test("a site replaces a site, never another folder, and after an error what was there is still there", async () => {
  const out = join(folder, "replaced");
  const write = (text: string) => (place: string) =>
    Deno.writeTextFile(join(place, "index.html"), `<meta name="generator" content="RadVQA Lab site">${text}`);
  assertEquals((await replaceSite(out, { write: write("one"), open: true })).files, 1);
  await replaceSite(out, { write: write("two"), open: true });
  const failing = () => Promise.reject(new Error("stopped"));
  await assertRejects(() => replaceSite(out, { write: failing, open: true }), Error, "stopped");
  assertStringIncludes(await Deno.readTextFile(join(out, "index.html")), "two");
  await Deno.mkdir(join(folder, "other"));
  await Deno.writeTextFile(join(folder, "other/thesis.txt"), "mine");
  await assertRejects(
    () => replaceSite(join(folder, "other"), { write: write(""), open: true }),
    Error,
    "was not made by ./lab site",
  );
  assert(await exists(join(folder, "other/thesis.txt")));
  const killed = [1, 2].map(() => join(folder, `.${basename(out)}-${crypto.randomUUID()}`));
  for (const path of killed) await Deno.mkdir(path);
  await Deno.utime(killed[0], 0, 0);
  await replaceSite(out, { write: write("three"), open: true });
  assertEquals(await Promise.all(killed.map((path) => exists(path))), [false, true]);
  await Deno.remove(killed[1]);
  const left = (await Array.fromAsync(Deno.readDir(folder))).filter(({ name }) => name.startsWith("."));
  assertEquals(left, []);
});

/** Local links of a page, and its ids. */
const linksOf = (page: Page) =>
  page.evaluate(`({
    links: [...document.querySelectorAll("a[href]")].map((a) => a.href).filter((href) => href.startsWith("file:")),
    ids: [...document.querySelectorAll("[id]")].map((one) => one.id),
  })`) as Promise<{ links: string[]; ids: string[] }>;

Deno.test({
  name:
    "the recorded course in a browser without network: no error, no request, formulas, figures, search, keyboard " +
    "[needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const out = join(folder, "a folder, ü"), url = (page: string) => `file://${encodeURI(out)}/${page}`;
    assertStringIncludes(await said("--recorded", "--out", out), "of the recorded run");
    const pages = (await Array.fromAsync(Deno.readDir(out))).map(({ name }) => name).filter((name) =>
      name.endsWith(".html")
    );
    await withPage(async (page) => {
      await page.context().setOffline(true);
      const asked: string[] = [], errors: string[] = [];
      page.on("request", (request) => void asked.push(request.url()));
      const failed: [string, string?][] = [];
      page.on("requestfailed", (request) => void failed.push([request.url(), request.failure()?.errorText]));
      page.on("pageerror", (error) => void errors.push(error.message));
      page.on("console", (message) => message.type() === "error" && void errors.push(message.text()));
      const seen = new Map<string, { links: string[]; ids: string[] }>();
      for (const name of pages.sort()) {
        await page.goto(url(name));
        seen.set(name, await linksOf(page));
        assert(await page.locator("h1").count() > 0, name);
        assertEquals(await page.locator(".katex-error, img:not([alt])").count(), 0, name);
      }
      assertEquals(asked.filter((from) => !/^(file|data|blob):/.test(from)), []);
      assertEquals(errors, []);
      for (const [name, { links }] of seen) {
        for (const link of links) {
          const [file, id] = link.slice(url("").length).split("#"), there = seen.get(decodeURI(file));
          assert(there || await exists(join(out, decodeURI(file))), `${name} leads to ${link}`);
          if (id) {
            assert(there!.ids.some((own) => own === id || own === decodeURIComponent(id)), `${name}: #${id}`);
          }
        }
      }

      await page.goto(url("03_annealing.html"));
      const formula = await page.locator(".katex-display .katex-html").first().boundingBox();
      assert(formula && formula.height > 60 && formula.width > 200, "four cases of a formula");
      assert(await page.evaluate(`document.fonts.ready.then(() => document.fonts.check("16px KaTeX_Main"))`));
      const figures = await page.locator(".figure").count();
      assert(figures > 0);
      for (let i = 0; i < figures; i++) {
        await page.locator(".figure.is-drawn > .drawn").nth(i).locator(".main-svg .trace").first().waitFor({
          state: "attached",
        });
      }
      assertEquals(await page.locator(".figure > img:visible").count(), 0);
      await page.setViewportSize({ width: 700, height: 900 });
      await page.locator(".is-drawn").first().waitFor({ state: "detached" });
      assertEquals(await page.locator(".figure > img:visible").count(), figures);
      assertEquals(await page.evaluate("document.documentElement.scrollWidth <= 700"), true);
      await page.setViewportSize({ width: 1280, height: 900 });

      await page.goto(url("00_start_here.html"));
      await page.keyboard.press("Tab");
      assertEquals(await page.evaluate("document.activeElement.className"), "skip");
      await page.keyboard.press("/");
      await page.keyboard.type("schedule by hand");
      await page.locator("#found a").first().waitFor();
      await page.keyboard.press("Tab");
      assertEquals(await page.evaluate("document.activeElement.closest('#found') !== null"), true);
      await page.keyboard.press("Enter");
      await page.waitForURL(/03_annealing\.html#/);
      const heading = page.locator("h2", { hasText: "The schedule by hand" });
      assert((await heading.boundingBox())!.y < 900, "the heading is in view");
      await page.keyboard.press("/");
      await page.keyboard.type("zzzz");
      await page.getByText("Nothing found.").waitFor();

      await page.goto(url("index.html"));
      assertEquals(await page.locator(".course > li").count(), (await listNotebooks()).length);
      for (const notebook of await listNotebooks()) {
        await page.locator('.turn [rel="next"]').click();
        await page.waitForURL(url(`${basename(notebook, ".ipynb")}.html`));
      }
      assertEquals(await page.locator('.turn [rel="next"]').count(), 0);
      await page.locator('.turn [rel="prev"]').click();
      await page.waitForURL(url(`${basename((await listNotebooks()).at(-2)!, ".ipynb")}.html`));
      assertEquals([errors, asked.filter((from) => !/^(file|data|blob):/.test(from))], [[], []]);

      // What a script or a picture from elsewhere would do, the policy of the page prevents.
      await page.evaluate(`document.querySelector("main").innerHTML =
        '<img src="http://${TRAP}/x" onerror="globalThis.owned = 1"><iframe src="http://${TRAP}/y"></iframe>'`);
      await page.waitForTimeout(300);
      assertEquals(await page.evaluate("globalThis.owned"), undefined);
      const trapped = failed.filter(([from]) => from.includes(TRAP));
      assert(trapped.length > 0 && trapped.every(([, why]) => why === "csp"), trapped.join());
    });
  },
});
