/** A process that answers chat requests at once, until it is killed: what is left of a request's time is our client's. */
import { startReplayServer } from "../support/replay_server.ts";

const server = startReplayServer(() => `{"question": "Which side is the nodule on?", "answer": "left"}`);
console.log(server.baseURL);
