"""Writes fixtures/text.json: 1,000 pairs scored by rouge-score and sacrebleu, and difflib ratios.

Run with any Python that has rouge-score 0.1.2 and sacrebleu 2.6: python make_fixture.py
"""
import collections
import difflib
import json
import pathlib
import random
import re
import string

import sacrebleu
from rouge_score import rouge_scorer

random.seed(5)
WORDS = """the a of in with no and is shows lesion left right lower upper lobe chest x-ray CT MRI T2-weighted axial coronal
enlarged heart effusion pleural mass kidney liver 3.5 1,200 cm (arrow) "ring-enhancing" T1/T2 [a] don't patient's &amp;
hyperintense, hypodense. brain; spine: yes no 5-mm naïve Müller σ2 100% C5-C6 <b> pneumothorax—small opacity's e.g. 0.5-1.0""".split()


def sentence(low, high):
    return " ".join(random.choice(WORDS) for _ in range(random.randint(low, high)))


pairs = []
for i in range(1000):
    reference = sentence(0 if i % 100 == 0 else 1, 24)
    words = reference.split()
    kind = i % 5
    if kind == 0:
        prediction = sentence(0 if i % 50 == 0 else 1, 24)
    elif kind == 1:
        prediction = " ".join(w for w in words if random.random() < 0.7)
    elif kind == 2:
        random.shuffle(words)
        prediction = " ".join(words).upper() if random.random() < 0.2 else " ".join(words)
    elif kind == 3:
        prediction = reference + (".\n" if random.random() < 0.5 else ",  " + sentence(1, 5))
    else:
        prediction = " ".join(w if random.random() < 0.8 else random.choice(WORDS) for w in words)
    pairs.append([prediction, reference])

scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"])
rouge = []
for p, r in pairs:
    s = scorer.score(r, p)
    rouge.append([round(s[k].fmeasure, 12) for k in ("rouge1", "rouge2", "rougeL")])
sentence_bleu = [round(sacrebleu.sentence_bleu(p, [r]).score, 10) for p, r in pairs]
corpus = [
    sacrebleu.corpus_bleu([p for p, _ in part], [[r for _, r in part]]).score
    for part in (pairs, pairs[:7], pairs[100:300], [p for p in pairs if len(p[0].split()) < 3])
]


def squad(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def f1(p, r):
    p, r = squad(p), squad(r)
    shared = sum((collections.Counter(p) & collections.Counter(r)).values())
    if not p or not r:
        return [float(p == r), float(p == r) if not r else 0.0]
    if not shared:
        return [0.0, 0.0]
    precision, recall = shared / len(p), shared / len(r)
    return [2 * precision * recall / (precision + recall), recall]


ratios = []
for i in range(400):
    a = "".join(random.choice("abcd ") for _ in range(random.randint(0, 30)))
    b = "".join(random.choice("abcd ") for _ in range(random.randint(0, 30)))
    if i % 8 == 0:
        b = (a + b) * random.randint(4, 12)
    if i % 9 == 0:
        a, b = sentence(1, 6), sentence(1, 60)
    ratios.append([a, b, difflib.SequenceMatcher(None, a, b).ratio()])

out = {
    "pairs": pairs, "rouge": rouge, "sentence_bleu": sentence_bleu, "corpus_bleu": corpus,
    "f1": [f1(p, r) for p, r in pairs], "ratios": ratios,
}
path = pathlib.Path(__file__).parent / "fixtures" / "text.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps(out, ensure_ascii=False))
