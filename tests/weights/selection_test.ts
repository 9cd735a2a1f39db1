import { assert, assertEquals, assertMatch } from "@std/assert";
import { type PaliGemmaConfig } from "@lib/weights/mod.ts";
import { canonicalName } from "@lib/weights/names.ts";
import { pythonFullMatch } from "../../lib/weights/pattern.ts";
import { selectionProblems } from "../../lib/weights/targets.ts";
import { TINY } from "./make.ts";

interface Chosen {
  target_modules: string | string[];
  exclude_modules?: string | string[] | null;
  modules_to_save?: string[] | null;
  layers_to_transform?: number | number[] | null;
  layers_pattern?: string | string[] | null;
}
const { cases }: { cases: { asked: Chosen; written: Chosen; modules: string[] }[] } = JSON.parse(
  Deno.readTextFileSync(new URL("./fixtures/selections.json", import.meta.url)),
);

const CONFIG: PaliGemmaConfig = {
  ...TINY,
  vision: { ...TINY.vision, hiddenSize: 8, imageSize: 8 },
  text: { ...TINY.text, heads: 2 },
};

const selection = (c: Chosen) => ({
  targets: c.target_modules,
  excluded: c.exclude_modules,
  saved: c.modules_to_save,
  layers: c.layers_to_transform,
  layersPattern: c.layers_pattern,
});

Deno.test("the keys that choose modules choose those that PEFT adapts, as asked for and as PEFT writes them", () => {
  assert(cases.length >= 20);
  for (const { asked, written, modules } of cases) {
    const stored = modules.map(canonicalName);
    for (const config of [asked, written]) {
      assertEquals(selectionProblems(stored, selection(config), CONFIG), [], JSON.stringify(config));
      assertEquals(selectionProblems(stored.slice(0, -1), selection(config), CONFIG).length, 1);
    }
  }
});

Deno.test("Python's patterns match as Python matches them", () => {
  const cases: [string, string, boolean][] = [
    ["\\A.*q_proj\\Z", "a.q_proj", true],
    ["(?:a|bc)+d?", "abcbca", true],
    ["(?P<x>a{2,3})b{,1}", "aaab", true],
    ["a{2,3}", "aaaa", false],
    ["[^\\d.]+", "abc", true],
    ["[]a-c-]+", "a]-c", true],
    ["^(?!.*lm_head).*(q|v)_proj$", "x.lm_head.q_proj", false],
    [".*(?<!out_)proj", "out_proj", false],
    [".*\\bq_proj", "self_attn.q_proj", true],
    ["\\x61\\.", "a.", true],
    ["", "", true],
    ["a|", "", true],
    ["{a}", "{a}", true],
    ["a{}", "a{}", true],
    ["a{1,2", "a{1,2", true],
    ["a{,}", "aaa", true],
    ["a{,}b", "b", true],
    ["a{1000}", "a".repeat(1000), true],
    ["[a-]+", "a-a", true],
    ["[^]]", "]", false],
    ["^a", "a", true],
    ["a^b", "ab", false],
    ["a$", "a", true],
    ["a$b", "ab", false],
    ["a$\\n", "a\n", true],
    ["a$\\n\\n", "a\n\n", false],
    ["\\Ba", "a", false],
  ];
  for (const [pattern, text, expected] of cases) {
    assertEquals(pythonFullMatch(pattern)(text), expected, pattern);
  }
});

Deno.test("no pattern takes long, and what is no pattern is said to be none", () => {
  const start = performance.now(), path = "a".repeat(200);
  const slow = ["(a+)+b", "(a|a)*b", "(.*)*(.*)*(.*)*x", "(a?){60}a{60}b", "(?=(a+)+$)(?!.*(a*)*c)a*b"];
  const nested = `${"(?=a*".repeat(30)}b${")".repeat(30)}a*`;
  for (const pattern of [...slow, nested]) assertEquals(pythonFullMatch(pattern)(path), false, pattern);
  for (
    const [pattern, expected] of [
      ["(", "does not end"],
      ["a)", "was not opened"],
      ["[a", "does not end"],
      ["*a", "repeats nothing"],
      ["a**", "repeats a repetition"],
      ["a{1001}", "too often"],
      ["a{1001,}", "too often"],
      ["a{1,1001}", "too often"],
      ["((a{1000}){1000}){1000}", "too large"],
      ["(".repeat(5000), "too deeply"],
      ["(a)\\1", 'the escape "\\1"'],
      ["(?i)a", "not supported"],
      ["(?P=x)", "not supported"],
      ["a\\", "backslash"],
    ]
  ) {
    const problems = selectionProblems([], { targets: pattern }, CONFIG);
    assertEquals(problems.length, 1);
    assertMatch(problems[0], /^the pattern ".*; write it otherwise, or list the modules$/s);
    assert(problems[0].includes(expected), problems[0]);
  }
  assert(performance.now() - start < 5000);
});
