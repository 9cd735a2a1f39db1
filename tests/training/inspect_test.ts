/** What learners look at before training. */
import { assertEquals } from "@std/assert";
import { whatModelSees } from "@lib/training/mod.ts";

Deno.test("an image is shown in the size and with the pixels that the model gets", async () => {
  const data = Uint8Array.from({ length: 12 }, (_, i) => i);
  const asked: string[] = [];
  const store = {
    size: 2,
    get: (path: string) => (asked.push(path), Promise.resolve(data)),
    fill: () => Promise.resolve(),
  };
  assertEquals(await whatModelSees(store, "a.png"), { width: 2, height: 2, data });
  assertEquals(asked, ["a.png"]);
});
