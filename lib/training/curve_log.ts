import { type EventWriter, eventWriter } from "../tensor/mod.ts";
import type { TrainingRecord } from "./fit.ts";

/** A training's curves on disk as they grow. */
export interface CurveLog extends Disposable {
  write(record: TrainingRecord): void;
}

/**
 * Curves as event files in a folder. A training that goes on adds a file, in which the steps since its checkpoint come once
 * more, the same; one that begins anew replaces those that are there.
 */
export function curveLog(folder: string): CurveLog {
  let writer: EventWriter | undefined;
  return {
    write({ step, loss, validationLoss, gradientNorm, learningRate, examplesPerSecond }) {
      if (step === 1) removeIfThere(folder);
      writer ??= eventWriter(folder);
      writer.write(step, {
        "loss/training": loss,
        ...(validationLoss === null ? {} : { "loss/validation": validationLoss }),
        "gradient norm": gradientNorm,
        "learning rate": learningRate,
        "examples per second": examplesPerSecond,
      });
    },
    [Symbol.dispose]: () => writer?.[Symbol.dispose](),
  };
}

function removeIfThere(folder: string): void {
  try {
    Deno.removeSync(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
