/** The explorer in Chromium, by mouse and keyboard; what it shows is computed again from the record. */
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { type ExplorerExample, explorerPage } from "@lib/saliency/mod.ts";
import { visible } from "@lib/jupyter/mod.ts";
import type { Page } from "playwright-core";
import { chrome, withPage } from "../jupyter/browser.ts";
import { blanked, PAYLOADS } from "../jupyter/payloads.ts";
import { type Choice, madeExample, weightsOf } from "./explorer_examples.ts";

/** Opens the page of these examples; afterwards nothing may have gone wrong or been asked for. */
async function explore(
  examples: readonly ExplorerExample[],
  notice: string,
  fn: (page: Page) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "explorer-" });
  try {
    const file = join(folder, "explorer.html");
    await Deno.writeTextFile(file, await explorerPage(examples, { title: `Explorer ${notice}`, notice }));
    await withPage(async (page) => {
      const faults: string[] = [], requests: string[] = [];
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
      page.on("request", (request) => /^(file|data):/.test(request.url()) || requests.push(request.url()));
      await page.goto(`file://${file}`);
      await page.locator("#reading p").first().waitFor();
      await fn(page);
      assertEquals([faults, requests], [[], []]);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** RGBA of a canvas of a panel. */
const pixels = (page: Page, selector: string, panel: number) =>
  page.locator(selector).nth(panel).evaluate((node) => {
    const canvas = node as unknown as {
      width: number;
      height: number;
      getContext(kind: "2d"): {
        getImageData(x: number, y: number, width: number, height: number): ImageData;
      };
    };
    return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
  });

/** Share of full colour of every patch in a panel, as it is drawn with the opacity that the page begins with. */
const drawn = async (page: Page, panel: number) =>
  (await pixels(page, ".stage canvas + canvas", panel)).filter((_, i) => i % 4 === 3)
    .map((alpha) => alpha / (0.8 * 255));

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const short = (weight: number) =>
  weight === 0 ? "0" : weight < 0.001 ? weight.toExponential(1) : weight.toPrecision(2);
const place = (patch: number, { columns }: ExplorerExample) =>
  `row ${Math.floor(patch / columns) + 1}, column ${patch % columns + 1}`;

/** Every panel must be drawn and told as the record says. */
async function expectMaps(page: Page, example: ExplorerExample, token: number, choices: readonly Choice[]) {
  assertEquals(await page.locator("#reading p").count(), choices.length);
  for (const [panel, choice] of choices.entries()) {
    const map = weightsOf(example, token, choice),
      most = Math.max(...map),
      { name } = example.models[choice.model];
    const [told, legend] = [page.locator("#reading p"), page.locator(".legend")].map((all) => all.nth(panel));
    const strongest = `looks most at ${place(map.indexOf(most), example)}: ${short(most)}, `;
    const text = await told.innerText();
    assert(text.startsWith(`${name}: “${example.tokens[token].text}”`), text);
    assertStringIncludes(text, strongest);
    assertStringIncludes(text, `${(most * map.length / sum(map)).toFixed(1)} × an even map`);
    assertStringIncludes(await legend.innerText(), `0 to ${short(most)}, `);
    (await drawn(page, panel)).forEach((share, p) =>
      assertAlmostEquals(share, map[p] / most, 0.02, `patch ${p}`)
    );
  }
}

Deno.test({
  name:
    "tokens, methods, layers, heads, sinks and models change what is drawn, as the record says [needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const words = ["which", "side", "left", "lung"], example = await madeExample({ words });
    const other = await madeExample({ words: ["what", "mass"], side: 3, texts: { question: "what is it?" } });
    await explore([example, other], "", async (page) => {
      const select = (label: string) => page.getByRole("combobox", { name: label, exact: true });
      const pick = (label: string, option: string) => select(label).selectOption({ value: option });
      const all = (choice: Omit<Choice, "model"> = {}) => [0, 1, 2].map((model) => ({ model, ...choice }));
      assertEquals(
        await page.getByRole("option", { selected: true }).and(page.locator("li")).innerText(),
        "left",
      );
      await expectMaps(page, example, 4, all());
      assertStringIncludes(
        await page.locator("figcaption").nth(2).innerText(),
        "says so itself; probability of this answer: 100 %",
      );
      await page.locator("#tokens li", { hasText: "side" }).click();
      await expectMaps(page, example, 2, all());
      await pick("bos and newline", "left in");
      await expectMaps(page, example, 2, all({ sinks: "left in" }));
      await pick("Layer", "1");
      await expectMaps(page, example, 2, all({ sinks: "left in", layer: 1 }));
      await pick("Head", "0");
      await expectMaps(page, example, 2, all({ sinks: "left in", layer: 1, head: 0 }));
      await pick("Map", "rollout");
      await expectMaps(page, example, 2, all({ method: "rollout", sinks: "left in" }));
      for (const label of ["Layer", "Head"]) {
        assert(await select(label).isDisabled());
      }
      await pick("bos and newline", "left out");
      await expectMaps(page, example, 2, all({ method: "rollout" }));
      await pick("Map", "gradient × attention");
      await expectMaps(page, example, 2, all({ method: "gradient × attention", sinks: "left in" }));
      assert(await select("bos and newline").isDisabled());
      await pick("Map", "raw attention");
      await pick("Layer", "mean");
      await pick("Model", "1");
      await expectMaps(page, example, 2, [{ model: 1 }]);
      assertEquals(await page.locator("figure h2").allInnerTexts(), ["stage 1"]);
      const said = await page.locator("figcaption").innerText();
      assertStringIncludes(
        said,
        `itself says “right”; probability of this answer: ${(100 * Math.exp(-3)).toPrecision(2)} %`,
      );

      await page.locator("#tokens").focus();
      for (const [key, token] of [["ArrowLeft", 1], ["Home", 0], ["ArrowLeft", 0], ["End", 5]] as const) {
        await page.keyboard.press(key);
        await expectMaps(page, example, token, [{ model: 1 }]);
        assertEquals(await page.locator("#tokens").getAttribute("aria-activedescendant"), `token${token}`);
      }

      await pick("Model", "all");
      await pick("Full colour is", "common");
      const maps = [0, 1, 2].map((model) => weightsOf(example, 5, { model })),
        most = Math.max(...maps.flat());
      for (const [m, map] of maps.entries()) {
        (await drawn(page, m)).forEach((share, p) => assertAlmostEquals(share, map[p] / most, 0.02));
      }
      await pick("Full colour is", "own");

      await pick("Example", "1");
      await page.locator("#question", { hasText: "what is it?" }).waitFor();
      await expectMaps(page, other, 2, all());
      assertEquals(await page.locator("#tokens li").allInnerTexts(), other.tokens.map(({ text }) => text));
    });
  },
});

Deno.test({
  name:
    "patches that are clicked, dragged over or chosen by keyboard say which tokens take from them [needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const example = await madeExample({ words: ["which", "side", "left", "lung"] });
    await explore([example], "", async (page) => {
      const stage = page.locator(".stage").nth(1);
      const top = async () => (await stage.boundingBox())!.y + await page.evaluate<number>("scrollY");
      const before = await top();
      const at = async (patch: number) => {
        await stage.scrollIntoViewIfNeeded();
        const { x, y, width } = (await stage.boundingBox())!;
        const [row, column] = [Math.floor(patch / 4), patch % 4];
        return [x + (column + 0.5) * width / 4, y + (row + 0.5) * width / 4] as const;
      };
      const expectTaken = async (patches: readonly number[]) => {
        const options = await page.locator("#tokens li").evaluateAll((all) =>
          (all as unknown as { ariaLabel: string; title: string }[]).map((one) => one.ariaLabel)
        );
        example.tokens.forEach(({ text, part }, t) => {
          const taken = example.models.map(({ name }, model) =>
            `${name} ${short(sum(patches.map((p) => weightsOf(example, t, { model })[p])))}`
          );
          assertEquals(options[t], `${text}, ${part}${patches.length ? `, takes ${taken.join(", ")}` : ""}`);
        });
        const widths = await page.locator("#tokens .amount i").evaluateAll((all) =>
          (all as unknown as { style: { width: string } }[]).map(({ style }) =>
            Number.parseFloat(style.width)
          )
        );
        assertEquals([widths.length, Math.max(...widths)], [18, patches.length ? 100 : 0]);
        assertEquals(await top(), before); // or a drag would jump
        const outlined = await page.locator(".over").first().getAttribute("d");
        assertEquals(outlined !== "", patches.length > 0);
        assertEquals(await page.locator("#clear").isDisabled(), patches.length === 0);
      };
      await expectTaken([]);
      await page.mouse.click(...await at(6));
      await expectTaken([6]);
      assertStringIncludes(await page.innerText("#reading"), "The patch in row 2, column 3 has");
      await page.mouse.click(...await at(6));
      await expectTaken([]);

      const drag = async (from: number, to: number) => {
        await page.mouse.move(...await at(from));
        await page.mouse.down();
        await page.mouse.move(...await at(to), { steps: 4 });
        await page.mouse.up();
      };
      await drag(10, 5);
      await expectTaken([5, 6, 9, 10]);
      await page.keyboard.down("Control");
      await drag(15, 15);
      await page.keyboard.up("Control");
      await expectTaken([5, 6, 9, 10, 15]);
      const share = sum([5, 6, 9, 10, 15].map((p) => weightsOf(example, 4, { model: 2 })[p])) /
        sum(weightsOf(example, 4, { model: 2 }));
      const text = await page.locator("#reading p").nth(2).innerText();
      assertStringIncludes(text, `The 5 patches have ${(100 * share).toPrecision(2)} % of this map`);

      await page.locator("summary", { hasText: "Numbers" }).click();
      const taken = weightsOf(example, 2, { model: 0 });
      const row = page.getByRole("row").filter({ hasText: /^side/ });
      assertStringIncludes(await row.innerText(), short(sum([5, 6, 9, 10, 15].map((p) => taken[p]))));
      assertEquals(await page.getByRole("table").count(), 2);
      await page.getByRole("button", { name: "Clear patches" }).click();
      await expectTaken([]);
      assertEquals(await page.getByRole("table").count(), 1);

      await stage.focus(); // the mouse was on patch 15 last
      await page.keyboard.press("ArrowLeft");
      await page.keyboard.press("Space");
      await expectTaken([14]);
      const here = [0, 1, 2].map((model) =>
        `${example.models[model].name} ${short(weightsOf(example, 4, { model })[14])}`
      );
      assertEquals(await page.innerText("#here"), `row 4, column 3: ${here.join(", ")}`);
      for (const key of ["Shift+ArrowUp", "Shift+ArrowLeft"]) await page.keyboard.press(key);
      await expectTaken([9, 10, 13, 14]);
      await page.keyboard.press("Escape");
      await expectTaken([]);
      for (const key of ["+", "+"]) await page.keyboard.press(key);
      assertEquals(await page.innerText("#zoom"), "2 ×");
    });
  },
});

Deno.test({
  name:
    "the picture is zoomed, in all panels alike, and shown through the window as computed [needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const example = await madeExample({ words: ["which", "left", "lung"] });
    await explore([example], "", async (page) => {
      const greys = async () =>
        (await pixels(page, ".stage canvas:first-child", 0)).filter((_, i) => i % 4 === 0);
      const set = (label: string, value: number) =>
        page.getByRole("slider", { name: label, exact: true }).evaluate((node, value) => {
          const input = node as unknown as EventTarget & { value: string };
          input.value = `${value}`;
          input.dispatchEvent(new Event("input"));
        }, value);
      const before = await greys();
      await set("Window", 40);
      await set("Level", 120);
      const windowed = before.map((value) => Math.min(255, Math.max(0, 255 * (value - 100) / 40)));
      (await greys()).forEach((value, i) => assertAlmostEquals(value, windowed[i], 0.51));
      assert(new Set(windowed).has(0) && new Set(windowed).has(255));
      await set("Opacity", 40);
      const half = await drawn(page, 0), map = weightsOf(example, 3, { model: 0 });
      half.forEach((share, p) => assertAlmostEquals(share, map[p] / Math.max(...map) / 2, 0.02));

      const side = async () => (await page.locator(".stage").first().boundingBox())!.width;
      const small = await side(),
        scrolls = () =>
          page.locator(".frame").evaluateAll((all) =>
            (all as unknown as { scrollLeft: number; scrollTop: number }[]).map(({ scrollLeft, scrollTop }) =>
              [scrollLeft, scrollTop].map(Math.round).join()
            )
          );
      for (let i = 0; i < 3; i++) await page.getByRole("button", { name: "Zoom in" }).click();
      assertEquals(await page.innerText("#zoom"), "3 ×");
      assert(await side() > 2.8 * small);
      await page.locator(".frame").nth(1).evaluate((node) =>
        (node as unknown as { scrollTo(x: number, y: number): void }).scrollTo(200, 150)
      );
      for (let i = 0; i < 100 && (await scrolls())[2] !== "200,150"; i++) await page.waitForTimeout(20);
      assertEquals(await scrolls(), ["200,150", "200,150", "200,150"]);
      await page.locator(".stage").first().focus();
      await page.keyboard.press("-");
      assertEquals(await page.innerText("#zoom"), "2 ×");
      await page.getByRole("button", { name: "Reset the picture" }).click();
      assertEquals([await page.innerText("#zoom"), await greys()], ["1 ×", before]);
    });
  },
});

