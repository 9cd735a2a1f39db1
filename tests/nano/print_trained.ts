/** Prints the tokenizer that tests/nano/make_trained_fixture.py reads with transformers. */
import { trainBpe } from "@lib/nano/bpe_train.ts";
import { sentences } from "../text/sentences.ts";

console.log(JSON.stringify(trainBpe(sentences(400), 640)));
