import { UsageError } from "../command.ts";

/**
 * What the user is told of an error: the message of a plain Error, and for a file that is not there, or is not a file,
 * its path and the system's reason. Null for any other error: a defect, whose place matters.
 */
export function plainSentence(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (error.constructor === Error || error instanceof UsageError) return error.message;
  const [, reason, path] = error.message.match(/^(.+) \(os error \d+\): \w+ '(.*?)'/s) ?? [];
  return path === undefined ? null : `${path}: ${reason[0].toLowerCase()}${reason.slice(1)}.`;
}
