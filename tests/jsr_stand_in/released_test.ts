/**
 * The contract tests, and the types of library and tests, with the released packages. STD_REGISTRY names a folder that holds them as
 * JSR serves them (`@std/fs/meta.json`, ...); where this test run uses the stand-in, nothing else sees them.
 */
import { assertEquals } from "@std/assert";
import { join, resolve } from "@std/path";
import { paths } from "../../lib/config/mod.ts";

const registry = Deno.env.get("STD_REGISTRY");

async function withReleased(...args: string[]): Promise<void> {
  const url = new URL("file:///");
  url.pathname = `${resolve(registry!)}/`;
  const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: paths.root,
    env: { JSR_URL: url.href, NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assertEquals(code, 0, text.split("\n").filter((line) => !line.startsWith("Check ")).join("\n"));
}

Deno.test({
  name: "the contract tests pass with the released @std [needs STD_REGISTRY]",
  ignore: !registry,
  fn: () =>
    withReleased(
      "test",
      "-A",
      "--no-lock",
      "--no-check",
      join(paths.root, "tests/jsr_stand_in/stand_in_test.ts"),
    ),
});

Deno.test({
  name: "library and tests have no type error with the released @std [needs STD_REGISTRY]",
  ignore: !registry,
  fn: () => withReleased("check", "--no-lock", "lib", "tests"),
});
