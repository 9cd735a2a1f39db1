/** `./lab data` over folders of a test: data_process.ts MANIFESTS LOCAL ARGUMENTS... */
import { run } from "../../lib/cli/data.ts";

const [manifests, local, ...args] = Deno.args;
try {
  await run(args, { manifests, local });
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
