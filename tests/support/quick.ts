/**
 * Tests that `./lab test --quick` leaves out, since they take minutes or start other processes: folders of tests/, and
 * files in them. All others are quick, those that are written next too.
 */
const SLOW: readonly string[] = [
  "answers/kept_answers_test.ts",
  "artifacts/arrow_frame_test.ts",
  "artifacts/open_table_test.ts",
  "audit/copies_test.ts",
  "bench",
  "cli",
  "corpus/damage_test.ts",
  "download",
  "evaluation/grading_browser_test.ts",
  "answers/seeds_test.ts",
  "figures/chromium_test.ts",
  "full",
  "jsr_stand_in",
  "jupyter",
  "launcher",
  "llm",
  "model",
  "nano/measure_test.ts",
  "notebooks",
  "saliency",
  "support/check_notebooks_test.ts",
  "synthesis/review_browser_test.ts",
  "tensor",
  "training",
];

/** What `./lab test --quick` leaves out, by name. */
export const LEFT_OUT: readonly string[] = [
  "the course",
  "TensorFlow.js's specs",
  "tests as on other processors",
  ...SLOW.map((place) => `tests/${place}`),
];

/** Whether a test file, such as "tests/stats/kappa_test.ts", is one of those that `./lab test --quick` runs. */
export const isQuick = (file: string): boolean =>
  !SLOW.some((place) => file === `tests/${place}` || file.startsWith(`tests/${place}/`));
