/** What `./lab test` says of its own traces: in the checkout, in HOME. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { checkoutState } from "@lib/cli/support/checkout.ts";
import { emptyHome, sameCheckout } from "./traces.ts";

const env = { ...Deno.env.toObject(), GIT_CEILING_DIRECTORIES: "" };

async function git(folder: string, ...args: string[]): Promise<boolean> {
  const own = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "-C", folder];
  try {
    return (await new Deno.Command("git", { args: [...own, ...args] }).output()).success;
  } catch {
    return false;
  }
}

/** Runs `fn` on a new folder, and returns what it wrote to standard error. */
async function said(fn: (folder: string) => Promise<void>): Promise<string> {
  const folder = await Deno.makeTempDir(), { error } = console, lines: string[] = [];
  console.error = (text: string) => void lines.push(text);
  try {
    await fn(folder);
  } finally {
    console.error = error;
    await Deno.remove(folder, { recursive: true });
  }
  return lines.join("\n");
}

const hasGit = await git(".", "--version");

Deno.test({
  name: "a file that is new, changed or gone fails the checkout's check and is named [needs git]",
  ignore: !hasGit,
  fn: async () => {
    const text = await said(async (folder) => {
      await Deno.writeTextFile(join(folder, "tracked.txt"), "a");
      await Deno.writeTextFile(join(folder, ".gitignore"), "build/");
      assert(await git(folder, "init", "-q"));
      assert(await git(folder, "add", "."));
      assert(await git(folder, "commit", "-q", "-m", "x"));
      await Deno.mkdir(join(folder, "mine"));
      await Deno.writeTextFile(join(folder, "mine/before.txt"), "");
      const state = async () => await checkoutState(folder, env), before = await state();
      assertEquals(before, ["?? mine/before.txt"]);
      await Deno.mkdir(join(folder, "build"));
      await Deno.writeTextFile(join(folder, "build/ignored.txt"), "");
      assertEquals(sameCheckout(before, await state()).passed, 1);
      await Deno.writeTextFile(join(folder, "mine/after.txt"), "");
      await Deno.writeTextFile(join(folder, "tracked.txt"), "b");
      await Deno.remove(join(folder, "mine/before.txt"));
      assertEquals(sameCheckout(before, await state()).failed, 1);
    });
    const lines = ["  now:  M tracked.txt", "  now: ?? mine/after.txt", "  before: ?? mine/before.txt"];
    assertEquals(text.split("\n").slice(1), lines);
  },
});

Deno.test("without git or a checkout the check is skipped, with a reason", async () => {
  await said(async (folder) => {
    // A folder inside another checkout is none either.
    const states = [await checkoutState(folder, env), await checkoutState(folder, { PATH: folder })];
    assertEquals(states, [null, null]);
    const { skipped, failed, reasons } = sameCheckout(states[0], states[1]);
    assertEquals([skipped, failed], [1, 0]);
    assertStringIncludes(Object.keys(reasons)[0], "no git");
  });
});

Deno.test("a home with anything in it fails the check and is listed, an empty one passes", async () => {
  const text = await said(async (folder) => {
    assertEquals((await emptyHome(folder)).passed, 1);
    await Deno.mkdir(join(folder, ".cache"));
    await Deno.writeTextFile(join(folder, ".cache/x"), "");
    assertEquals((await emptyHome(folder)).failed, 1);
  });
  assertEquals(text, "Written to HOME:\n  .cache/\n  .cache/x");
});
