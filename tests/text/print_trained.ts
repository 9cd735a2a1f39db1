/** Prints the tokenizer that tests/text/make_trained_fixture.py reads with transformers. */
import { trainBpe } from "@lib/text/mod.ts";
import { sentences } from "./sentences.ts";

console.log(JSON.stringify(trainBpe(sentences(400), 640)));
