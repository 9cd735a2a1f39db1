/** One worker of collective_test.ts. Usage: collective_script.ts sums|killed|stopped|absent|late */
import { sha256, workerPlace } from "@lib/config/mod.ts";
import { allGather } from "@lib/tensor/collective.ts";
import {
  allReduceSum,
  broadcast,
  dispose,
  jit,
  joinGroup,
  leaveGroup,
  shareItems,
  tf,
} from "@lib/tensor/mod.ts";

const [scenario] = Deno.args, started = performance.now();
const say = (value: unknown) => console.log(JSON.stringify(value));
try {
  const kept = scenario === "late" ? tf.ones([1]).square() : null;
  const group = await joinGroup(workerPlace()!, scenario === "absent" ? 1500 : undefined),
    { rank, size } = group;
  kept?.dispose();
  if (scenario === "killed" || scenario === "stopped") {
    say("joined");
    const one = tf.ones([1]);
    for (;;) {
      dispose(await allReduceSum(group, [one]));
      if (rank === size - 1) await new Promise(() => setInterval(() => {}, 1000)); // until the test ends it
    }
  }
  const before = tf.memory().numTensors;
  const scaled = jit((x: ReturnType<typeof tf.ones>) => tf.mul(x, rank + 1), { compiler: "xla" });
  const hashes: string[] = [];
  for (let round = 0; round < 200; round++) {
    const ones = tf.ones([2, 3]),
      own = [scaled(ones), tf.fill([5], Math.sin(rank + round)), tf.scalar(round)];
    const sums = await allReduceSum(group, own);
    hashes.push(sums.map((x) => x.dataSync().join()).join(";"));
    if (round === 1) say(sums.map((x) => [x.shape, Array.from(x.dataSync())]));
    dispose([ones, own, sums]);
  }
  say(sha256(hashes.join("\n")));
  const mine = { tensors: { b: tf.tensor2d([[1, 2.5]]), a: tf.scalar(-0) }, text: "Größe 3" };
  const got = await broadcast(group, rank === 0 ? mine : null);
  say([got.text, Object.entries(got.tensors).map(([name, x]) => [name, x.shape, Array.from(x.dataSync())])]);
  say((await broadcast(group, rank === 0 ? { tensors: {}, text: "" } : null)).text);
  say([await allGather(group, ["Größe", "", "x".repeat(70_000)][rank]), await allGather(group, "")]);
  say(
    await shareItems([1, 2, 3, 4, 5], group, (own) => Promise.resolve(own.map((x) => [rank, x * Math.PI]))),
  );
  dispose([got.tensors, mine.tensors]);
  await leaveGroup(group);
  say(tf.memory().numTensors - before);
} catch (error) {
  say({ error: (error as Error).message, ms: performance.now() - started });
}
Deno.exit(0);
