import { assert, assertEquals } from "@std/assert";
import { phantomPath, phantomStore } from "@lib/nano/measure.ts";
import { COMBINATION_TYPES, combinationItems } from "./combinations.ts";
import { drawPhantom, isHeldOut } from "@lib/phantom/mod.ts";

Deno.test("held-out combinations are asked about beside trained ones with the same answers", async () => {
  const items = combinationItems(12, 9_500_000, "shifted"), store = phantomStore();
  const drawn = ({ seed, style, combinations }: typeof items.type.heldOut[number]) =>
    drawPhantom(seed, style, { combinations });
  for (const type of COMBINATION_TYPES) {
    const { heldOut, trained } = items[type];
    assertEquals([heldOut.length, trained.length], [12, 12]);
    for (const [i, item] of heldOut.entries()) {
      const other = trained[i], [mine, theirs] = [drawn(item), drawn(other)];
      assert(isHeldOut(mine) && !isHeldOut(theirs) && theirs.lesion !== null);
      assertEquals([item.type, item.answer], [type, type === "type" ? mine.lesion : mine.organ]);
      assertEquals(other.answer, item.answer);
      if (type === "organ") {
        assertEquals(other.seed, item.seed);
        assert(mine.lesion !== theirs.lesion);
      } else assert(mine.organ !== theirs.organ);
      const [shown, plain] = await Promise.all([item, other].map((one) => store.get(phantomPath(one))));
      assertEquals(shown.filter((_, at) => at % 3 === 0), mine.pixels);
      assertEquals(plain.filter((_, at) => at % 3 === 0), theirs.pixels);
    }
    assertEquals(new Set(trained.map(({ seed }) => seed)).size, 12);
  }
  assertEquals(combinationItems(12, 9_500_000, "shifted"), items);
});
