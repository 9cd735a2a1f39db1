import { assertEquals, assertThrows } from "@std/assert";
import { loadConfig } from "../../lib/config/mod.ts";
import { UsageError } from "../../lib/cli/command.ts";
import { readConfig } from "../../lib/cli/support/settings.ts";

Deno.test("settings change any key, in their order, and leave the preset as it is", () => {
  const set = [
    "seed=7",
    "stage2.rank=3",
    " stage2.rank = 4 ",
    'stage2.cells=["roco_v2__with"]',
    "model.checkpoint=folder with = and blank",
  ];
  const config = loadConfig({ LAB_SET: set.join("\n") });
  assertEquals([config.seed, config.stage2.rank, config.stage2.cells], [7, 4, ["roco_v2__with"]]);
  assertEquals(config.model.checkpoint, "folder with = and blank");
  const untouched = loadConfig({});
  assertEquals([untouched.seed, untouched.stage2.rank, untouched.stage2.cells], [2506, 12, null]);
});

for (
  const [setting, expected] of [
    ["stage2.rnak=4", 'no key "stage2.rnak"; at "rnak" there are rank'],
    ["stagetwo.rank=4", 'no key "stagetwo.rank"; at "stagetwo" there are seed'],
    ["seed.of=4", 'no key "seed.of"; at "seed" it is a value'],
    ["stage2=4", "group of keys; set one of rank"],
    ["stage2.rank", "expected KEY=VALUE"],
    ["stage2.rank=1.5", "stage2.rank is not valid"],
    ["stage2.rank=four", "stage2.rank is not valid"],
    ["seed=-1", "seed is not valid"],
    ["seed=1e99", "seed is not valid"],
    ["model.dtype=float64", "model.dtype is not valid"],
    ["toString=1", 'no key "toString"'],
    ["__proto__.x=1", 'no key "__proto__.x"'],
    ["scale=full", 'no key "scale"'],
  ]
) {
  Deno.test(`a setting is refused with what there is instead: ${setting}`, () => {
    assertThrows(() => loadConfig({ LAB_SET: setting }), Error, expected);
    assertThrows(() => readConfig({ set: [setting] }), UsageError, expected);
  });
}

Deno.test("the command line's settings come after those of the environment, and a kernel gets both", () => {
  Deno.env.set("LAB_SET", "seed=1\nstage2.rank=2");
  try {
    const { config, env } = readConfig({ scale: "tiny", limit: "3", set: ["seed=9"] });
    assertEquals([config.seed, config.stage2.rank, config.limit], [9, 2, 3]);
    assertEquals(loadConfig(env), config);
    Deno.env.set("SCALE", "huge");
    assertThrows(() => readConfig({ set: [] }), UsageError, 'SCALE is "huge"');
  } finally {
    Deno.env.delete("SCALE");
    Deno.env.delete("LAB_SET");
  }
});
