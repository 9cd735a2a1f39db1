/** `./lab COMMAND`: one file per command. */
import { closestString, levenshteinDistance } from "@std/text";
import { type Command, UsageError } from "./command.ts";
import { commands } from "./commands.ts";
import { plainSentence } from "./support/plain_sentence.ts";
import { showConsole } from "./support/shown_console.ts";

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
