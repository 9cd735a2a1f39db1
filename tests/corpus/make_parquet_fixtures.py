"""Writes tests/corpus/fixtures: parquet files as the hub's `datasets` library, pandas and polars write them.

Run by hand: pip install datasets pillow pandas polars; python tests/corpus/make_parquet_fixtures.py
The pictures are grey squares drawn here; the words are made up. Every oddity that a loader must count is in a row.
"""
import io
import pathlib

import pandas as pd
import polars as pl
from datasets import Dataset, Features, Image, Sequence, Value
from PIL import Image as Picture

ROOT = pathlib.Path(__file__).parent / "fixtures"


def picture(level, kind="PNG"):
    out = io.BytesIO()
    Picture.new("RGB", (6, 5), (level, level, level)).save(out, kind)
    return out.getvalue()


def cell(level, path=None):
    return {"bytes": picture(level), "path": path}


def write(name, features, rows, group=2):
    """One file as push_to_hub writes it, with several row groups."""
    path = ROOT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {key: [row.get(key) for row in rows] for key in features}
    Dataset.from_dict(columns, features=Features(features)).to_parquet(str(path), batch_size=group)


TEXT = Value("string")
JUNK = {"bytes": b"<svg xmlns='http://www.w3.org/2000/svg'/>", "path": None}

roco = {"image": Image(decode=False), "image_id": TEXT, "caption": TEXT}
write("roco_v1_hub/data/train-00000-of-00002.parquet", roco, [
    {"image": cell(1), "image_id": "ROCO_00001", "caption": " Chest X-ray  with a nodule."},
    {"image": cell(2), "image_id": "ROCO_00002.jpg", "caption": "CT of the abdomen.\n"},
    {"image": cell(3), "image_id": "ROCO_00003", "caption": "  "},
])
write("roco_v1_hub/data/train-00001-of-00002.parquet", roco, [
    {"image": None, "image_id": "ROCO_00004", "caption": "No picture here."},
    {"image": JUNK, "image_id": "ROCO_00005", "caption": "A drawing, no radiograph."},
    {"image": cell(1), "image_id": "ROCO_00001", "caption": "The first one again."},
])
write("roco_v1_hub/data/validation-00000-of-00001.parquet", roco, [
    {"image": cell(6), "image_id": "ROCO_00006", "caption": "MRI of the brain."},
])
write("roco_v1_hub/data/test-00000-of-00001.parquet", roco, [
    {"image": cell(7), "image_id": "ROCO_00007", "caption": None},
    {"image": cell(8), "image_id": "ROCO_00008", "caption": "OPG."},
])

roco2 = {**roco, "cui": Sequence(TEXT)}
for split, hub in [("train", "train"), ("valid", "validation"), ("test", "test")]:
    write(f"roco_v2_hub/data/{hub}-00000-of-00001.parquet", roco2, [
        {"image": cell(10), "image_id": f"ROCOv2_2023_{split}_000001", "caption": "A lung.", "cui": ["C0024109", "C0040405"]},
        {"image": cell(11), "image_id": f"ROCOv2_2023_{split}_000002", "caption": "A liver.", "cui": []},
    ])

vqa = {"image": Image(decode=False), "question": TEXT, "answer": TEXT}
write("vqa_rad_hub/data/train-00000-of-00001-eb8844602202be60.parquet", vqa, [
    {"image": cell(20, "img_0.jpg"), "question": "is this normal?", "answer": "no"},
    {"image": cell(20, "img_1.jpg"), "question": "is this normal?", "answer": "no"},
    {"image": cell(20, "img_2.jpg"), "question": "which organ?", "answer": ""},
    {"image": cell(21, "img_3.jpg"), "question": "how many?", "answer": "4"},
])
write("vqa_rad_hub/data/test-00000-of-00001-e5bc3d208bb4deeb.parquet", vqa, [
    {"image": cell(22, "img_4.jpg"), "question": "is there a mass?", "answer": "yes"},
])

short = {
    "image_id": Image(decode=False), "case_id": TEXT, "question": TEXT, "answer": TEXT,
    "ans_len": Value("int32"), "mode": TEXT, "split": TEXT,
}


def short_row(level, name, question, answer, split):
    case = name.split("_")[0]
    return {"image_id": cell(level, name + ".png"), "case_id": case, "question": question, "answer": answer,
            "ans_len": len(answer.split()), "mode": "alignment", "split": split}


write("medpix_short_qa_hub/data/Train-00000-of-00001.parquet", short, [
    short_row(30, "MPX1001_synpic1", "What is seen?", "A cyst.\nOf the kidney.", "Train"),
    short_row(31, "MPX1002_synpic2", " Where is it?", " In the liver.", "Train"),
    short_row(31, "MPX1002_synpic2", "Where is it?", "In the liver.", "Train"),
    short_row(32, "MPX1003_synpic3", "Is it normal?", "No", "Train"),
])
write("medpix_short_qa_hub/data/Valid-00000-of-00001.parquet", short, [
    short_row(33, "MPX1004_synpic4", "What is seen?", "A mass.", "Valid"),
])
write("medpix_short_qa_hub/data/Test-00000-of-00001.parquet", short, [
    short_row(34, "MPX1005_synpic5", "What is seen?", "A fracture.", "Test"),
])

(ROOT / "medpix_short_qa_sample").mkdir(parents=True, exist_ok=True)
pd.DataFrame({
    "case_id": ["MPX1001", "MPX1002"], "question": ["What is seen?", "Where?"], "answer": ["A cyst.", "Left."],
    "image": [picture(30), picture(31)],
}).to_parquet(ROOT / "medpix_short_qa_sample" / "sample.parquet")

roco_qa = {"image_id": TEXT, "image": Image(decode=False), "question": TEXT, "answer": TEXT}
write("roco_qa_hub/data/Vaild-00000-of-00001.parquet", roco_qa, [
    {"image_id": "ROCO_00006", "image": cell(6), "question": "What does it show?", "answer": "MRI of the brain."},
    {"image_id": "ROCO_00009", "image": cell(9), "question": None, "answer": "A caption without a question."},
])
write("roco_qa_hub/data/Test-00000-of-00001.parquet", roco_qa, [
    {"image_id": "ROCO_00008", "image": cell(8), "question": "What does it show?", "answer": "OPG."},
])

(ROOT / "own_parquet").mkdir(parents=True, exist_ok=True)
own = {
    "image": [picture(40), picture(41, "JPEG"), b"", picture(42)],
    "question": ["Which one?", "Is it normal?", "Is it there?", "How many?"],
    "answer": ["b", "yes", "no", "2"],
    "choices": [["left", "right"], None, None, None],
    "split": ["train", "val", "test", "test"],
    "case": ["p1", "p2", "p3", "p3"],
}
pl.DataFrame(own).write_parquet(ROOT / "own_parquet" / "zstd.parquet")  # polars packs with zstd
pd.DataFrame(own).to_parquet(ROOT / "own_parquet" / "gzip.parquet", compression="gzip")

# Packed in a way that no loader unpacks: it must be named.
(ROOT / "own_lz4").mkdir(exist_ok=True)
packed = {"image": [cell(40)], "question": ["Is there a mass?"], "answer": ["no"]}
pd.DataFrame(packed).to_parquet(ROOT / "own_lz4/train.parquet", compression="lz4")
