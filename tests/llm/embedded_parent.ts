/** A process that starts the embedded server, prints its address and stays; embedded_test.ts kills it. */
import { startEmbeddedServer } from "@lib/llm/mod.ts";

const server = await startEmbeddedServer();
console.log(server.baseURLs[0]);
await new Promise((resolve) => setTimeout(resolve, 60_000));
