"""Writes tests/image/fixtures: small pictures chosen to be awkward, with what Pillow and transformers make of them.

Run in an environment with pillow, numpy, torch and transformers (versions used are recorded in expected.json):
    python tests/image/make_fixtures.py [LAB_DATA]
With LAB_DATA, the VQA-RAD photographs are hashed as well (hashes only, no picture is copied).
"""
import hashlib, io, json, pathlib, sys, warnings
import numpy as np, PIL, transformers
from PIL import Image, ImageCms, features
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.image_transforms import convert_to_rgb

warnings.filterwarnings("ignore")
here = pathlib.Path(__file__).parent / "fixtures"
pictures = here / "pictures"
pictures.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(0)
sha = lambda b: hashlib.sha256(b).hexdigest()


def pixel_values(image, size):
    processor = SiglipImageProcessorPil(size={"height": size, "width": size})
    return np.asarray(processor(image, return_tensors="np")["pixel_values"][0], dtype="<f4")


def noise(h, w, c=3):
    return rng.integers(0, 256, (h, w, c) if c else (h, w), dtype=np.uint8)


def smooth(h, w, c=3):
    y, x = np.mgrid[0:h, 0:w]
    planes = [127 + 120 * np.sin(x / (5 + 3 * k) + y / (9 - 2 * k) + k) for k in range(c)]
    return np.stack(planes, -1).round().astype(np.uint8)


def save(name, image, **options):
    image.save(pictures / name, **options)


# Resize: extreme shapes, up, down, odd, and no change at all.
save("row_1x40.png", Image.fromarray(noise(1, 40)))
save("column_40x1.png", Image.fromarray(noise(40, 1)))
save("single.png", Image.fromarray(noise(1, 1)))
save("noise_37x53.png", Image.fromarray(noise(37, 53)))
save("steps_90x61.png", Image.fromarray(np.where((np.mgrid[0:61, 0:90].sum(0) // 7) % 2, 255, 0).astype(np.uint8)))
save("same_size_28x28.png", Image.fromarray(noise(28, 28)))
# The pass order turns when the height shrinks by more than twice what the width does.
for h, w in [(60, 44), (59, 43), (120, 30), (300, 200), (31, 29)]:
    save(f"order_{h}x{w}.png", Image.fromarray(noise(h, w) if h < 200 else noise(h, w, 0)))
# PNG kinds.
grey = smooth(48, 40, 1)[..., 0]
save("grey.png", Image.fromarray(grey))
save("one_bit.png", Image.fromarray(grey > 127))
save("grey_alpha.png", Image.fromarray(np.dstack([grey, noise(48, 40, 0)]), "LA"))
save("rgba.png", Image.fromarray(np.dstack([smooth(48, 40), noise(48, 40, 0)]), "RGBA"))
ramp = np.mgrid[0:256, 0:256].astype(np.uint8)
save("alpha_every_pair.png", Image.fromarray(np.dstack([ramp[0], ramp[1]]), "LA"), optimize=True)
palette = Image.fromarray(smooth(48, 40)).quantize(23)
save("palette.png", palette)
save("palette_transparent.png", palette, transparency=bytes(range(0, 230, 10)))
save("palette_4bit.png", Image.fromarray(smooth(31, 29)).quantize(11), bits=4)
save("grey_transparent_level.png", Image.fromarray(grey), transparency=int(grey[3, 3]))
save("rgb_transparent_colour.png", Image.fromarray(smooth(30, 30) // 32 * 32),
     transparency=tuple(int(v) for v in (smooth(30, 30) // 32 * 32)[4, 4]))
save("rgb_profile.png", Image.fromarray(smooth(33, 35)),
     icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes())

def interlaced(array):
    """An Adam7 PNG (Pillow cannot write one)."""
    import struct, zlib
    h, w, _ = array.shape
    raw = b""
    for x0, y0, dx, dy in [(0,0,8,8),(4,0,8,8),(0,4,4,8),(2,0,4,4),(0,2,2,4),(1,0,2,2),(0,1,1,2)]:
        part = array[y0::dy, x0::dx]
        if part.size:
            raw += b"".join(b"\0" + row.tobytes() for row in part)
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    head = struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


(pictures / "interlaced.png").write_bytes(interlaced(smooth(21, 27)))
# JPEG kinds; odd sizes reach the edges of the blocks.
photo = np.clip(smooth(61, 83).astype(int) + rng.integers(-25, 25, (61, 83, 3)), 0, 255).astype(np.uint8)
for name, sampling in [("444", 0), ("422", 1), ("420", 2)]:
    for progressive in [False, True]:
        kind = "progressive" if progressive else "baseline"
        save(f"{kind}_{name}.jpg", Image.fromarray(photo), quality=80, subsampling=sampling, progressive=progressive)
save("grey.jpg", Image.fromarray(photo[..., 0]), quality=70)
save("low_quality.jpg", Image.fromarray(photo), quality=12)
save("lossless.webp", Image.fromarray(smooth(30, 33)), lossless=True)
save("plain.gif", Image.fromarray(smooth(30, 33)).quantize(40))
save("plain.tiff", Image.fromarray(noise(20, 23)), compression="tiff_deflate")

expected = {}
for path in sorted(pictures.iterdir()):
    image = Image.open(path)
    rgb = convert_to_rgb(image, return_numpy=True)
    sizes = {str(s): sha(pixel_values(Image.open(path), s).tobytes()) for s in (28, 112)}
    expected[path.name] = {"width": image.width, "height": image.height, "rgb": sha(rgb.tobytes()), "pixels": sizes}

# The documented deviations: what Pillow gives at one place, so that the test can show the difference.
deviations = here / "deviations"
deviations.mkdir(exist_ok=True)
deep = np.linspace(0, 65535, 64).round().astype(np.uint16).reshape(8, 8)
Image.fromarray(deep).save(deviations / "grey_16bit.png")
Image.fromarray(noise(16, 16, 4), "CMYK").save(deviations / "cmyk.jpg", quality=95)
differing = {p.name: np.asarray(Image.open(p).convert("RGB"))[0, :, 0].tolist() for p in sorted(deviations.iterdir())}

levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
values = pixel_values(Image.fromarray(levels), 16)
out = {
    "made_with": {"pillow": PIL.__version__, "transformers": transformers.__version__, "numpy": np.__version__,
                  "libjpeg_turbo": features.version_feature("libjpeg_turbo")},
    "pictures": expected,
    "deviations_pillow_first_row_red": differing,
    "levels_sha256": sha(values[0].tobytes()),
}
(here / "expected.json").write_text(json.dumps(out) + "\n")

if len(sys.argv) > 1:
    folder = pathlib.Path(sys.argv[1]) / "vqa-rad-train" / "VQA_RAD Image Folder"
    hashes = {p.name: sha(pixel_values(Image.open(p), 224).tobytes()) for p in sorted(folder.glob("*.jpg"))}
    (here / "vqa_rad_224.json").write_text(json.dumps(hashes, indent=1) + "\n")
