/** Stand-in for jsr:@std/cli: `parseArgs` with the options this project uses, typed and converted as there. */

/** Options of `parseArgs`. */
export interface ParseOptions<S extends string = string, B extends string = string> {
  /** Options that take a text; `_` among them keeps positional arguments that look like numbers as text. */
  string?: readonly S[];
  /** Switches. */
  boolean?: readonly B[];
  default?: Record<string, unknown>;
  /** Options that may be given several times; their values become a list. */
  collect?: readonly string[];
  /** Called with each argument that is not declared; `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  /** Everything from the first positional argument on is positional. */
  stopEarly?: boolean;
}

/** Options by name; what is not an option is in `_`. */
export type Args<S extends string = string, B extends string = string> =
  & { [name in S]?: string }
  & { [name in B]: boolean }
  & { _: (string | number)[] };

const isNumber = (text: string): boolean =>
  /^0x[0-9a-f]+$/i.test(text) || /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(e[-+]?\d+)?$/.test(text);

/** Reads `--name value`, `--name=value`, `--switch` and `-s`; `--` ends the options. */
export function parseArgs<const S extends string = never, const B extends string = never>(
  args: readonly string[],
  options: ParseOptions<S, B> = {},
): Args<S, B> {
  const strings = new Set<string>(options.string), booleans = new Set<string>(options.boolean);
  const collected: Record<string, unknown[]> = Object.fromEntries(
    (options.collect ?? []).map((name) => [name, []]),
  );
  const values: Record<string, unknown> = {}, rest: (string | number)[] = [];
  const convert = (name: string, value: string) =>
    !strings.has(name) && isNumber(value) ? Number(value) : value;
  const positional = (arg: string) => rest.push(convert("_", arg));
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    const option = arg.match(/^--?([^=-][^=]*)(?:=(.*))?$/s);
    if (arg === "--") {
      args.slice(i + 1).forEach(positional);
      break;
    }
    if (!option) {
      if (options.unknown?.(arg) !== false) positional(arg);
      if (!options.stopEarly) continue;
      args.slice(i + 1).forEach(positional);
      break;
    }
    const name = option[1];
    let value: string | boolean | undefined = option[2];
    if (booleans.has(name)) value = value === undefined || value === "true";
    else if (value === undefined && args[i + 1] !== undefined && !args[i + 1].startsWith("-")) {
      value = args[++i];
    }
    value ??= strings.has(name) ? "" : true;
    const known = strings.has(name) || booleans.has(name);
    if (!known && options.unknown?.(arg, name, value) === false) continue;
    const converted = typeof value === "string" ? convert(name, value) : value;
    if (collected[name]) collected[name].push(converted);
    else values[name] = converted;
  }
  const switches = Object.fromEntries([...booleans].map((name) => [name, false]));
  return { ...switches, ...collected, ...options.default, ...values, _: rest } as Args<S, B>;
}
