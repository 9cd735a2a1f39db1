/** Intervals, paired tests, agreement, detectable differences and the scaling law. */
export { bootstrapInterval, bootstrapTotals, RESAMPLES } from "./bootstrap.ts";
export { chiSquareUniform } from "./chi_square.ts";
export { hanCount, isChinese, spacedHan, yesOrNo } from "./chinese.ts";
export {
  clusteredDifference,
  clusteredMean,
  type ClusteredShare,
  clusteredShare,
  detectableDifference,
} from "./clustered.ts";
export { type Agreement, clusteredKappa, cohenKappa } from "./kappa.ts";
export { comparePaired, holm, mcnemarExact, type PairedComparison } from "./paired.ts";
export { smallestDetectableDifference, wilsonInterval } from "./proportion.ts";
export { rouge, type RougeScores } from "./rouge.ts";
export {
  type LeftOut,
  type ScalingFit,
  type ScalingLaw,
  scalingLoss,
  type ScalingPoint,
} from "./scaling_law.ts";
export { signFlipTest } from "./sign_flip.ts";
export { type Interval, mean, median, percent, quantileOfSorted, std, Z95 } from "./summary.ts";
