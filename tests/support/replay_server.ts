/** The part of a chat request that replies are chosen by. */
export interface ReplayRequest {
  /** Name of the model. */
  model: string;
  /** The conversation. */
  messages: { role: string; content: string }[];
  /** Of the sampling. */
  seed?: number;
  /** The form that the reply must have. */
  response_format?: unknown;
  /** Any other field of the API. */
  [field: string]: unknown;
}

/** A reply: its text, or a whole HTTP response for faults. */
export type ReplayReply = string | { text: string; finishReason: string } | Response;

/** A server that answers from a function. */
export interface ReplayServer {
  /** To be used as one of an endpoint's baseURLs. */
  readonly baseURL: string;
  /** All requests so far, in order of arrival, with their Authorization header. */
  readonly requests: { body: ReplayRequest; authorization: string | null }[];
  /** Ends the server. */
  stop(): Promise<void>;
}

/**
 * A stand-in for a language model's server, for tests: answers chat completions on 127.0.0.1 from `reply`.
 * No model runs in it; token counts are counts of words.
 */
export function startReplayServer(
  reply: (request: ReplayRequest, call: number) => ReplayReply | Promise<ReplayReply>,
): ReplayServer {
  const requests: ReplayServer["requests"] = [];
  const handler = async (http: Request): Promise<Response> => {
    if (http.method !== "POST" || !new URL(http.url).pathname.endsWith("/chat/completions")) {
      return Response.json({ error: { message: "not found" } }, { status: 404 });
    }
    const body: ReplayRequest = await http.json();
    requests.push({ body, authorization: http.headers.get("authorization") });
    const said = await reply(body, requests.length - 1);
    if (said instanceof Response) return said;
    const { text, finishReason } = typeof said === "string" ? { text: said, finishReason: "stop" } : said;
    const words = (s: string) => s.split(/\s+/).filter((w) => w !== "").length;
    const prompt = body.messages.reduce((n, message) => n + words(String(message.content)), 0);
    return Response.json({
      id: `replay-${requests.length}`,
      object: "chat.completion",
      created: 0,
      model: body.model,
      choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: finishReason }],
      usage: { prompt_tokens: prompt, completion_tokens: words(text), total_tokens: prompt + words(text) },
    });
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  return { baseURL: `http://127.0.0.1:${server.addr.port}/v1`, requests, stop: () => server.shutdown() };
}
