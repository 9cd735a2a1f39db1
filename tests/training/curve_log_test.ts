import { assertAlmostEquals, assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { paths } from "../../lib/config/mod.ts";
import { eventWriter, tf } from "../../lib/tensor/mod.ts";
import type { TrainingRecord } from "../../lib/training/mod.ts";
import { curveLog } from "../../lib/training/curve_log.ts";

const record = (step: number, validationLoss: number | null = null): TrainingRecord => ({
  step,
  loss: 2 / step,
  gradientNorm: 0.5 * step,
  learningRate: 1e-5,
  epoch: step / 4,
  seconds: step,
  examplesPerSecond: 12,
  validationLoss,
});

/** Reads event files in the order of their names with TensorFlow's own reader: step, tag and value of each number. */
const READER = `
import glob, json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import logging
logging.disable(logging.WARNING)
from tensorflow.python.summary.summary_iterator import summary_iterator
print(json.dumps([[[e.step, v.tag, v.simple_value] for f in sorted(glob.glob(folder + "/*tfevents*")) for e in summary_iterator(f)
                   for v in e.summary.value] for folder in sys.argv[1:]]))
`;

async function readEvents(...folders: string[]): Promise<[step: number, tag: string, value: number][][]> {
  const { success, stdout, stderr } = await new Deno.Command(join(paths.venv, "bin/python"), {
    args: ["-c", READER, ...folders],
    env: { KERAS_HOME: dirname(folders[0]) }, // TensorFlow's import writes Keras' settings, to HOME if nothing else is said
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test("TensorFlow reads a training's curves; one that goes on adds to them, one that begins anew replaces them", async () => {
  const dir = await Deno.makeTempDir(), [resumed, anew] = ["resumed", "anew"].map((name) => join(dir, name));
  const { numTensors } = tf.memory();
  const write = (folder: string, records: readonly TrainingRecord[]) => {
    using log = curveLog(folder);
    for (const one of records) log.write(one);
  };
  write(resumed, [record(1, 3), record(2)]);
  write(anew, [record(1, 3), record(2)]);
  await new Promise((done) => setTimeout(done, 1100)); // files are named by the second
  write(resumed, [record(2), record(3, 1.5)]);
  write(anew, [record(1, 4)]);
  // As a killed process leaves it: nothing closed it, and the second number took the first one to the disk.
  const unclosed = join(dir, "unclosed"), writer = eventWriter(unclosed);
  writer.write(1, { loss: 0.5 });
  await new Promise((done) => setTimeout(done, 2200));
  writer.write(2, { loss: 0.25 });
  const [added, replaced, cut] = await readEvents(resumed, anew, unclosed);
  writer[Symbol.dispose]();
  assertEquals(tf.memory().numTensors, numTensors);
  assertEquals(cut[0], [1, "loss", 0.5]);
  const of = (events: typeof added, tag: string) =>
    events.filter((event) => event[1] === tag).map(([step, , value]) => [step, value]);
  assertEquals(of(added, "loss/training").map(([step]) => step), [1, 2, 2, 3]);
  assertEquals(of(added, "loss/training").map(([, value]) => Math.fround(value)), [
    2,
    1,
    1,
    Math.fround(2 / 3),
  ]);
  assertEquals(of(added, "loss/validation"), [[1, 3], [3, 1.5]]);
  assertEquals(of(added, "gradient norm"), [[1, 0.5], [2, 1], [2, 1], [3, 1.5]]);
  assertAlmostEquals(of(added, "learning rate")[0][1], 1e-5, 1e-12);
  assertEquals(of(added, "examples per second").map(([, value]) => value), [12, 12, 12, 12]);
  assertEquals(of(replaced, "loss/validation"), [[1, 4]]);
  await Deno.remove(dir, { recursive: true });
});
