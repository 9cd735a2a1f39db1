/** Stand-in for jsr:@std/assert: the functions this project uses, with the same signatures. */
import nodeAssert from "node:assert";

/** Error of a failed assertion. */
export class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

const fail = (message: string, note?: string): never => {
  throw new AssertionError(note ? `${message}: ${note}` : message);
};

/** Fails unless `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Fails unless both values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  try {
    nodeAssert.deepStrictEqual(actual, expected);
  } catch (error) {
    fail(`Values are not equal${msg ? `: ${msg}` : ""}.\n${(error as Error).message}`);
  }
}

/** Fails unless the numbers differ by at most `tolerance`. */
export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, msg?: string): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  if (!(Math.abs(expected - actual) <= allowed)) {
    fail(`Expected ${actual} to be within ${allowed} of ${expected}`, msg);
  }
}

function checkError<E extends Error>(
  error: unknown,
  errorClass?: ErrorClass<E>,
  includes?: string,
  msg?: string,
): unknown {
  if (!errorClass) return error;
  if (!(error instanceof Error)) return fail("A non-Error object was thrown", msg);
  if (!(error instanceof errorClass)) {
    fail(`Expected error to be instance of "${errorClass.name}", but was "${error.constructor.name}"`, msg);
  }
  if (includes !== undefined && !error.message.includes(includes)) {
    fail(
      `Expected error message to include ${JSON.stringify(includes)}, but got ${
        JSON.stringify(error.message)
      }`,
      msg,
    );
  }
  return error;
}

/** The expectation of both functions below, whose second argument may be a message in place of a class. */
const expectedError = <E extends Error>(
  [first, ...rest]: [msg?: string] | [ErrorClass<E>, string?, string?],
): [ErrorClass<E> | undefined, string | undefined, string | undefined] =>
  typeof first === "function" ? [first, rest[0], rest[1]] : [undefined, undefined, first];

/** Fails unless `fn` throws, an error of the class and with the text in its message where these are given. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  ...expected: [msg?: string] | [ErrorClass<E>, string?, string?]
): unknown {
  const [errorClass, msgIncludes, msg] = expectedError(expected);
  try {
    fn();
  } catch (error) {
    return checkError(error, errorClass, msgIncludes, msg);
  }
  return fail("Expected function to throw", msg);
}

/** Fails unless the promise of `fn` is rejected, by such an error where class and text are given. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error>(
  fn: () => PromiseLike<unknown>,
  ...expected: [msg?: string] | [ErrorClass<E>, string?, string?]
): Promise<unknown> {
  const [errorClass, msgIncludes, msg] = expectedError(expected);
  try {
    await fn();
  } catch (error) {
    return checkError(error, errorClass, msgIncludes, msg);
  }
  return fail("Expected function to reject", msg);
}

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) {
    fail(`Expected ${JSON.stringify(actual)} to contain ${JSON.stringify(expected)}`, msg);
  }
}

/** Fails unless `actual` matches. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) fail(`Expected ${JSON.stringify(actual)} to match ${expected}`, msg);
}
