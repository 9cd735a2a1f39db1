import { addCurve, type Canvas, type Ellipse, paintEllipse } from "./canvas.ts";
import { type Label, labelIndex, type Modality, type Organ, type Region, type Style } from "./names.ts";

/** A place where a lesion may grow: an organ, or one half of the brain. */
export interface Carrier {
  organ: Organ;
  x: number;
  y: number;
  a: number;
  b: number;
}

/** What was drawn. */
export interface Anatomy {
  /** Visible structures, each once, in drawing order. */
  organs: Label[];
  carriers: Carrier[];
}

/** Half axes of an enlarged heart, spleen or ventricle, relative to the common ones; their own spread is 0.9 to 1.1. */
const ENLARGED: Partial<Record<Label, number>> = { heart: 1.45, spleen: 1.45, ventricle: 1.8 };

/**
 * Draws the anatomy of a region as a few ellipses per organ, in its normal situs: heart and spleen on the patient's
 * left, the liver on the right.
 *
 * Outlines that are nested (fat and body, skull and brain) share one jitter; organs move, grow and turn on their own.
 * Intensities of organs that carry lesions stay at or below 0.62, so that a lesion 0.34 brighter is not clipped.
 * In the shifted style MR changes from T1-like (dark fluid, bright fat) to T2-like (bright fluid, bright spleen).
 *
 * @param enlarged whether the structure of the region whose size is asked about (MEASURED) is larger than normal
 */
export function drawAnatomy(
  canvas: Canvas,
  modality: Modality,
  region: Region,
  style: Style,
  enlarged: boolean,
  random: () => number,
): Anatomy {
  const uniform = (low: number, high: number) => low + (high - low) * random();
  const vary = (value: number, by = 0.05) => value + uniform(-by, by);
  const growX = uniform(0.94, 1.06), growY = uniform(0.94, 1.06);
  const anatomy: Anatomy = { organs: [], carriers: [] };

  const paint = (label: Label, e: Omit<Ellipse, "label">) => {
    paintEllipse(canvas, { ...e, label: labelIndex(label) });
    if (label !== "tissue" && label !== "ventricle" && label !== "air" && !anatomy.organs.includes(label)) {
      anatomy.organs.push(label);
    }
  };
  /** A structure on the common jitter: skin, fat, skull, brain. */
  const outline = (label: Label, a: number, b: number, value: number, softness = 0.05, y = 0) =>
    paint(label, { x: 0, y, a: a * growX, b: b * growY, tilt: 0, value, softness });
  /** A structure with its own jitter; `carrier` lets lesions grow in it. */
  const organ = (
    label: Label,
    x: number,
    y: number,
    a: number,
    b: number,
    value: number,
    tilt = 0,
    carrier = false,
  ) => {
    const grown = enlarged ? ENLARGED[label] ?? 1 : 1;
    const e = {
      x: vary(x, 0.03),
      y: vary(y, 0.03),
      a: a * grown * uniform(0.9, 1.1),
      b: b * grown * uniform(0.9, 1.1),
      tilt: vary(tilt, 0.1),
      value,
      softness: 0.25,
    };
    paint(label, e);
    if (carrier) anatomy.carriers.push({ organ: label as Organ, x: e.x, y: e.y, a: e.a, b: e.b });
  };
  const ct = modality === "ct", t2 = modality === "mri" && style === "shifted";

  if (modality === "x-ray") {
    canvas.values.fill(vary(0.12, 0.04));
    outline("tissue", 0.85, 1.1, vary(0.55), 0.15, 0.1);
    const lung = vary(0.25);
    organ("lung", -0.38, -0.02, 0.27, 0.55, lung, 0.08, true);
    organ("lung", 0.38, -0.02, 0.27, 0.55, lung, -0.08, true);
    paint("spine", { x: 0, y: 0, a: 0.08, b: 1.05, tilt: 0, value: vary(0.74), softness: 0.6 });
    organ("heart", 0.13, 0.25, 0.22, 0.25, vary(0.7), 0.4);
    for (const side of [-1, 1]) {
      for (let rib = -4; rib <= 4; rib++) {
        addCurve(
          canvas,
          curve((t) => [side * (0.08 + 0.6 * t), rib * 0.2 + 0.22 * t * t - 0.1]),
          0.09,
        );
      }
      addCurve(canvas, curve((t) => [side * (0.05 + 0.6 * t), -0.62 - 0.1 * t]), 0.2);
    }
  } else if (region === "chest") {
    outline("tissue", 0.9, 0.68, vary(0.5), 0.06);
    for (let k = 0; k < 12; k++) {
      const angle = (k / 12) * 2 * Math.PI;
      const x = 0.81 * growX * Math.cos(angle), y = 0.6 * growY * Math.sin(angle);
      paint("tissue", { x, y, a: 0.055, b: 0.04, tilt: angle + Math.PI / 2, value: 0.92, softness: 0.25 });
    }
    const lung = vary(0.16);
    organ("lung", -0.42, -0.02, 0.3, 0.44, lung, 0.1, true);
    organ("lung", 0.42, -0.02, 0.3, 0.44, lung, -0.1, true);
    organ("heart", 0.12, -0.1, 0.2, 0.22, vary(0.62), 0.4);
    organ("spine", 0, 0.45, 0.1, 0.1, 0.92);
  } else if (region === "abdomen") {
    outline("tissue", 0.92, 0.7, vary(ct ? 0.25 : t2 ? 0.5 : 0.82));
    outline("tissue", 0.82, 0.6, vary(ct ? 0.38 : 0.28));
    const liver = ct ? 0.57 : t2 ? 0.38 : 0.54,
      spleen = ct ? 0.55 : t2 ? 0.56 : 0.48,
      kidney = ct ? 0.58 : 0.56;
    organ("liver", -0.42, -0.12, 0.34, 0.3, vary(liver, 0.04), 0.3, true);
    organ("spleen", 0.52, -0.08, 0.17, 0.24, vary(spleen, 0.04), -0.3, true);
    const both = vary(kidney, 0.04);
    organ("kidney", -0.3, 0.3, 0.15, 0.19, both, 0.3, true);
    organ("kidney", 0.3, 0.3, 0.15, 0.19, both, -0.3, true);
    organ("spine", 0, 0.42, 0.1, 0.1, vary(ct ? 0.9 : 0.14));
  } else {
    outline("skull", 0.72, 0.88, vary(ct ? 0.94 : t2 ? 0.5 : 0.75, 0.03), 0.04);
    if (!ct) outline("skull", 0.66, 0.82, vary(0.1, 0.03), 0.04);
    outline("brain", 0.6, 0.76, vary(ct ? 0.45 : t2 ? 0.42 : 0.56), 0.05);
    const fluid = vary(ct ? 0.22 : t2 ? 0.86 : 0.14, 0.03);
    paint("brain", { x: 0, y: 0, a: 0.018, b: 0.72 * growY, tilt: 0, value: fluid, softness: 0.8 });
    organ("ventricle", -0.09, -0.02, 0.05, 0.22, fluid, 0.15);
    organ("ventricle", 0.09, -0.02, 0.05, 0.22, fluid, -0.15);
    for (const x of [-0.3, 0.3]) anatomy.carriers.push({ organ: "brain", x, y: 0, a: 0.26, b: 0.6 });
  }
  return anatomy;
}

/** 60 points of a curve given over 0..1: dense enough for a line without gaps. */
function curve(at: (t: number) => [number, number]): [number, number][] {
  return Array.from({ length: 60 }, (_, k) => at(k / 59));
}
