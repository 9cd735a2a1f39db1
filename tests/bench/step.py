"""A training step of transformers and PEFT on random weights, as one line of JSON.

Reads one line of JSON: {"config": {...}, "dtype": "bfloat16", "stage": "stage 1" | "stage 2" | "stage 2, recompute",
                         "batch": 6, "prefix": 24, "suffix": 24, "rank": 12, "steps": 5}

On the GPU where there is one, else with as many threads as there are cores.
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
torch.backends.cuda.matmul.allow_tf32 = True  # as fast as torch can: LoRA's matrices are float32
torch.manual_seed(1)
config = PaliGemmaConfig(**{k: v for k, v in case["config"].items() if k not in ("model_type", "architectures")})
torch.set_default_dtype(getattr(torch, case["dtype"]))
with torch.device(device):
    model = PaliGemmaForConditionalGeneration(config)
torch.set_default_dtype(torch.float32)
side, patch = config.vision_config.image_size, config.vision_config.patch_size
images, size, image = (side // patch) ** 2, case["batch"], case["config"]["image_token_index"]
length = images + case["prefix"] + case["suffix"]
ids = torch.randint(3, image, (size, length))
ids[:, :images] = image
types = torch.zeros_like(ids)
types[:, -case["suffix"] :] = 1
labels = torch.where(types == 1, ids, -100)
batch = {
    "pixel_values": (torch.rand(size, 3, side, side) * 2 - 1).to(model.dtype),
    "input_ids": ids,
    "attention_mask": torch.ones_like(ids),
    "token_type_ids": types,
    "labels": labels,
}
batch = {name: x.to(device) for name, x in batch.items()}
if case["stage"] == "stage 1":
    for name, p in model.named_parameters():
        p.requires_grad_("multi_modal_projector" in name)
else:
    from peft import LoraConfig, get_peft_model

    if "recompute" in case["stage"]:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    towers = r".*(vision_tower|language_model).*\.self_attn\.(q_proj|k_proj|v_proj|o_proj|out_proj)"
    model = get_peft_model(model, LoraConfig(r=case["rank"], lora_alpha=32, target_modules=towers))
model.train()
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-4, fused=device == "cuda")
seconds, losses = [], []
for _ in range(case["steps"] + 2):
    start = time.perf_counter()
    loss = model(**batch).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    losses.append(loss.item())
    if device == "cuda":
        torch.cuda.synchronize()
    seconds.append(time.perf_counter() - start)
peak = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else (
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
)
versions = {"transformers": transformers.__version__, "torch": torch.__version__}
print(json.dumps({"firstSeconds": seconds[0], "seconds": seconds[2:], "peakMiB": peak, "losses": losses, "versions": versions}))
