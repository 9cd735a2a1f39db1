import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { loadConfig, paths } from "../../lib/config/mod.ts";
import { corporaFolder } from "../../lib/corpus/mod.ts";
import { DatasetManifest, readManifest } from "../../lib/download/mod.ts";
import { formatBytes } from "../../lib/cli/support/bytes.ts";
import {
  downloadLines,
  gpuLines,
  licenceLines,
  nextSteps,
  renderLines,
  roomLines,
  type Surroundings,
  timeLines,
  workLines,
} from "../../lib/cli/support/plan.ts";
import { NEEDED_DATASETS } from "../../lib/cli/support/surroundings.ts";
import { manifestAt } from "../download/dataset_fixture.ts";

const full = loadConfig({ SCALE: "full" });
const [rows, images] = manifestAt("http://127.0.0.1:1").files;
const sized = manifestAt("http://127.0.0.1:1", {
  files: [{ ...rows, about: 12_000_000 }, { ...images, about: 200_000_000 }],
});

/** A machine on which nothing is ready. */
const bare: Surroundings = {
  model: {
    parameters: 3_000_000,
    downloadBytes: 12_000_000,
    downloadKnown: "estimate",
    here: false,
    licence: "Terms",
    gated: true,
  },
  datasets: [{ manifest: sized, state: "absent", accepted: false }],
  own: [],
  freeDisk: 1e9,
  memory: { total: 24e9, available: 20e9 },
  gpus: [],
  times: [],
  hasToken: false,
  servers: { teacher: false, judge: false },
};

Deno.test("a plan adds up what is to come, and says how each amount is known", () => {
  assertEquals(
    renderLines(downloadLines(bare)),
    "  model     12 MB [estimate]\n  made_up   212 MB [about]\n  together  224 MB [about] (at 100 Mbit/s: 17.9 s)",
  );
  const room = renderLines(roomLines(full, bare));
  assertStringIncludes(room, "disk for data     244 MB [computed]"); // and 20 MB that the archive may unpack to
  assertStringIncludes(room, "memory, weights   6 MB [computed] (bfloat16");
  assertStringIncludes(room, "memory, the rest  unknown");
  assertStringIncludes(renderLines(timeLines(bare, "full")), "unknown (no run at full scale was measured)");
});

Deno.test("what is unknown stays unknown in every sum", () => {
  const manifest = DatasetManifest.parse({ ...sized, files: [rows, images] });
  const around = { ...bare, datasets: [{ manifest, state: "absent" as const, accepted: false }] };
  const lines = renderLines(downloadLines(around));
  assertStringIncludes(lines, "made_up   unknown");
  assertStringIncludes(lines, "12 MB and what is unknown");
  assertStringIncludes(renderLines(roomLines(full, around)), "and what is unknown above");
  const strange = { ...bare, model: { ...bare.model, parameters: null, downloadBytes: null } };
  assertStringIncludes(renderLines(roomLines(full, strange)), "memory, weights   unknown");
});

Deno.test("the work is counted from the configuration, limited where it is", () => {
  const lines = renderLines(workLines(full, 8, 4919, true));
  assertStringIncludes(lines, "180,000 requests at most");
  assertStringIncludes(lines, "600 requests at most for 3 cells");
  const tiny = renderLines(workLines(loadConfig({}), 8, 512, false));
  assertStringIncludes(tiny, "300 requests at most"); // two kinds of pairs on 150 captions: what the notebook asks for
  assertStringIncludes(tiny, "120 requests at most for 3 cells");
  assertStringIncludes(lines, "4,100 steps of 6 [computed] (5 epochs of 4,919 rows)");
  assertStringIncludes(lines, "8 cells of 10,000 steps of 96: 7,680,000 examples");
  const limited = renderLines(workLines(loadConfig({ SCALE: "full", LIMIT: "8" }), 8, 4919, true));
  assertStringIncludes(limited, "10 steps of 6");
  assertStringIncludes(limited, "48 requests at most"); // three kinds of pairs on 8 captions of each of two data sets
  assertStringIncludes(limited, "8 cells of 8 steps of 96: 6,144 examples");
});

