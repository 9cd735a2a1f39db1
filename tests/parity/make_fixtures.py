"""Records what transformers and PEFT compute with four tiny random PaliGemma models, for tests/model and tests/training.

    pip install -r tests/parity/requirements.txt
    python tests/parity/make_fixtures.py            # writes tests/parity/fixtures/<name>/

Each fixture is a folder:
    config.json, model.safetensors   a checkpoint, in one of the four weight namings in circulation
    adapter/                         a LoRA adapter as PEFT saves it, the stage-1 projector included
    record.safetensors               inputs and every recorded tensor, ids and pixels too, as float32
    record.json                      scalars: losses, greedy ids and margins, optimiser settings
and one, sampling/, with the logits that transformers' warpers leave.
"""

import copy
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from safetensors.torch import save_file
from transformers.generation.logits_process import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper
from transformers import GemmaConfig, PaliGemmaConfig, PaliGemmaForConditionalGeneration, SiglipVisionConfig
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

HERE = Path(__file__).parent / "fixtures"
BOTH = r".*(vision_tower|language_model).*\.self_attn\.(q_proj|k_proj|v_proj|o_proj|out_proj)"
TEXT = r".*language_model.*\.self_attn\.(q_proj|k_proj|v_proj|o_proj)"
NEWLINE = 5  # stands for Gemma's "\n" = 108

# Odd sizes throughout: what is equal by chance in one fixture differs in another.
CASES = {
    "mqa_left": dict(seed=11, naming="hub", side="left", lengths=[(5, 3), (2, 6), (7, 1)], image=(41, 33), r=4, alpha=6, targets=BOTH,
        vision=dict(hidden_size=20, num_hidden_layers=2, num_attention_heads=2, intermediate_size=28, image_size=30, patch_size=7),
        text=dict(hidden_size=24, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=1, head_dim=8, intermediate_size=36, vocab_size=67), image_id=66),
    "gqa_right": dict(seed=32, naming="v5_saved", side="right", lengths=[(3, 4), (6, 2)], image=(17, 29), r=3, alpha=8, targets=BOTH,
        vision=dict(hidden_size=18, num_hidden_layers=3, num_attention_heads=3, intermediate_size=22, image_size=23, patch_size=5),
        text=dict(hidden_size=20, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=6, intermediate_size=30, vocab_size=59), image_id=51),
    "mha_text_only": dict(seed=24, naming="v5_memory", side="left", lengths=[(4, 5), (4, 2)], image=(19, 19), r=5, alpha=5, targets=TEXT,
        vision=dict(hidden_size=12, num_hidden_layers=1, num_attention_heads=1, intermediate_size=17, image_size=19, patch_size=6),
        text=dict(hidden_size=27, num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=3, head_dim=10, intermediate_size=25, vocab_size=71, rope_parameters=dict(rope_type="default", rope_theta=500.0)), image_id=70),
    "image_id_past_vocab": dict(seed=14, naming="v4_57", side="right", lengths=[(2, 3), (5, 4), (1, 2)], image=(9, 40), r=2, alpha=7, targets=BOTH,
        vision=dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=21, image_size=17, patch_size=8),
        text=dict(hidden_size=22, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=14, intermediate_size=19, vocab_size=53), image_id=60),
}


def make_model(case):
    vision = SiglipVisionConfig(**case["vision"], projection_dim=case["text"]["hidden_size"], vision_use_head=False)
    config = PaliGemmaConfig(vision_config=vision, text_config=GemmaConfig(**case["text"]), projection_dim=case["text"]["hidden_size"],
                             image_token_index=case["image_id"], pad_token_id=0, eos_token_id=1, bos_token_id=2)
    config._attn_implementation = "eager"
    model = PaliGemmaForConditionalGeneration._from_config(config, attn_implementation="eager").float().eval()
    generator = torch.Generator().manual_seed(case["seed"])
    with torch.no_grad():  # the library's initial norms and biases (0 or 1) would hide mistakes
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if p.ndim == 1:
                p.copy_(0.3 * noise + (1 if "layer_norm" in name or "post_layernorm" in name else 0))
            elif "embed_tokens" in name:
                p.copy_(0.3 * noise / p.shape[1] ** 0.25)
            else:
                p.copy_(1.2 * noise / (p[0].numel() ** 0.5))
    return model


