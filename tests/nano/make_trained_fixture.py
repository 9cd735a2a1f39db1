"""Makes tests/nano/fixtures/trained_ids.jsonl: ids that transformers gives with a tokenizer that lib/nano trained.

    deno run -A tests/nano/print_trained.ts > trained.json && python tests/nano/make_trained_fixture.py trained.json
"""

import json
import random
import sys
from pathlib import Path

import transformers
from transformers import PreTrainedTokenizerFast

tokenizer = PreTrainedTokenizerFast(tokenizer_file=sys.argv[1])
r = random.Random(3)
words = "answer en which side is the lesion nodule cyst on? options: a) yes b) no ct mri x-ray of 12 mm, hemorrhage unseenword Liver".split()
texts = ["", " ", "\n", "\n\n", "a\n", "caption en\n", "left<eos>", "<bos>x", "<image><image><bos>answer en q?\n", "<unk>", "<0x0A>", "\u2581", "\u2581\u2581 x", "\t", "\u80ba\u90e8", "\U0001fac1", "\ufffd", "e\u0301\u00e9", "\u0000", "<unused0>", "12345", "3.5 x 2", "...?!", "don't"]
while len(texts) < 150:
    texts.append("".join(r.choice(words) + r.choice([" ", " ", " ", "  ", "", "\n", "<eos>", "\u80ba"]) for _ in range(r.randint(1, 12))))
rows = []
for text in texts:
    ids = tokenizer.encode(text, add_special_tokens=False)
    rows.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, clean_up_tokenization_spaces=False)})
head = {"madeWith": f"transformers {transformers.__version__}", "tokenizer": json.loads(Path(sys.argv[1]).read_text())}
path = Path(__file__).parent / "fixtures" / "trained_ids.jsonl"
path.write_text("".join(json.dumps(x) + "\n" for x in [head, *rows]))
print(len(rows), "strings")
