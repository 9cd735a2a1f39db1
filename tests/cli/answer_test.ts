import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { run } from "../../lib/cli/answer.ts";
import { UsageError } from "../../lib/cli/command.ts";

Deno.test("./lab answer refuses what it does not know before a model is read", async () => {
  for (
    const [args, message] of [
      [[], "expected 1 arguments besides the options, found 0."],
      [["05"], 'there is nothing to answer for notebook "05"; expected 06 or 07.'],
      [["06", "--workers", "two"], '--workers is "two"; expected a positive whole number.'],
      [["07", "--set", "evaluation.run=4"], 'the configuration has no key "evaluation.run"'],
    ] as const
  ) await assertRejects(() => run([...args]), UsageError, message);
});

Deno.test("workers that find no runs to answer for end with the reason", async () => {
  const results = await Deno.makeTempDir();
  try {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--quiet", fromFileUrl(new URL("../../lib/cli/main.ts", import.meta.url))],
        ...["answer", "06", "--workers", "2"],
      ],
      env: { LAB_WORKERS: "", LAB_RESULTS: results, LAB_DEVICE: "cpu" },
      stdout: "null",
    }).output();
    const text = new TextDecoder().decode(stderr);
    assertEquals(code, 1);
    assertMatch(text, /^lab answer: the worker of rank [01] ended first/m);
    assertMatch(text, /Stage 01_data has no finished run/);
  } finally {
    await Deno.remove(results, { recursive: true });
  }
});