def rename(state, naming):
    """The in-memory names (model.language_model.layers...) as the other writers have them."""
    out = {}
    for name, t in state.items():
        if name == "lm_head.weight":
            continue
        bare = name.removeprefix("model.")
        if naming == "hub":
            bare = bare.replace("language_model.", "language_model.model.", 1) if bare.startswith("language_model.") else bare.replace("vision_tower.", "vision_tower.vision_model.", 1)
        elif naming == "v5_saved":
            bare = bare.replace("language_model.", "language_model.model.", 1) if bare.startswith("language_model.") else bare
        elif naming == "v5_memory":
            bare = "model." + bare
        elif naming == "v4_57":
            bare = "model." + bare.replace("vision_tower.", "vision_tower.vision_model.", 1)
        out[bare] = t.detach().contiguous().clone()
    if naming == "v4_57":
        out["lm_head.weight"] = out["model.language_model.embed_tokens.weight"].clone()
    return out


def make_inputs(case, model):
    rng = np.random.default_rng(case["seed"])
    vision, text = case["vision"], case["text"]
    n = (vision["image_size"] // vision["patch_size"]) ** 2
    w, h = case["image"]
    images = rng.integers(0, 256, (len(case["lengths"]), h, w, 3), dtype=np.uint8)
    processor = SiglipImageProcessorPil(size={"height": vision["image_size"], "width": vision["image_size"]})
    pixels = processor([Image.fromarray(i) for i in images], return_tensors="pt").pixel_values
    word = lambda k: [int(t) for t in rng.integers(6, min(text["vocab_size"], case["image_id"]), k)]
    rows = []
    for prefix, suffix in case["lengths"]:
        head = [case["image_id"]] * n + [2] + word(prefix) + [NEWLINE]
        rows.append((head, word(suffix) + [1]))

    def pad(rows, side):
        length = max(len(a) + len(b) for a, b in rows)
        ids, types, mask, labels = [], [], [], []
        for a, b in rows:
            gap = length - len(a) - len(b)
            put = lambda xs, fill: [fill] * gap + xs if side == "left" else xs + [fill] * gap
            ids.append(put(a + b, 0)); types.append(put([0] * len(a) + [1] * len(b), 0))
            mask.append(put([1] * (len(a) + len(b)), 0)); labels.append(put([-100] * len(a) + b, -100))
        return dict(input_ids=torch.tensor(ids), token_type_ids=torch.tensor(types), attention_mask=torch.tensor(mask)), torch.tensor(labels)

    batch, labels = pad(rows, case["side"])
    prompts, _ = pad([(a, []) for a, _ in rows], "left")
    return images, pixels, batch, labels, prompts


def train(model, trainable, run, lr, steps=5):
    """torch's AdamW with its default betas, eps and weight decay (0.01); no clipping, constant rate."""
    for p in model.parameters():
        p.requires_grad_(False)
    for p in trainable.values():
        p.requires_grad_(True)
    optimizer = torch.optim.AdamW(list(trainable.values()), lr=lr)
    losses, first = [], None
    for _ in range(steps):
        loss = run()
        optimizer.zero_grad()
        loss.backward()
        first = first or {n: p.grad.clone() for n, p in trainable.items()}
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        losses.append(run().item())
    g = optimizer.defaults
    return losses, first, dict(lr=lr, beta1=g["betas"][0], beta2=g["betas"][1], eps=g["eps"], weightDecay=g["weight_decay"], steps=steps)


def half_precision(peft, batch, pixels, labels, logits, lora):
    """How far the same model with bf16 base weights (LoRA in float32, as PEFT has it) is from float32, relative to the norm."""
    half = copy.deepcopy(peft)
    for n, p in half.named_parameters():
        p.grad = None
        if "lora_" not in n:
            p.data = p.data.bfloat16()
            p.requires_grad_(False)
    out = half(**batch, pixel_values=pixels, labels=labels)
    out.loss.backward()
    theirs = dict(half.named_parameters())
    flat = lambda grads: torch.cat([g.float().flatten() for g in grads])
    off = lambda a, b: ((a - b).norm() / b.norm()).item()
    return {"logits": off(out.logits.float(), logits), "gradients": off(flat(theirs[n].grad for n in lora), flat(p.grad for p in lora.values()))}


def canonical(peft_name):
    return peft_name.removeprefix("base_model.model.").removeprefix("model.").replace(".default", "").replace("modules_to_save.", "")


def make(name, case):
    torch.manual_seed(case["seed"])
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = make_model(case)
    images, pixels, batch, labels, prompts = make_inputs(case, model)
    rec = {"images": torch.tensor(images), "pixel_values": pixels, "labels": labels.int()}
    rec |= {f"batch.{k}": v.int() for k, v in batch.items()} | {f"prompts.{k}": v.int() for k, v in prompts.items()}
    info = {"naming": case["naming"], "side": case["side"], "r": case["r"], "alpha": case["alpha"], "torch": torch.__version__}
    start = {k: v.clone() for k, v in model.state_dict().items()}
    save_file(rename(start, case["naming"]), folder / "model.safetensors", metadata={"format": "pt"})
    model.config.save_pretrained(folder)

    with torch.no_grad():
        tower = model.model.vision_tower(pixels, output_attentions=True, output_hidden_states=True)
        rec["vision.features"] = tower.last_hidden_state
        rec["vision.projected"] = model.model.multi_modal_projector(tower.last_hidden_state)
        rec |= {f"vision.attention.{i}": a for i, a in enumerate(tower.attentions)}
        rec |= {f"vision.hidden.{i}": a for i, a in enumerate(tower.hidden_states)}
        out = model(**batch, pixel_values=pixels, labels=labels, output_attentions=True, output_hidden_states=True)
        rec |= {f"text.attention.{i}": a for i, a in enumerate(out.attentions)}
        rec |= {f"text.hidden.{i}": a for i, a in enumerate(out.hidden_states)}
        rec["logits"] = out.logits
        info["loss"] = out.loss.item()

        steps = 7
        g = model.generate(**prompts, pixel_values=pixels, max_new_tokens=steps, do_sample=False, eos_token_id=None,
                           return_dict_in_generate=True, output_logits=True)
        rec["greedy.logits"] = torch.stack(g.logits, 1)  # [B, steps, V]
        ids = g.sequences[:, prompts["input_ids"].shape[1]:]
        top = rec["greedy.logits"].topk(2, -1).values
        # Generation that ends: the token that first appears latest is declared the end token.
        end = max(set(ids.flatten().tolist()), key=lambda t: max((row.index(t) for row in ids.tolist() if t in row)))
        e = model.generate(**prompts, pixel_values=pixels, max_new_tokens=steps, do_sample=False, eos_token_id=end, pad_token_id=0)
        info["greedy"] = {"ids": ids.tolist(), "margins": (top[..., 0] - top[..., 1]).tolist(), "endId": end,
                          "endedIds": e[:, prompts["input_ids"].shape[1]:].tolist()}

    loss_of = lambda m: (lambda: m(**batch, pixel_values=pixels, labels=labels).loss)
    projector = {n: p for n, p in model.named_parameters() if "multi_modal_projector" in n}
    losses, grads, adamw = train(model, projector, loss_of(model), lr=0.03)
    info["stage1"] = {"losses": losses, "adamw": adamw}
    for n, p in projector.items():
        rec[f"stage1.grad.{canonical(n)}"] = grads[n]
        rec[f"stage1.final.{canonical(n)}"] = p.detach().clone()

    # Stage 2: adapters on the model as stage 1 left it; the trained projector travels in the adapter.
    stage1 = {n: p.detach().clone() for n, p in projector.items()}
    peft = get_peft_model(model, LoraConfig(r=case["r"], lora_alpha=case["alpha"], target_modules=case["targets"], modules_to_save=["multi_modal_projector"])).eval()
    generator = torch.Generator().manual_seed(case["seed"] + 100)
    with torch.no_grad():
        for n, p in peft.named_parameters():
            if "lora_" in n:  # B too: with B = 0 the gradient of A is 0
                p.copy_(torch.randn(p.shape, generator=generator) * (0.4 if "lora_A" in n else 0.2))
        peft.base_model.model.model.multi_modal_projector.modules_to_save["default"].load_state_dict({n.split("projector.")[1]: t for n, t in stage1.items()})
    lora = {n: p for n, p in peft.named_parameters() if "lora_" in n}
    saved_projector = {n: p for n, p in peft.named_parameters() if "modules_to_save.default" in n}
    peft.save_pretrained(folder / "adapter")
    (folder / "adapter" / "README.md").unlink(missing_ok=True)
    with torch.no_grad():
        rec["adapter.logits"] = peft(**batch, pixel_values=pixels).logits
    for p in peft.parameters():
        p.requires_grad_(False)
    for p in [*lora.values(), *saved_projector.values()]:
        p.requires_grad_(True)
    loss_of(peft)().backward()
    rec |= {f"adapter.grad.{canonical(n)}": p.grad.clone() for n, p in [*lora.items(), *saved_projector.items()]}
    info["bf16"] = half_precision(peft, batch, pixels, labels, rec["adapter.logits"], lora)
    for p in peft.parameters():
        p.grad = None
    losses, _, adamw = train(peft, lora, loss_of(peft), lr=0.003)
    info["stage2"] = {"losses": losses, "adamw": adamw}
    rec |= {f"stage2.final.{canonical(n)}": p.detach().clone() for n, p in lora.items()}
    with torch.no_grad():
        rec["stage2.logits"] = peft(**batch, pixel_values=pixels).logits
        merged = peft.merge_and_unload()
        rec["stage2.merged_logits"] = merged(**batch, pixel_values=pixels).logits

    save_file({k: v.detach().float().contiguous() for k, v in rec.items()}, folder / "record.safetensors")
    for f in folder.rglob("*.safetensors"):
        f.chmod(0o644)
    (folder / "record.json").write_text(json.dumps(info, indent=1) + "\n")
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    print(f"{name}: {size / 1e3:.0f} kB, loss {info['loss']:.4f}, stage 1 {info['stage1']['losses'][0]:.3f} -> {info['stage1']['losses'][-1]:.3f}, "
          f"stage 2 {info['stage2']['losses'][0]:.3f} -> {info['stage2']['losses'][-1]:.3f}, greedy {info['greedy']['ids']}, ended {info['greedy']['endedIds']}, "
          f"min margin {min(min(m) for m in info['greedy']['margins']):.3f}")


def make_sampling():
    """What transformers' temperature, top-k and top-p leave of some logits (excluded: -1e30)."""
    scores = torch.randn(5, 40, generator=torch.Generator().manual_seed(3)) * torch.tensor([0.3, 1.0, 2.0, 4.0, 8.0])[:, None]
    settings = [dict(temperature=0.7), dict(temperature=1.3, topK=7), dict(temperature=1.0, topP=0.9), dict(temperature=2.0, topP=0.5),
                dict(temperature=0.8, topK=12, topP=0.8), dict(temperature=1.0, topK=1), dict(temperature=1.0, topP=0.05), dict(temperature=1.0, topK=100, topP=1.0)]
    rec = {"scores": scores}
    for i, s in enumerate(settings):
        x = TemperatureLogitsWarper(s["temperature"])(None, scores) if s["temperature"] != 1.0 else scores
        x = TopKLogitsWarper(s["topK"], filter_value=-1e30)(None, x) if "topK" in s else x
        rec[f"kept.{i}"] = TopPLogitsWarper(s["topP"], filter_value=-1e30)(None, x) if s.get("topP", 1.0) < 1 else x
    folder = HERE / "sampling"
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in rec.items()}, folder / "record.safetensors")
    (folder / "record.safetensors").chmod(0o644)
    (folder / "record.json").write_text(json.dumps(settings) + "\n")


if __name__ == "__main__":
    make_sampling()
    for name, case in CASES.items():
        make(name, case)
