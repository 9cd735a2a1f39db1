import type { Tensor } from "@tensorflow/tfjs";
import { backend, tf } from "./backend.ts";

/** Writes numbers by step into an event file, which TensorBoard shows. */
export interface EventWriter extends Disposable {
  /** Adds values by name at a step. */
  write(step: number, values: Readonly<Record<string, number>>): void;
}

/** Milliseconds after which values are in the file. */
const FLUSH = 2_000;

/**
 * TensorFlow's own writer of event files (its summary operations, by tfjs-node): a new file in `folder`, which is made where
 * it is missing. What a killed process had written stays readable.
 */
export function eventWriter(folder: string): EventWriter {
  const writer = tf.tidy(() => {
    const made: Tensor = tf.keep(backend().summaryWriter(folder));
    backend().createSummaryFileWriter(made, folder, 100, FLUSH, "");
    return made;
  });
  return {
    write(step, values) {
      for (const [tag, value] of Object.entries(values)) {
        backend().writeScalarSummary(writer, step, tag, value);
      }
    },
    [Symbol.dispose]() {
      backend().executeMultipleOutputs("CloseSummaryWriter", [], [writer], 0);
      writer.dispose();
    },
  };
}
