"""Loads what write_adapter.ts wrote (our adapters, our merged checkpoints) with PEFT and transformers and compares logits.

    deno run -A tests/parity/write_adapter.ts OUT && python tests/parity/check_adapter.py OUT
"""

import sys
import warnings
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import PaliGemmaForConditionalGeneration

warnings.filterwarnings("error", message=".*(missing|unexpected).*keys.*")
FIXTURES = Path(__file__).parent / "fixtures"
out, worst = Path(sys.argv[1]), 0.0
for folder in sorted(p for p in out.iterdir() if p.is_dir()):
    record, ours = load_file(FIXTURES / folder.name / "record.safetensors"), load_file(folder / "logits.safetensors")
    inputs = {k: record[f"batch.{k}"].long() for k in ["input_ids", "token_type_ids", "attention_mask"]} | {"pixel_values": record["pixel_values"]}
    load = lambda path: PaliGemmaForConditionalGeneration.from_pretrained(path, attn_implementation="eager", dtype=torch.float32).eval()
    with torch.no_grad():
        base = load(FIXTURES / folder.name)
        plain = base(**inputs).logits
        adapted = PeftModel.from_pretrained(base, folder / "adapter").eval()(**inputs).logits
        merged = load(folder / "merged")(**inputs).logits
    off = lambda a, b: (a - b).abs().max().item()
    moved = off(adapted, plain)
    print(f"{folder.name}: base {off(plain, ours['base']):.1e}, PEFT with our adapter {off(adapted, ours['logits']):.1e}, "
          f"our merged checkpoint {off(merged, ours['logits']):.1e} (the adapter moves logits by {moved:.2f})")
    worst = max(worst, off(plain, ours["base"]), off(adapted, ours["logits"]), off(merged, ours["logits"]))
    assert moved > 0.1
assert worst < 1e-4, worst
print(f"all within {worst:.1e}")
