/** `./lab COMMAND`: one file per command. */
import { closestString, levenshteinDistance } from "@std/text";
import { visible } from "../jupyter/mod.ts";
import { type Command, UsageError } from "./command.ts";
import { commands } from "./commands.ts";

showConsole();
const asked = Deno.args[0] === "help" ? [...Deno.args.slice(1, 2), "--help"] : Deno.args;
const [name = "", ...args] = asked;
const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
let code = 1;
if (!load) {
  const like = closestString(name, [...Object.keys(commands), "help", "setup"]);
  const meant = levenshteinDistance(name, like) <= 2 ? ` Did you mean "${like}"?` : "";
  console.error(`lab: there is no command "${name}".${meant} ./lab help lists the commands.`);
} else {
  const command: Command = await load();
  try {
    if (args.includes("--help")) console.log(command.usage);
    else await command.run(args);
    code = 0;
  } catch (error) {
    console.error(`lab ${name}: ${plainSentence(error) ?? (error as Error)?.stack ?? error}`);
    if (error instanceof UsageError) console.error(command.usage);
    code = error instanceof UsageError ? 2 : 1;
  }
}
Deno.exit(code);

/** What `console` writes from now on passes `visible`: no answer, file name or error drives the terminal. */
function showConsole(): void {
  for (const name of ["log", "info", "warn", "error"] as const) {
    const write = console[name].bind(console);
    console[name] = (...values: unknown[]) =>
      write(
        visible(values.map((value) => typeof value === "string" ? value : Deno.inspect(value)).join(" ")),
      );
  }
}

/**
 * What the user is told of an error: the message of a plain Error, and for a file that is not there, or is not a file,
 * its path and the system's reason. Null for any other error: a defect, whose place matters.
 */
function plainSentence(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (error.constructor === Error || error instanceof UsageError) return error.message;
  const [, reason, path] = error.message.match(/^(.+) \(os error \d+\): \w+ '(.*?)'/s) ?? [];
  return path === undefined ? null : `${path}: ${reason[0].toLowerCase()}${reason.slice(1)}.`;
}
