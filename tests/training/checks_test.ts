/** Numbers of the closing checks: a broken stage must show in them. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { tf } from "@lib/tensor/mod.ts";
import { cellChecks, lifelessCells, lossFall, type TrainedCell } from "@lib/training/mod.ts";

Deno.test("the loss falls from the first measurement to the least, and not where it only rises or is not measured", () => {
  const fall = (...losses: (number | null)[]) =>
    lossFall(losses.map((validationLoss) => ({ validationLoss })));
  assertAlmostEquals(fall(3, null, 1.5, 2)!, 1.5);
  assertEquals(fall(2, 3, 4), 0);
  assertEquals(fall(null, null), null);
  assert(Number.isNaN(fall(2, NaN)));
});

Deno.test("an untrained adapter and one that is not finite are named; the median fall counts, and the least gain", () => {
  const cell = (name: string, b: number, losses: number[], low: number): TrainedCell => ({
    adapter: {
      params: { "layer.lora_A.weight": tf.ones([2, 3]), "layer.lora_B.weight": tf.fill([3, 2], b) },
    } as unknown as TrainedCell["adapter"],
    curve: losses.map((validationLoss) => ({ cell: name, validationLoss })) as TrainedCell["curve"],
    gain: { cell: name, low } as TrainedCell["gain"],
  });
  const cells = [
    cell("good", 0.1, [3, 1], 0.9),
    cell("untrained", 0, [3, 2.5], 0.4),
    cell("broken", NaN, [3, 0], 1.2),
  ];
  assertEquals(lifelessCells(cells), ["untrained", "broken"]);
  assertEquals(cellChecks(cells), { fall: 2, gain: 0.4 });
  assertEquals(cellChecks([]), { fall: null, gain: null });
});
