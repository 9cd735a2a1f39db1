import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { delay } from "@std/async";
import { exists } from "@std/fs";
import { fromFileUrl } from "@std/path";
import { sha256File } from "../../lib/config/mod.ts";
import { decodeImage, fingerprint, imagePool, resizeBicubic } from "../../lib/image/mod.ts";
import { inOrder, workerPool } from "../../lib/config/mod.ts";

const fixtures = fromFileUrl(new URL("./fixtures/", import.meta.url));
const folders = ["pictures", "deviations", "dicom"];
const files = folders.flatMap((folder) =>
  [...Deno.readDirSync(`${fixtures}${folder}`)].filter((f) => f.isFile)
    .map((file) => `${fixtures}${folder}/${file.name}`)
).sort();
const slow = new URL("./slow_worker.ts", import.meta.url);
const failing = new URL("./failing_worker.ts", import.meta.url);

Deno.test("a pool gives for every fixture what the main thread gives, in order", async () => {
  await using pool = imagePool(2);
  const outcome = async <T>(work: () => Promise<T>) => {
    try {
      return await work();
    } catch (error) {
      return (error as Error).message;
    }
  };
  const ours = [];
  for await (
    const facts of pool.map(files, (path) => outcome(() => pool.inspect(path)))
  ) ours.push(facts);
  const resized = [];
  for await (
    const image of pool.map(files, (path) => outcome(() => pool.preprocess(path, 56)))
  ) resized.push(image);
  assert(files.length > 40);
  for (const [i, path] of files.entries()) {
    const sha256 = await sha256File(path);
    assertEquals(
      ours[i],
      await outcome(async () => {
        const image = await decodeImage(path), { width, height, notes = [] } = image;
        return { sha256, width, height, notes, fingerprint: fingerprint(image) };
      }),
      path,
    );
    assertEquals(
      resized[i],
      await outcome(async () => ({ rgb: resizeBicubic(await decodeImage(path), 56, 56).data })),
      path,
    );
  }
});

Deno.test("a missing, damaged or empty file is an error that names it, and the pool goes on", async () => {
  const dir = await Deno.makeTempDir();
  const good = `${fixtures}pictures/grey.png`;
  await Deno.writeFile(`${dir}/half.png`, (await Deno.readFile(good)).slice(0, 200));
  await Deno.writeFile(`${dir}/empty.png`, new Uint8Array());
  await using pool = imagePool(1);
  for (const name of ["none.png", "half.png", "empty.png"]) {
    await assertRejects(() => pool.preprocess(`${dir}/${name}`, 28), Error, `${dir}/${name}`);
  }
  await assertRejects(() => pool.preprocess(good, 0), Error, "0x0");
  assertEquals((await pool.preprocess(good, 28)).rgb.length, 28 * 28 * 3);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("what a task throws reaches its caller; others are not touched", async () => {
  await using pool = workerPool<number, number>(failing, 2);
  const settled = await Promise.allSettled([2, 3, 4, 5, 6].map((x) => pool.run(x)));
  assertEquals(
    settled.map((s) => s.status === "fulfilled" ? s.value : s.reason.message),
    [4, "3 is odd", 8, "5 is odd", 12],
  );
});

Deno.test("a worker that dies fails the task it had; another takes its place", async () => {
  await using pool = workerPool<number, number>(failing, 1);
  const dying = pool.run(100), after = pool.run(8);
  await assertRejects(() => dying, Error, "A worker died of 100: ");
  assertEquals(await after, 16);
});

Deno.test("a script that does not load is an error, not a wait", async () => {
  await using pool = workerPool<number, number>(new URL("./no_such_worker.ts", import.meta.url), 1);
  await assertRejects(() => pool.run(2), Error, "A worker died of 2: ");
  assertThrows(() => workerPool(failing, 0), RangeError, "found 0");
});

Deno.test("closing ends a task that would take a minute, and refuses later ones", async () => {
  const pool = workerPool<number, number>(failing, 1);
  const long = pool.run(1000), waiting = pool.run(2);
  const both = Promise.allSettled([long, waiting]), began = performance.now();
  const closed = pool.close();
  for (const end of await both) assertEquals(end.status, "rejected");
  assert(performance.now() - began < 500, "they are rejected at once");
  await closed;
  await pool.close();
  assert(performance.now() - began < 10_000, "its worker is not waited for");
  await assertRejects(() => pool.run(2), Error, "was closed");
});

Deno.test("a worker that is at a task when its pool is closed ends it first, and begins no other", async () => {
  const dir = await Deno.makeTempDir(), told = `${dir}/told`;
  const pool = workerPool<{ path: string; word: string }, number>(slow, 1, { held: 2 });
  const [first, second] = ["a", "b"].map((word) => pool.run({ path: told, word }).catch(() => 0));
  while (!await exists(told)) await delay(10);
  const closed = pool.close();
  await Deno.writeTextFile(`${told}.go`, "");
  await closed;
  assertEquals([await first, await second], [0, 0]);
  assertEquals(await Deno.readTextFile(told), "a begun\na ended\n");
  await Deno.remove(dir, { recursive: true });
});

Deno.test("an abort signal ends the pool with its reason, before or after", async () => {
  const controller = new AbortController();
  const pool = workerPool<number, number>(failing, 1, { signal: controller.signal });
  const long = pool.run(1000);
  controller.abort(new Error("enough"));
  await assertRejects(() => long, Error, "enough");
  await assertRejects(() => pool.run(2), Error, "enough");
  await using late = imagePool(1, { signal: controller.signal });
  await assertRejects(() => late.inspect("x"), Error, "enough");
});

Deno.test("results that nobody takes hold the next tasks back, and the first failure in order is thrown", async () => {
  let started = 0;
  const numbers = Array.from({ length: 50 }, (_, i) => i);
  const slowFirst = inOrder(numbers, 4, async (i) => {
    started++;
    await new Promise((resolve) => setTimeout(resolve, i % 2 ? 1 : 3));
    if (i === 20 || i === 21) throw new Error(`no ${i}`);
    return i;
  });
  assertEquals((await slowFirst.next()).value, 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(started, 4);
  const taken: number[] = [];
  await assertRejects(
    async () => {
      for await (const i of slowFirst) taken.push(i);
    },
    Error,
    "no 20",
  );
  assertEquals(taken, numbers.slice(1, 20));
});

Deno.test("a worker that dies fails all the tasks it holds; those of the others and later ones are done", async () => {
  await using pool = workerPool<number, number>(failing, 2, { held: 3 });
  const settled = await Promise.allSettled([100, 2, 4, 6, 8, 10, 12, 14].map((x) => pool.run(x)));
  const done = settled.flatMap((s) => s.status === "fulfilled" ? [s.value] : []);
  assertEquals(settled[0].status, "rejected");
  assert(done.length >= 4, `${done}`);
  for (const end of settled) {
    if (end.status === "rejected") assert(end.reason.message.startsWith("A worker died of "), end.reason);
  }
});
