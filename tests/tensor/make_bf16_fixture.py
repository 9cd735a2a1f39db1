"""Writes bf16.json: a small MLP with softmax cross entropy in float32 and bfloat16 by PyTorch.

    python tests/tensor/make_bf16_fixture.py     (needs torch; written with 2.13)

Inputs are integers / 64, weights integers / 256, both at most 64: bfloat16 holds them exactly, and the test rebuilds
them.
"""
import json
import pathlib

import torch

torch.manual_seed(7)
B, I, H, O = 8, 32, 32, 16
ints = {name: torch.randint(-64, 65, shape) for name, shape in {"x": (B, I), "w1": (H, I), "w2": (O, H)}.items()}
labels = torch.randint(0, O, (B,))


def run(dtype):
    x = (ints["x"] / 64).to(dtype)
    w1 = (ints["w1"] / 256).to(dtype).requires_grad_()
    w2 = (ints["w2"] / 256).to(dtype).requires_grad_()
    hidden = torch.tanh(x @ w1.T)
    probabilities = torch.softmax(hidden @ w2.T, -1)
    loss = -torch.log(probabilities.float())[torch.arange(B), labels].mean()
    loss.backward()
    flat = lambda t: [float(f"{v:.9g}") for v in t.detach().float().flatten().tolist()]
    return {"probabilities": flat(probabilities), "loss": loss.item(), "w1": flat(w1.grad), "w2": flat(w2.grad)}


out = {
    "torch": torch.__version__,
    "shapes": {"batch": B, "input": I, "hidden": H, "output": O},
    "integers": {n: t.flatten().tolist() for n, t in ints.items()},
    "labels": labels.tolist(),
    "float32": run(torch.float32),
    "bfloat16": run(torch.bfloat16),
}
path = pathlib.Path(__file__).parent / "fixtures" / "bf16.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(out) + "\n")
print(path, path.stat().st_size)