Deno.test("GPU time is told at measured rates, for the model that was measured, and priced where a price is given", () => {
  const lines = renderLines(gpuLines(full, 8, 4919, 2.5));
  assertStringIncludes(lines, "9 min 43 s: 0.40"); // 5 epochs of 4,919 at 42.2 a second
  assertStringIncludes(lines, "106 h 08 min: 265.34"); // 7,680,000 at 20.1 a second
  assertStringIncludes(lines, "in 17.8 GB");
  assert(!renderLines(gpuLines(full, 8, 4919, null)).includes("265.34"));
  assertEquals(gpuLines(loadConfig({}), 8, 512, 2.5), []);
});

Deno.test("the next steps are those that are missing, and the last one is the run", () => {
  const last = "./lab run 00 --scale full";
  assertEquals(nextSteps(full, bare).map((step) => step.split(" ").slice(0, 3).join(" ")), [
    "accept the licence",
    "./lab data made_up",
    "set TEACHER_URL and",
    "set JUDGE_URL and",
    "find a GPU,",
    "./lab run 00",
  ]);
  const ready: Surroundings = {
    ...bare,
    model: { ...bare.model, here: true },
    datasets: [{ manifest: sized, state: "ready", accepted: true }],
    servers: { teacher: true, judge: true },
    gpus: ["NVIDIA H100"],
  };
  assertEquals(nextSteps(full, ready), [last]);
  assertEquals(renderLines(downloadLines(ready)), "  nothing  all is here");
  assertStringIncludes(renderLines(licenceLines(ready)), "CC BY 4.0");
  const own = { ...ready, own: [{ name: "ward", here: false }, { name: "clinic", here: true }] };
  assertEquals(nextSteps(full, own), ["./lab data add FOLDER --name ward", last]);
  assertStringIncludes(renderLines(licenceLines(own)), "ward     your own (not added yet)");
  assertStringIncludes(
    nextSteps(full, { ...bare, freeDisk: 1e6 })[0],
    "make room: 244 MB are needed, 1 MB are free",
  );
  assertEquals(nextSteps(loadConfig({ LIMIT: "3" }), ready), ["./lab run 00 --scale tiny --limit 3"]);
});

Deno.test("a plan names the data sets that the notebooks read", async () => {
  const message = await corporaFolder(full).then(() => "", (error: Error) => error.message);
  const missing = [...message.matchAll(/\.\/lab data (\w+)/g)].map(([, name]) => name);
  const here: string[] = [];
  for (const name of NEEDED_DATASETS) {
    if (await Deno.stat(join(paths.local, name)).catch(() => null)) here.push(name);
  }
  assertEquals([...missing, ...here].sort(), [...NEEDED_DATASETS].sort());
  for (const name of NEEDED_DATASETS) await readManifest(join(paths.data, "datasets"), name);
});

Deno.test("./lab plan shows a tiny and a full plan without asking any server", async () => {
  const plan = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--deny-net", "--quiet", join(paths.root, "lib/cli/main.ts"), "plan", ...args],
    }).output();
    return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  };
  const [tiny, whole, wrong] = await Promise.all([
    plan(),
    plan("--scale", "full"),
    plan("--gpu-hour", "much"),
  ]);
  assertEquals([tiny.code, whole.code, wrong.code], [0, 0, 2], tiny.text + whole.text);
  assertStringIncludes(tiny.text, "01_data");
  assertStringIncludes(tiny.text, "./lab demo");
  for (const name of NEEDED_DATASETS) assertStringIncludes(whole.text, name);
  assert(!whole.text.includes("NaN") && !whole.text.includes("undefined"));
});

Deno.test("bytes are written in powers of ten with three digits", () => {
  assertEquals(
    [0, 812, 2_960_000, 18_900_000_000, 999_600].map(formatBytes),
    ["0 bytes", "812 bytes", "2.96 MB", "18.9 GB", "1 MB"],
  );
});
