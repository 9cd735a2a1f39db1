/** Intervals, paired tests, agreement, detectable differences and the scaling law. */
export * from "./bootstrap.ts";
export * from "./chi_square.ts";
export * from "./chinese.ts";
export * from "./clustered.ts";
export * from "./kappa.ts";
export * from "./paired.ts";
export { smallestDetectableDifference, wilsonInterval } from "./proportion.ts";
export * from "./rouge.ts";
export * from "./scaling_law.ts";
export * from "./sign_flip.ts";
export * from "./student.ts";
export * from "./summary.ts";
export * from "./trials.ts";
