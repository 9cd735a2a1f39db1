"""Writes tests/image/fixtures/upright and fixtures/deep: turned pictures with what Pillow makes of them, and samples of
more than 8 bits with what they should become (Pillow saturates them).

Run in an environment with pillow, numpy and tifffile: python tests/image/make_picture_fixtures.py
"""
import hashlib, json, pathlib
import numpy as np, tifffile
from PIL import Image, ImageOps

here = pathlib.Path(__file__).parent / "fixtures"
sha = lambda b: hashlib.sha256(b).hexdigest()

upright = here / "upright"
upright.mkdir(exist_ok=True)
y, x = np.mgrid[0:9, 0:15]
picture = Image.fromarray(np.stack([x * 16, y * 25, x * y * 2], -1).astype("u1"))
expected = {}
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    for ending, options in {"jpg": {"quality": 95}, "png": {}, "webp": {"lossless": True}, "tif": {}}.items():
        path = upright / f"{orientation}.{ending}"
        picture.save(path, exif=exif, **options)
        turned = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        expected[path.name] = {"width": turned.width, "height": turned.height, "rgb": sha(turned.tobytes())}
(upright / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")

deep = here / "deep"
deep.mkdir(exist_ok=True)
y, x = np.mgrid[0:12, 0:16]
unit = (1 + np.sin(x / 3 + y / 4)) / 2
unit[0, :2] = 0, 1
twelve = (unit * 4095).round().astype("u2")
spread = lambda values: np.floor((values - values.min()) / (values.max() - values.min()) * 255 + 0.5)
made = {
    "12_of_16.png": (twelve, twelve >> 4),
    "12_of_16.tif": (twelve, twelve >> 4),
    "12_of_16_rgb.tif": (np.stack([twelve, twelve // 2, twelve // 3], -1),) * 2,
    "8_of_16.png": (twelve >> 4, twelve >> 4),
    "16_of_16.png": (twelve << 4, twelve >> 4),
    "float_unit.tif": (unit.astype("f4"), np.floor(unit.astype("f4").astype("f8") * 255 + 0.5)),
    "float_hounsfield.tif": (twelve.astype("f4") - 1024, spread(twelve.astype("f8"))),
    "signed_32.tif": (twelve.astype("i4") - 1024, spread(twelve.astype("f8"))),
    "unsigned_32.tif": (twelve.astype("u4") * 1000, spread(twelve.astype("f8"))),
}
expected = {}
for name, (samples, levels) in made.items():
    if name.endswith("rgb.tif"):
        levels = samples >> 4
    if name.endswith(".png"):
        Image.fromarray(samples).save(deep / name)
    else:
        tifffile.imwrite(deep / name, samples, photometric="rgb" if samples.ndim > 2 else "minisblack", metadata=None)
    rgb = levels if levels.ndim > 2 else np.repeat(levels[..., None], 3, -1)
    expected[name] = sha(np.ascontiguousarray(rgb.astype("u1")).tobytes())
tifffile.imwrite(deep / "signed_16.tif", twelve.astype("i2") - 1024, metadata=None)
(deep / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
