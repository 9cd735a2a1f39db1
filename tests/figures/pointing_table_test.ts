/** Rows and panels of the saliency notebook. */
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { mapPanels, pointingFigure } from "@lib/figures/mod.ts";
import { aheadRows, areaRows, gainRows } from "@lib/report/mod.ts";

Deno.test("pointing games are drawn with their intervals in percent, types beside each other and the mass of all", () => {
  const [pointing, mass] = [{ estimate: 0.25, low: 0.2, high: 0.35 }, { estimate: 0.1, low: 0.1, high: 0.1 }];
  const game = (question: string, map: string) => ({ ...{ question, map, images: 9 }, pointing, mass });
  const games = ["type", "all"].flatMap((type) => ["rollout", "centre"].map((map) => game(type, map)));
  const { data, layout } = pointingFigure(games, { title: "t", provenance: "p" });
  const drawn = data as unknown as {
    name: string;
    xaxis: string;
    x: number[];
    y: number[];
    error_x: { array: number[]; arrayminus: number[] };
  }[];
  assertEquals(
    drawn.map(({ name, xaxis, x, y }) => [name, xaxis, x, y]),
    ["x", "x2", "x3"].flatMap((axis, i) => [
      ["map", axis, [i < 2 ? 25 : 10], [0]],
      ["baseline", axis, [i < 2 ? 25 : 10], [1]],
    ]),
  );
  [drawn[0].error_x.array, drawn[0].error_x.arrayminus].forEach(([off], i) =>
    assertAlmostEquals(off, [10, 5][i])
  );
  assertEquals((layout.yaxis as { ticktext: string[] }).ticktext, ["rollout", "centre"]);
  const ranges = ["xaxis", "xaxis2", "xaxis3"].map((name) => (layout[name] as { range?: number[] }).range);
  assertEquals(ranges, [[0, 102], [0, 102], undefined], "types are read beside each other");
});

Deno.test("what rollout fails against is said so", () => {
  const gain = (question: string, low: number) => ({
    ...{ question, baseline: "centre" as const, rollout: 0.35, other: 0.3 },
    difference: { estimate: 0.05, low, high: 0.2 },
  });
  assertEquals(gainRows([gain("type", 0.01), gain("all", -0.0001)]), [
    {
      "rollout minus": "centre",
      type: "5.0 [1.0, 20.0]",
      all: "5.0 [0.0, 20.0]",
      "ahead over all": "no: fails",
    },
  ]);
});

Deno.test("faithfulness: an area for each order, and a map is ahead only where it is of every order without the answer", () => {
  const interval = (estimate: number) => ({ estimate, low: estimate - 0.1, high: estimate + 0.1 });
  const row = (kind: "deletion" | "insertion", ...[random, contrast]: number[]) => ({
    ...{ order: "rollout" as const, kind, area: interval(-2) },
    ahead: { "random": interval(random), "local contrast": interval(contrast) },
  });
  const other = { order: "random" as const, kind: "deletion" as const, area: interval(-0.001), ahead: {} };
  const rows = [row("deletion", 0.5, 0.2), row("insertion", 0.5, 0.04), other];
  assertEquals(areaRows(rows), [
    {
      "patches in the order of": "rollout",
      "area under deletion": "-2.00 [-2.10, -1.90]",
      "area under insertion": "-2.00 [-2.10, -1.90]",
    },
    { "patches in the order of": "random", "area under deletion": "0.00 [-0.10, 0.10]" },
  ]);
  assertEquals(aheadRows(rows), [
    {
      ...{ "map": "rollout", "kind": "deletion", "minus random": "0.50 [0.40, 0.60]" },
      ...{ "minus local contrast": "0.20 [0.10, 0.30]", "ahead of all": "yes" },
    },
    {
      ...{ "map": "rollout", "kind": "insertion", "minus random": "0.50 [0.40, 0.60]" },
      ...{ "minus local contrast": "0.04 [-0.06, 0.14]", "ahead of all": "no" },
    },
  ]);
});

Deno.test("the image stands before its maps, each with the same grid", () => {
  const map = new Float32Array(6);
  assertEquals(mapPanels([{ title: "lung", map }], { rows: 2, columns: 3 }, "outlined"), [
    { title: "outlined", map: null, rows: 2, columns: 3 },
    { title: "lung", map, rows: 2, columns: 3 },
  ]);
  assertEquals(mapPanels([], { rows: 2, columns: 3 })[0].title, "image");
});
