import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { type CorpusRecord, samplePage } from "../../lib/corpus/mod.ts";
import { encodePng } from "../../lib/image/mod.ts";
import { chrome, withPage } from "../jupyter/browser.ts";
import { record } from "./record.ts";

const HOSTILE =
  `</script><script>globalThis.owned = 1</script><img src=x onerror="globalThis.owned = 2"> <!-- '"$& __SCRIPT__; "__DATA__"`;
const folder = await Deno.makeTempDir({ prefix: "samples-" });

async function picture(name: string, width: number, height: number, seed = 1): Promise<string> {
  const path = join(folder, name);
  const data = new Uint8Array(width * height * 3).map((_, i) => Math.imul(i + seed, 0x9e3779b1) >>> 24);
  await Deno.writeFile(path, await encodePng({ width, height, data }));
  return path;
}

/** Five questions in two splits of VQA-RAD and one caption that attacks the page, of ROCOv2. */
const records: CorpusRecord[] = [
  ...await Promise.all([0, 1, 2, 3, 4].map(async (n) =>
    record(n, n, {
      id: `vqa_rad/${n < 3 ? "train" : "test"}/${n}`,
      split: n < 3 ? "train" : "test",
      question: `Is there a mass in region ${n}?`,
      answer: n === 4 ? "Cardiomegaly" : "no",
      choices: ["yes", "no"],
      imagePath: await picture(`${n}.png`, 320, 200, n),
    })
  )),
  record(9, 9, {
    id: "roco_v2/train/9",
    dataset: "roco_v2",
    question: null,
    answer: null,
    answerType: null,
    caption: HOSTILE,
    context: { history: HOSTILE },
    imagePath: await picture("9.png", 48, 60),
  }),
];
const about = { title: `Samples ${HOSTILE}`, seed: 7, perSplit: 2, notice: `Phantoms. ${HOSTILE}` };

Deno.test("a sample page holds the records that the seed chooses, small pictures and no path of this machine", async () => {
  const dataOf = (page: string) => JSON.parse(page.match(/id="data">([^<]*)<\/script>/)![1]);
  const page = await samplePage(records, about), { records: shown } = dataOf(page);
  assertEquals(
    shown.map((r: CorpusRecord) => `${r.dataset}/${r.split}`),
    ["vqa_rad/train", "vqa_rad/train", "vqa_rad/test", "vqa_rad/test", "roco_v2/train"],
  );
  const ids = (of: CorpusRecord[]) => of.map(({ id }) => id).sort();
  assertEquals(ids(dataOf(await samplePage(records.toReversed(), about)).records), ids(shown));
  const seeds = await Promise.all([1, 2, 3, 4].map((seed) => samplePage(records, { ...about, seed })));
  assert(new Set(seeds.map((other) => ids(dataOf(other).records).join())).size > 1);
  assert(!page.includes(folder));
  assertEquals(shown.at(-1).file, "9.png");
});

Deno.test("a sample page that would be too large is refused with what to do", async () => {
  const long = [0, 1, 2, 3, 4, 5].map((n) =>
    record(n, n, { imagePath: records[0].imagePath, caption: "word ".repeat(2e5) })
  );
  await samplePage(long, { ...about, perSplit: 4 });
  await assertRejects(
    () => samplePage(long, { ...about, perSplit: 6 }),
    Error,
    "found 6.0 MB with 6 records: ask for fewer than 6 a split.",
  );
});

Deno.test({
  name:
    "samples are filtered, searched and opened by keyboard; hostile text stays text; nothing is asked of a server [needs Chromium]",
  ignore: !chrome,
  fn: async () => {
    const file = join(folder, "samples.html");
    await Deno.writeTextFile(file, await samplePage(records, { ...about, perSplit: 10 }));
    await withPage(async (page) => {
      const faults: string[] = [], requests: string[] = [];
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (message) => faults.push(message.text()));
      page.on("request", (request) => requests.push(new URL(request.url()).protocol));
      await page.goto(`file://${file}`);
      const cards = page.locator("#grid button:visible"), count = page.locator("#count");
      const press = async (...keys: string[]) => {
        for (const key of keys) await page.keyboard.press(key);
      };
      assertEquals(await cards.count(), 6);
      assertEquals(await count.innerText(), "6 shown, of 6 sampled from 6 records");
      assertEquals(
        await page.locator("#grid img").evaluateAll((all) =>
          (all as unknown as { naturalWidth: number; naturalHeight: number }[])
            .map((one) => [one.naturalWidth, one.naturalHeight])
        ),
        [...Array(5).fill([160, 100]), [48, 60]],
      );

      const dataset = page.getByLabel("Data set"), split = page.getByLabel("Split");
      assertEquals(await dataset.locator("option").allInnerTexts(), [
        "all (6)",
        "vqa_rad (5)",
        "roco_v2 (1)",
      ]);
      await dataset.selectOption("vqa_rad");
      await split.selectOption("test");
      assertEquals(await count.innerText(), "2 shown, of 2 sampled from 2 records");
      await page.getByLabel("Search").fill(" CARDIO ");
      assertEquals(await cards.allInnerTexts(), [
        "vqa_rad · test\nIs there a mass in region 4?\nCardiomegaly",
      ]);
      await press("Tab"); // from the search to the card
      const focused = () =>
        page.evaluate<string>(
          "document.activeElement.innerText + getComputedStyle(document.activeElement).outline",
        );
      assertMatch(await focused(), /Cardiomegaly.* solid 3px/);
      const dialog = page.getByRole("dialog", { name: "vqa_rad/test/4" });
      await press("Enter");
      assert(await dialog.isVisible());
      assert((await dialog.locator("img").boundingBox())!.width >= 400);
      const fields = await dialog.locator("dl").innerText();
      for (const text of ["answer\nCardiomegaly", "choices\nyes\nno", "licence\nCC0 1.0", "file\n4.png"]) {
        assertStringIncludes(fields, text);
      }
      await press("Escape");
      assert(!await dialog.isVisible());
      assertMatch(await focused(), /Cardiomegaly/);
      await page.getByLabel("Search").fill("no such words");
      assert(await page.getByText("No record is like that.").isVisible());

      await page.getByLabel("Search").fill("<IMG SRC=X ONERROR=");
      await dataset.selectOption("roco_v2");
      await split.selectOption("");
      assertStringIncludes(await cards.innerText(), HOSTILE.slice(0, 40));
      await cards.click();
      assertStringIncludes(await page.locator("dl").innerText(), `history: ${HOSTILE}`);
      assertStringIncludes(await page.locator("#notice").innerText(), HOSTILE);
      assertEquals(await page.title(), about.title);
      assertEquals(await page.evaluate("globalThis.owned"), undefined);
      assertEquals(await page.locator("[onerror], body script").count(), 2); // the data and the page's own script
      assertEquals(faults, []);
      assertEquals(requests.filter((protocol) => protocol !== "data:"), ["file:"]);
    });
  },
});

globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
