"""transformers' generate on the prompts of ./lab bench eval, as one line of JSON.

Takes the folder with prompts.json and pixels.f32 (tests/bench/eval_case.ts): the same checkpoint, pixel values, token ids and
batches. With as many threads as there are cores, on the GPU where there is one.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer
from transformers import PaliGemmaForConditionalGeneration

folder = Path(sys.argv[1])
case = json.loads((folder / "prompts.json").read_text())
device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(1)
checkpoint = Path(case["checkpoint"])
model = PaliGemmaForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32).eval().to(device)
tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
pixels = np.fromfile(folder / "pixels.f32", dtype=np.float32).reshape(case["prompts"], 3, case["side"], case["side"])


def answers(**how):
    """All prompts in, texts out: [prompts][answers]."""
    said = [None] * case["prompts"]
    for batch in case["batches"]:
        places, length = batch["places"], batch["length"]
        rows = lambda values: torch.tensor(values, device=device).reshape(len(places), length)
        ids = rows(batch["ids"])
        with torch.no_grad():
            out = model.generate(
                pixel_values=torch.from_numpy(pixels[places]).to(device),
                input_ids=ids,
                attention_mask=rows(batch["mask"]),
                token_type_ids=torch.zeros_like(ids),
                max_new_tokens=case["maxNewTokens"],
                eos_token_id=case["eosId"],
                pad_token_id=case["padId"],
                **how,
            )
        texts = [text.strip() for text in tokenizer.decode_batch(out[:, length:].tolist(), skip_special_tokens=True)]
        each = len(texts) // len(places)
        for i, place in enumerate(places):
            said[place] = texts[i * each : (i + 1) * each]
    return said


def seconds():
    start = time.perf_counter()
    answers(do_sample=True, temperature=case["temperature"], top_k=0, num_return_sequences=case["runs"])
    return time.perf_counter() - start


first = seconds()
found = [seconds() for _ in range(case["timed"])]
peak = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else (
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
)
greedy = [texts[0] for texts in answers(do_sample=False)]
versions = {"transformers": transformers.__version__, "torch": torch.__version__}
print(json.dumps({"prompts": case["prompts"], "runs": case["runs"], "firstSeconds": first, "seconds": found,
                  "greedy": greedy, "peakMiB": peak, "versions": versions}))
