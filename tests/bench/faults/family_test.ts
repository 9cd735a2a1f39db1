import { assertEquals } from "@std/assert";
import { familyOf, living } from "./family.ts";
import { within } from "@lib/cli/support/time.ts";

Deno.test("a family is followed through processes that end: an orphan stays a member, a stranger is none", async () => {
  const stranger = new Deno.Command("sleep", { args: ["60"] }).spawn();
  const parent = new Deno.Command("sh", { args: ["-c", "(sleep 61 & wait) & read line"], stdin: "piped" })
    .spawn();
  const family = familyOf(parent.pid),
    sleeps = () => living(family).filter(({ command }) => command.startsWith("sleep"));
  try {
    assertEquals(await within(10, () => sleeps().length === 1), true);
    const members = living(family).length;
    await parent.stdin.close();
    assertEquals((await parent.status).code, 1);
    assertEquals(living(family).length, members - 1);
    assertEquals(sleeps().map(({ command }) => command), ["sleep 61 "]);
  } finally {
    for (const { pid } of living(family)) Deno.kill(pid, "SIGKILL");
    stranger.kill();
    await stranger.status;
  }
  assertEquals(await within(10, () => living(family).length === 0), true);
});
