import { readArgs } from "./command.ts";

export const usage = `usage: ./lab test

Format, lint, types, notebook cells, tests, TensorFlow.js's own specs, and every notebook at tiny scale in a temporary
folder; then whether HOME stayed empty and the checkout as it was. The last line counts them. LAB_DATA names a folder
with real files for the tests that need them; CHROME a browser, if none is found.`;

export async function run(args: string[]): Promise<void> {
  readArgs(args, {});
  const { runTests } = await import("../../tests/support/test_run.ts");
  if (await runTests() > 0) Deno.exit(1);
}
