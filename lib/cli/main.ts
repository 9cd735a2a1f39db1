/** `./lab COMMAND`: one file per command. */
import { type Command, UsageError } from "./command.ts";
import { commands } from "./commands.ts";
import { showConsole } from "./support/shown_console.ts";

showConsole();
const [name = "", ...args] = Deno.args;
const load = commands[name];
let code = 1;
if (!load) {
  console.error(`lab: there is no command "${name}". ./lab help lists the commands.`);
} else {
  const command: Command = await load();
  try {
    if (args.includes("--help")) console.log(command.usage);
    else await command.run(args);
    code = 0;
  } catch (error) {
    // A plain Error is a sentence for the user; any other is a defect, whose place matters.
    const plain = error instanceof Error && ["Error", UsageError.name].includes(error.constructor.name);
    console.error(`lab ${name}: ${plain ? error.message : (error as Error)?.stack ?? error}`);
    if (error instanceof UsageError) console.error(command.usage);
    code = error instanceof UsageError ? 2 : 1;
  }
}
Deno.exit(code);
