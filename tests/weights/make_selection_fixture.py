"""Writes fixtures/selections.json: the modules that PEFT adapts for LoraConfigs that choose them in different ways.

    pip install -r tests/parity/requirements.txt && python tests/weights/make_selection_fixture.py
"""

import json
from pathlib import Path

import peft
import transformers
from peft import LoraConfig, get_peft_model
from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration

SIZES = {"num_hidden_layers": 2, "num_attention_heads": 2}
CONFIG = dict(
    text_config=dict(
        model_type="gemma", hidden_size=8, intermediate_size=14, head_dim=4, num_key_value_heads=1, vocab_size=21, **SIZES
    ),
    vision_config=dict(
        model_type="siglip_vision_model",
        hidden_size=8,
        intermediate_size=10,
        image_size=8,
        patch_size=4,
        vision_use_head=False,
        **SIZES,
    ),
    projection_dim=8,
    image_token_index=20,
)
QV = ["q_proj", "v_proj"]
CASES = [
    dict(target_modules=QV),
    dict(target_modules=QV, exclude_modules=["vision_tower"]),
    dict(target_modules=QV, exclude_modules=".*vision_tower.*"),
    dict(target_modules=QV, exclude_modules=["model.language_model.layers.0.self_attn.q_proj"]),
    dict(target_modules=".*_proj", exclude_modules=r".*\.layers\.0\..*"),
    dict(target_modules=QV, layers_to_transform=1),
    dict(target_modules=QV, layers_to_transform=[0, 7]),
    dict(target_modules=QV, layers_to_transform=[1], layers_pattern="layers"),
    dict(target_modules=QV, layers_to_transform=[1], layers_pattern=["encoder.layers"]),
    dict(target_modules=QV, layers_to_transform=[1], layers_pattern=["nothing", "language_model.layers"]),
    dict(target_modules=["model.language_model.layers.0.mlp.up_proj", "down_proj"], layers_to_transform=[1]),
    dict(target_modules="all-linear"),
    dict(target_modules="ALL-LINEAR", exclude_modules=["fc1", "fc2"]),
    dict(target_modules="all-linear", modules_to_save=["multi_modal_projector"]),
    dict(target_modules="all-linear", modules_to_save=["linear"]),
    dict(target_modules=r"\A.*\.self_attn\.[qk]_proj\Z"),
    dict(target_modules=r"^(?!.*vision_tower).*(?:q_proj|fc1)$"),
    dict(target_modules=r"(?:.*?(?:language|text).*?(?:self_attn|mlp).*?(?:[qv]_proj|gate_proj))"),
    dict(target_modules=r".*(?<!out_)(?<!o_)proj"),
    dict(target_modules=r"(?P<tower>.*vision_tower.*)\.fc\d{1,2}"),
]


def main():
    out = []
    for case in CASES:
        model = PaliGemmaForConditionalGeneration(PaliGemmaConfig(**CONFIG))
        wrapped = get_peft_model(model, LoraConfig(r=2, **case))
        names = [n for n, m in wrapped.named_modules() if isinstance(m, peft.tuners.lora.LoraLayer)]
        saved = wrapped.peft_config["default"].to_dict()
        keys = ["target_modules", "exclude_modules", "modules_to_save", "layers_to_transform", "layers_pattern"]
        config = {k: sorted(v) if isinstance(v, set) else v for k, v in saved.items() if k in keys}
        # What was asked for, and what PEFT writes into adapter_config.json for it (all-linear becomes a list).
        modules = sorted(n.removeprefix("base_model.model.model.") for n in names)
        out.append(dict(asked=case, written=config, modules=modules))
    versions = dict(peft=peft.__version__, transformers=transformers.__version__)
    path = Path(__file__).parent / "fixtures" / "selections.json"
    lines = ",\n".join(json.dumps(x) for x in out)
    path.write_text(f'{{"versions": {json.dumps(versions)}, "cases": [\n{lines}\n]}}\n')


main()
