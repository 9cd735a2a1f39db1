"""Writes fixtures/rollout.json: attentions of a small random prefix-LM and what numpy makes of them (float64).

Run with any Python that has numpy 2: python make_fixture.py
"""
import json
import pathlib

import numpy as np

rng = np.random.default_rng(3)
LAYERS, HEADS, ROWS, COLS = 4, 3, 3, 2
patches = ROWS * COLS
# image, bos, two question tokens, newline, three answer tokens, one pad
length = patches + 1 + 2 + 1 + 3 + 1
prefix = np.array([1] * (patches + 4) + [0] * 4)
present = np.array([1] * (length - 1) + [0])
mask = np.zeros((length, length), bool)
for i in range(length):
    for j in range(length):
        both = present[i] and present[j]
        mask[i, j] = i == j or (both and (prefix[j] == 1 or (prefix[i] == 0 and j <= i)))

logits = rng.normal(size=(LAYERS, HEADS, length, length)) * 2
logits = np.where(mask, logits, -np.inf)
att = np.exp(logits - logits.max(-1, keepdims=True))
att = (att / att.sum(-1, keepdims=True)).astype(np.float32)


def roll(fuse, dropped=()):
    total = np.eye(length)
    for layer in att.astype(np.float64):
        a = fuse(layer) * mask
        for j in dropped:
            column = a[:, j].copy()
            a[:, j] = 0
            a[j, j] = column[j]
        a = (a + np.eye(length)) / 2
        a = a / a.sum(-1, keepdims=True)
        total = a @ total
    return total


gradients = rng.normal(size=att.shape).astype(np.float32)


def relevance():
    total = np.eye(length)
    for layer, gradient in zip(att.astype(np.float64), gradients.astype(np.float64)):
        total = total + np.maximum(gradient * layer, 0).mean(0) @ total
    return total


mean = lambda layer: layer.mean(0)
sinks = [patches, patches + 3]
out = {
    "layers": LAYERS, "heads": HEADS, "rows": ROWS, "columns": COLS, "length": length,
    "prefix": prefix.tolist(), "present": present.tolist(), "mask": mask.astype(int).ravel().tolist(),
    "response": list(range(patches + 4, patches + 7)), "sinks": sinks,
    "attentions": [float(v) for v in att.ravel()],
    "raw_mean": att.astype(np.float64).mean((0, 1)).ravel().tolist(),
    "raw_layer2_head1": att[2, 1].astype(np.float64).ravel().tolist(),
    "raw_max": att.astype(np.float64).max(1).mean(0).ravel().tolist(),
    "rollout": roll(mean).ravel().tolist(),
    "rollout_max": roll(lambda l: l.max(0)).ravel().tolist(),
    "gradients": [float(v) for v in gradients.ravel()],
    "relevance": relevance().ravel().tolist(),
    "rollout_dropped": roll(mean, dropped=sinks).ravel().tolist(),
}
path = pathlib.Path(__file__).parent / "fixtures" / "rollout.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(out))