Deno.test({
  name: "whatever the texts hold, they are shown whole and do nothing [needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const all = PAYLOADS.join(" "),
      hostile = await madeExample({
        words: [...PAYLOADS, "left", all],
        texts: { imageId: all, question: all, reference: all, answer: all },
      });
    for (const model of hostile.models) Object.assign(model, { name: all, says: all });
    hostile.models[0].says = PAYLOADS.toReversed().join(" ");
    await explore([hostile], all, async (page) => {
      await page.locator("summary", { hasText: "Numbers" }).click();
      await page.locator(".stage").first().click();
      const text = blanked(await page.locator("body").innerText());
      for (const place of ["#title", "#notice", "#question", "#tokens", "#panels", "#reading", "#tables"]) {
        const shown = blanked(await page.locator(place).innerText());
        for (const payload of PAYLOADS) {
          assert(shown.includes(blanked(visible(payload))), `${place}: ${payload}`);
        }
      }
      assert(!text.includes("undefined"));
      assertEquals(await page.evaluate(() => "owned" in globalThis), false);
    });
  },
});

Deno.test({
  name:
    "a page with 1,024 patches, 64 tokens and three models opens in less than two seconds [needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const words = Array.from({ length: 62 }, (_, i) => `word${i}`);
    const example = await madeExample({ words, side: 32, pictureSide: 448, layers: 18, heads: 8 });
    await explore([example], "", async (page) => {
      const start = performance.now();
      await page.reload();
      await page.locator("#reading p").first().waitFor();
      const opened = performance.now() - start;
      await expectMaps(page, example, 62, [0, 1, 2].map((model) => ({ model })));
      const about = await page.innerText("#about"), options = await page.locator("#layer option").count();
      assertStringIncludes(
        about,
        `Of 18 layers this page holds ${options - 1} alone, 0 of them head by head.`,
      );
      await page.locator(".stage").first().click();
      assertEquals(await page.locator("#tokens .amount").count(), 3 * 64);
      console.log(`opened in ${Math.round(opened)} ms`);
      assert(opened < 2000, `${opened} ms`);
    });
  },
});
