"""Writes fixtures/answer_rules.json: what MedVInT's, VLMEvalKit's and MedEvalKit's own functions decide about some answers.

Run with any Python that has mathruler 0.1.0, on files of those projects that are not part of this one:
  python make_answer_rules.py PMC-VQA/src/MedVInT_TD/test.py VLMEvalKit/vlmeval/utils/matching_util.py MedEvalKit/utils/utils.py
"""
import ast
import copy
import difflib
import json
import os
import pathlib
import re
import string
import sys

from mathruler.grader import extract_boxed_content


def functions(path):
    """The functions that a file defines, without running the rest of it."""
    tree = ast.parse(pathlib.Path(path).read_text())
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    found = dict(difflib=difflib, re=re, string=string, os=os, cp=copy, extract_boxed_content=extract_boxed_content)
    exec(compile(tree, path, "exec"), found)
    return found


medvint, vlm, medeval = map(functions, sys.argv[1:])

CHOICES = [
    ["pneumonia", "a fracture", "pleural effusion", "no finding"],
    ["CT", "MRI", "Ultrasound", "X-ray"],
    ["Left", "Right"],
]
SAID = """C|c|(C)|C)|C:pleural effusion| C:pleural effusion|B|**C**|Answer: **C**|I think (C)|The correct answer is C because of the meniscus.
C\\nBecause fluid layers.|C\\n\\nBecause fluid layers.|Fluid layers.\\n\\nC.|pleural effusion|Pleural effusion.|There is a pleural effusion
A or C|The answer is a pleural effusion|answer: d|\\boxed{C}|so \\boxed{\\text{b}}|<answer>C</answer>|<answer>no</answer> <answer>C</answer>
<answer>C|Z||###|I'm sorry, but without the image provided I cannot say|no|fracture|MRI|MR|This is an MRI of the knee, not CT|ct|T|B:CT
 B:CT|Left|right lung|the right, not the left|final answer is b|Option B|A|a|b.|It is D: X-ray|C, D|Cannot determine the answer: B"""
SAID = [text.replace("\\n", "\n") for line in SAID.split("\n") for text in line.split("|")]
BOOLEAN = """yes|Yes.|No|Yes, there is no pneumothorax|no, yes|not sure|unknown|The answer is yes|There is nothing|Normal|final answer: no
Answer: Yes\\n|<answer>no</answer>|\\boxed{yes}|yes-no|**Answer**: no.|It does not|"""
BOOLEAN = [text.replace("\\n", "\n") for line in BOOLEAN.split("\n") for text in line.split("|")]
OTHER = [("Left", "Left"), ("left.", "Left"), ("The answer is left", "left"), ("answer is left lung", "Left Lung")]
OTHER += [("Left lung", "left"), (" left", "left"), ("X-ray", "X-Ray"), ("答案:左", "左"), ("<answer>a</answer><answer>b</answer>", "a b")]


def choice(options, gold, said):
    letters = string.ascii_uppercase[: len(options)]
    lettered = [f" {letter}:{option}" for letter, option in zip(letters, options)]
    nearest = medvint["find_most_similar_index"]
    # As main() does: the last character of what was generated, which for an empty text it could not take.
    medvint_right = said != "" and nearest(lettered, said[-1]) == nearest(lettered, lettered[gold])
    read = vlm["can_infer"](said, dict(zip(letters, options)))
    return {
        "choices": options,
        "said": said,
        "gold": gold,
        "vlmEvalKit": read if read in list(letters) else None,
        "medEvalKit": medeval["judge_multi_choice"](options, options[gold], said),
        "medVInT": medvint_right,
    }


def other(said, gold):
    em = medeval["parse_response"](said) == gold.lower()  # judge_open_end_vqa's "em", without its other metrics
    return {"said": said, "answer": gold, "closed": medeval["judge_close_end_vqa"](gold, said), "open": em}


rows = {
    "choices": [choice(options, min(2, len(options) - 1), said) for options in CHOICES for said in SAID],
    "yesNo": [
        {"said": said, "answer": gold, "medEvalKit": medeval["judge_judgement"](gold, said)}
        for said in BOOLEAN
        for gold in ("yes", "no")
    ],
    "other": [other(said, gold) for said, gold in OTHER],
}
path = pathlib.Path(__file__).parent / "fixtures" / "answer_rules.json"
path.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
print(f"{path}: {len(rows['choices'])}, {len(rows['yesNo'])}, {len(rows['other'])}")
