import { oneLine } from "../jupyter/mod.ts";
import { openModel } from "../model/mod.ts";
import { readArgs, UsageError } from "./command.ts";
import { serveHandler } from "./support/serve_handler.ts";
import { adapterHelp, servedModels } from "./support/served_models.ts";
import { readConfig } from "./support/settings.ts";
import { untilSignal } from "./support/until_signal.ts";

export const usage =
  `usage: ./lab serve [--adapter CELL|FOLDER ...] [--port N] [--scale tiny|full] [--model MODEL] [--set KEY=VALUE]

A page on this machine to drop an image on (DICOM, PNG, JPEG, ...) and ask several questions: answers with their probabilities, the
base model beside adapters, maps, and what is answered about a grey picture. The same models speak as an OpenAI-compatible server
(/v1/chat/completions with image_url as a data URI, /v1/models): one user message with one image, the key as API key; streamed if
asked, token by token. Only this machine reaches it, with the key in the address that is printed. Ctrl-C ends it.
${adapterHelp}
  --port     a free one, if not said otherwise
  --scale    tiny: the nano demonstration model (default); full: google/paligemma-3b-mix-448 from the hub
  --model    another PaliGemma: a folder, or owner/name on the hub
  --set      KEY=VALUE, any key of lib/config/config.ts, such as evaluation.maxNewTokens=8; may be repeated`;

export async function run(args: string[]): Promise<void> {
  const { options } = readArgs(args, { values: ["scale", "model", "port"], lists: ["set", "adapter"] });
  const port = Number(options.port ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError(`--port is "${options.port}"; expected a whole number from 0 to 65535.`);
  }
  const model = options.model === undefined ? [] : [`model.checkpoint=${JSON.stringify(options.model)}`];
  const { config } = readConfig({ scale: options.scale, set: [...options.set, ...model] });
  await untilSignal("stopped.", async (signal) => {
    const opened = await openModel(config, { signal });
    const models = await servedModels(options.adapter, options.model === undefined, config, opened, {
      signal,
    });
    const token = crypto.getRandomValues(new Uint8Array(24)).toHex();
    const folder = await Deno.makeTempDir({ prefix: "radvqa-serve-" });
    try {
      const handler = await serveHandler({ models, opened, config, token, folder });
      const server = Deno.serve({ hostname: "127.0.0.1", port, signal, onListen: () => {} }, handler);
      const address = `http://127.0.0.1:${server.addr.port}`;
      console.log(`Models: ${models.map(({ name }) => oneLine(name)).join(", ")}`);
      console.log(`Page:   ${address}/#${token}`);
      console.log(`Server: ${address}/v1  (API key: what stands behind the # above)`);
      if (opened.card.notice) console.log(`Note:   ${oneLine(opened.card.notice)}.`);
      await server.finished;
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
