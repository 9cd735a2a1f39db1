/**
 * Language models behind OpenAI-compatible servers: the teacher that writes question-answer pairs, filters, and the
 * judge. Requests are retried, journalled and resumable; the embedded server brings a small real model without network.
 *
 * @module
 */
export { type Endpoint, endpoint } from "./endpoint.ts";
export type { Parameter } from "./replicas.ts";
export { type Secret } from "./secret.ts";
export { isAnswer, LlmError, type LlmErrorKind, type TokenCounts } from "./error.ts";
export {
  complete,
  type Completion,
  type CompletionOptions,
  type CompletionRequest,
  type Message,
  type RetryOptions,
} from "./complete.ts";
export { type EmbeddedOptions, type EmbeddedServer, startEmbeddedServer } from "./embedded.ts";
export { type Job, type JobOutcome, type JobsOptions, runJobs } from "./jobs.ts";
export { answerOf } from "./reasoning.ts";
export { type JobProgress, progressNote } from "./progress.ts";
