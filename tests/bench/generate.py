"""transformers' generate on random weights, as one line of JSON.

Reads one line of JSON: {"config": {...}, "dtype": "float32", "items": 8, "samples": 5, "tokens": 32, "timed": 3, "prefix": 24}

With as many threads as there are cores, on the GPU where there is one.
"""

import json
import resource
import sys
import time

import torch
import transformers
from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration

case = json.loads(sys.stdin.readline())
device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(1)
config = PaliGemmaConfig(**{k: v for k, v in case["config"].items() if k not in ("model_type", "architectures")})
with torch.device(device):
    torch.set_default_dtype(getattr(torch, case["dtype"]))
    model = PaliGemmaForConditionalGeneration(config).eval()
    torch.set_default_dtype(torch.float32)
side, patch = config.vision_config.image_size, config.vision_config.patch_size
images, items = (side // patch) ** 2, case["items"]
ids = torch.randint(3, case["config"]["image_token_index"], (items, images + case["prefix"]), device=device)
ids[:, :images] = case["config"]["image_token_index"]
inputs = {
    "pixel_values": (torch.rand(items, 3, side, side, device=device) * 2 - 1).to(model.dtype),
    "input_ids": ids,
    "attention_mask": torch.ones_like(ids),
    "token_type_ids": torch.zeros_like(ids),
}


def seconds(tokens):
    start = time.perf_counter()
    with torch.no_grad():
        model.generate(
            **inputs,
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            do_sample=True,
            temperature=0.7,
            top_k=0,
            num_return_sequences=case["samples"],
        )
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


first, found, to_first = seconds(case["tokens"]), [], []
for _ in range(case["timed"]):
    to_first.append(seconds(1))
    found.append(seconds(case["tokens"]))
peak = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else (
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
)
versions = {"transformers": transformers.__version__, "torch": torch.__version__}
print(json.dumps({"firstSeconds": first, "seconds": found, "toFirstToken": to_first, "peakMiB": peak, "versions": versions}))
