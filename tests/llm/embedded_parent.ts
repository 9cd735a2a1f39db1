/** A process that starts the embedded server, prints what a client needs and stays; embedded_test.ts kills it. */
import { startEmbeddedServer } from "@lib/llm/mod.ts";

const server = await startEmbeddedServer();
console.log(JSON.stringify({ baseURL: server.baseURLs[0], key: server.apiKey.reveal() }));
await new Promise((resolve) => setTimeout(resolve, 60_000));
