import { LEFT_OUT } from "../../tests/support/quick.ts";
import { readArgs } from "./command.ts";

export const usage = `usage: ./lab test [--quick]

Format, lint, types, notebook cells, the examples in lib, tests, TensorFlow.js's own specs, and every notebook at tiny
scale in a temporary folder; then whether HOME stayed empty and the checkout as it was. The last line counts them.
LAB_DATA names a folder with real files for the tests that need them; CHROME a browser, if none is found.
  --quick   a part that takes less than three minutes on two quiet cores. It leaves out
            ${LEFT_OUT.join(", ").match(/\S.{1,98}(?:,|$)/g)!.join("\n            ")}`;

export async function run(args: string[]): Promise<void> {
  const { options } = readArgs(args, { switches: ["quick"] });
  const { runTests } = await import("../../tests/support/test_run.ts");
  if (await runTests(options.quick) > 0) Deno.exit(1);
}
