/** Rows and panels of the saliency notebook. */
import { assertEquals } from "@std/assert";
import { mapPanels } from "@lib/figures/mod.ts";
import { pointingRows } from "@lib/report/mod.ts";

Deno.test("pointing games are shown as shares with their intervals", () => {
  const interval = { estimate: 0.25, low: 0.2, high: 0.3 };
  const [row] = pointingRows([{
    ...{ question: "type", map: "rollout", right: 2 / 3, images: 9 },
    ...{ pointing: interval, mass: { ...interval, estimate: 0.22 }, pointingGain: null, massGain: null },
  }]);
  assertEquals(Object.values(row), ["type", "rollout", "25.0% (20.0–30.0)", "22.0% (20.0–30.0)", "66.7%"]);
});

Deno.test("the image stands before its maps, each with the same grid", () => {
  const map = new Float32Array(6);
  assertEquals(mapPanels([{ title: "lung", map }], { rows: 2, columns: 3 }, "outlined"), [
    { title: "outlined", map: null, rows: 2, columns: 3 },
    { title: "lung", map, rows: 2, columns: 3 },
  ]);
  assertEquals(mapPanels([], { rows: 2, columns: 3 })[0].title, "image");
});
