import { parseArgs } from "@std/cli";

/** What a command's file exports. */
export interface Command {
  /** Shown by --help and after a usage error. */
  usage: string;
  /** @throws {UsageError} when the arguments are not understood; any other error says what went wrong. */
  run(args: string[]): Promise<void>;
}

/** The arguments of a command were not understood. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Options with a text (`--scale full`) and switches (`--record`); everything else is positional. */
export interface Options<S extends string, L extends string, B extends string> {
  values?: readonly S[];
  /** Options with a text that may be given several times. */
  lists?: readonly L[];
  switches?: readonly B[];
  /** How many positional arguments there must be, at least and at most. */
  positional?: readonly [number, number];
}

type ReadOptions<S extends string, L extends string, B extends string> =
  & { [name in S]?: string }
  & { [name in L]: string[] }
  & { [name in B]: boolean };

/**
 * Reads the arguments of a command.
 *
 * @throws {UsageError} on an unknown option, an option without its value, or too few or too many arguments.
 */
export function readArgs<
  const S extends string = never,
  const L extends string = never,
  const B extends string = never,
>(
  args: readonly string[],
  { values = [], lists = [], switches = [], positional: [least, most] = [0, 0] }: Options<S, L, B>,
): { options: ReadOptions<S, L, B>; rest: string[] } {
  const parsed: Record<string, unknown> & { _: (string | number)[] } = parseArgs([...args], {
    string: ["_", ...values, ...lists] as string[],
    collect: [...lists] as string[],
    boolean: [...switches] as string[],
    unknown: (arg, key) => {
      if (key !== undefined) throw new UsageError(`the option "${arg}" is not known.`);
    },
  });
  const { _, ...options } = parsed;
  for (const name of [...values, ...lists]) {
    if ([options[name]].flat().includes("")) throw new UsageError(`the option --${name} needs a value.`);
  }
  if (_.length < least || _.length > most) {
    const expected = least === most ? `${least}` : `${least} to ${most}`;
    throw new UsageError(`expected ${expected} arguments besides the options, found ${_.length}.`);
  }
  return {
    options: options as ReadOptions<S, L, B>,
    rest: _.map(String),
  };
}
