"""Makes tests/weights/fixtures/configs.jsonl: config.json variants and what Hugging Face transformers reads in them.

    python tests/weights/make_fixture.py
"""

import json
from pathlib import Path

import transformers
from transformers import PaliGemmaConfig

HUB_448 = {  # the keys that the hub's 3B files have
    "architectures": ["PaliGemmaForConditionalGeneration"], "bos_token_id": 2, "eos_token_id": 1, "hidden_size": 2048, "image_token_index": 257152,
    "model_type": "paligemma", "pad_token_id": 0, "projection_dim": 2048, "torch_dtype": "float32", "transformers_version": "4.42.0.dev0",
    "text_config": {"hidden_size": 2048, "intermediate_size": 16384, "model_type": "gemma", "num_attention_heads": 8, "num_hidden_layers": 18, "num_image_tokens": 1024, "num_key_value_heads": 1, "torch_dtype": "float32", "vocab_size": 257216},
    "vision_config": {"hidden_size": 1152, "image_size": 448, "intermediate_size": 4304, "model_type": "siglip_vision_model", "num_attention_heads": 16, "num_hidden_layers": 27, "num_image_tokens": 1024, "patch_size": 14, "projection_dim": 2048, "projector_hidden_act": "gelu_fast", "vision_use_head": False},
}
TEXT = {"model_type": "gemma", "hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 96, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 300}
VISION = {"model_type": "siglip_vision_model", "hidden_size": 48, "num_hidden_layers": 2, "intermediate_size": 80, "num_attention_heads": 4, "image_size": 60, "patch_size": 14}


def base(text=None, vision=None, **top):
    return {"model_type": "paligemma", "projection_dim": 64, "text_config": {**TEXT, **(text or {})}, "vision_config": {**VISION, **(vision or {})}, **top}


def without(config, part, key):
    return {**config, part: {k: v for k, v in config[part].items() if k != key}}


CASES = {
    "hub 448": HUB_448,
    "hub 224, image_size left out": without(HUB_448, "vision_config", "image_size"),
    "nothing but the type": {"model_type": "paligemma"},
    "sub-configurations empty": {"model_type": "paligemma", "projection_dim": 3072, "text_config": {}, "vision_config": {}},
    "sub-configurations with their type only": {"model_type": "paligemma", "projection_dim": 3072, "text_config": {"model_type": "gemma"}, "vision_config": {"model_type": "siglip_vision_model"}},
    "head_dim left out": base(),
    "head_dim given": base({"head_dim": 16}),
    "old rope_theta": base({"rope_theta": 5000.0}),
    "new rope_parameters": base({"rope_parameters": {"rope_type": "default", "rope_theta": 20000.0}}),
    "gelu, the legacy spelling": base({"hidden_act": "gelu"}),
    "other epsilons": base({"rms_norm_eps": 1e-5}, {"layer_norm_eps": 1e-5}),
    "image_token_index left out": base(),
    "image_token_index given": base(image_token_index=299),
    "ids at the top": base(pad_token_id=5, bos_token_id=6, eos_token_id=7),
    "ids in text_config": base({"pad_token_id": 8, "bos_token_id": 9, "eos_token_id": 10}),
}


def resolved(d):
    c = PaliGemmaConfig(**json.loads(json.dumps({k: v for k, v in d.items() if k != "model_type"})))
    t, v = c.text_config, c.vision_config
    return {
        "vision": {"hiddenSize": v.hidden_size, "layers": v.num_hidden_layers, "heads": v.num_attention_heads, "intermediateSize": v.intermediate_size, "imageSize": v.image_size, "patchSize": v.patch_size, "layerNormEps": v.layer_norm_eps},
        "text": {"hiddenSize": t.hidden_size, "layers": t.num_hidden_layers, "heads": t.num_attention_heads, "kvHeads": t.num_key_value_heads, "headDim": t.head_dim, "intermediateSize": t.intermediate_size, "rmsNormEps": t.rms_norm_eps, "ropeTheta": t.rope_parameters["rope_theta"], "vocabSize": t.vocab_size},
        "imageTokenId": c.image_token_id,
        "bosId": getattr(c, "bos_token_id", t.bos_token_id), "eosId": getattr(c, "eos_token_id", t.eos_token_id), "padId": getattr(c, "pad_token_id", t.pad_token_id),
        "imageTokens": t.num_image_tokens,
    }, json.loads(c.to_json_string(use_diff=False))


rows = [{"madeWith": f"transformers {transformers.__version__}"}]
for title, config in CASES.items():
    expected, written = resolved(config)
    rows.append({"title": title, "config": config, "expected": expected})
    if title in ("hub 448", "new rope_parameters"):
        rows.append({"title": f"{title}, as this version writes it", "config": written, "expected": expected})
path = Path(__file__).parent / "fixtures" / "configs.jsonl"
path.parent.mkdir(exist_ok=True)
path.write_text("".join(json.dumps(x) + "\n" for x in rows))
print(len(rows) - 1, "configurations")
