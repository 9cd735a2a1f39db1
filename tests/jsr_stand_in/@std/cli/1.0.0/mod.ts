/** Stand-in for jsr:@std/cli: `parseArgs` with the options this project uses. */

/** Which options take a text and which are switches. */
export interface ParseOptions {
  string?: readonly string[];
  boolean?: readonly string[];
  default?: Record<string, string | boolean>;
  /** Called with each option that is not named above; false drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Options by name; what is not an option is in `_`. */
export type Args = Record<string, string | boolean | undefined> & { _: string[] };

/** Reads `--name value`, `--name=value`, `--switch` and `--no-switch`; `--` ends the options. */
export function parseArgs(args: readonly string[], options: ParseOptions = {}): Args {
  const out = { ...options.default, _: [] as string[] } as Args;
  for (const name of options.boolean ?? []) out[name] ??= false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "--") {
      out._.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("--")) {
      out._.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = arg.slice(2, equals < 0 ? undefined : equals);
    const inline = equals < 0 ? undefined : arg.slice(equals + 1);
    if (options.string?.includes(name)) out[name] = inline ?? args[++i] ?? "";
    else if (options.boolean?.includes(name)) out[name] = inline === undefined ? true : inline === "true";
    else if (name.startsWith("no-") && options.boolean?.includes(name.slice(3))) out[name.slice(3)] = false;
    else if (!options.unknown || options.unknown(arg, name, inline) !== false) out[name] = inline ?? true;
  }
  return out;
}
