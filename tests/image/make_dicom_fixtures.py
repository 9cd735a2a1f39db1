"""Writes tests/image/fixtures/dicom: small DICOM files and what pydicom makes of them, shown in 8 bits.

Run in an environment with pydicom, numpy, pillow, imagecodecs, pylibjpeg, pylibjpeg-libjpeg and pylibjpeg-openjpeg:
    python tests/image/make_dicom_fixtures.py [FOLDER OF pydicom-data's data_store]
The files of pydicom (MIT) are copied, those of pydicom-data are only hashed: the test finds them at run time.
"""
import copy, hashlib, io, json, pathlib, shutil, sys, warnings
import imagecodecs, numpy as np, pydicom
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1

warnings.filterwarnings("ignore")
here = pathlib.Path(__file__).parent / "fixtures" / "dicom"
shutil.rmtree(here, ignore_errors=True)
here.mkdir(parents=True)
rng = np.random.default_rng(0)
sha = lambda b: hashlib.sha256(b).hexdigest()

COPIED = """CT_small MR_small_implicit MR_small_expb MR_small_RLE MR_small_jp2klossless MR_small_jpeg_ls_lossless
image_dfl ExplVR_BigEnd SC_ybr_full_422_uncompressed SC_rgb_rle SC_rgb_rle_16bit_2frame SC_rgb_small_odd
SC_rgb_small_odd_big_endian SC_rgb_jpeg_gdcm JPEGLSNearLossless_08 JPEGLSNearLossless_16 SC_rgb_jls_lossy_line
SC_rgb_jls_lossy_sample JPEG2000 SC_rgb_gdcm_KY SC_rgb_dcmtk_+eb+cr SC_rgb_dcmtk_+eb+cy+np SC_rgb_dcmtk_+eb+cy+s4
SC_jpeg_no_color_transform SC_jpeg_no_color_transform_2 SC_rgb_small_odd_jpeg JPGExtended J2K_pixelrep_mismatch""".split()
# The last is implicit although it says explicit, and its JPEG is YCbCr although it says RGB.
NOT_COMPARED = ["rtdose_1frame", "MR_truncated", "SC_rgb_jpeg"]


def dataset(pixels, signed=False, bits=None, photometric="MONOCHROME2", frames=1, **more):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    shape = pixels.shape[1:] if frames > 1 else pixels.shape
    ds.Rows, ds.Columns = shape[:2]
    ds.SamplesPerPixel = shape[2] if len(shape) > 2 else 1
    if ds.SamplesPerPixel > 1:
        ds.PlanarConfiguration = 0
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.BitsAllocated = pixels.dtype.itemsize * 8
    ds.BitsStored = bits or ds.BitsAllocated
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(signed)
    ds.PhotometricInterpretation = photometric
    ds.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    ds["PixelData"].VR = "OW" if ds.BitsAllocated > 8 else "OB"
    for key, value in more.items():
        setattr(ds, key, value)
    return ds


def lut(entries, first, bits):
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries), first, bits])
    item.add_new("LUTData", "OW", np.asarray(entries, "<u2").tobytes())
    return item


def group(**values):
    item = Dataset()
    for key, value in values.items():
        setattr(item, key, value)
    return item


ct = np.arange(-1100, 1100, 2.2).round().astype("<i2").reshape(40, 25)
wide = rng.integers(0, 4096, (23, 31)).astype("<u2")
ramp = np.linspace(0, 4095, 700).round().astype("<u2").reshape(28, 25)
rescale = dict(RescaleSlope=1, RescaleIntercept=-24)
made = {
    "window_linear": dataset(ct, True, WindowCenter=40, WindowWidth=400, **rescale),
    "window_exact": dataset(ct, True, WindowCenter=40, WindowWidth=400, VOILUTFunction="LINEAR_EXACT", **rescale),
    "window_sigmoid": dataset(ct, True, WindowCenter=40, WindowWidth=400, VOILUTFunction="SIGMOID", **rescale),
    "window_several": dataset(ct, True, WindowCenter=[50, -600], WindowWidth=[350, 1500], **rescale),
    "window_width_1": dataset(ct, True, WindowCenter=40, WindowWidth=1, **rescale),
    "monochrome1": dataset(ramp, bits=12, photometric="MONOCHROME1", WindowCenter=2000, WindowWidth=3000),
    "no_window": dataset(ct, True, **rescale),
    "no_window_padding": dataset(np.where(ct < -900, -2000, ct).astype("<i2"), True, PixelPaddingValue=-2000, **rescale),
    "negative_slope": dataset(ct, True, RescaleSlope="-1.5", RescaleIntercept="3.25"),
    "fractional_slope": dataset(wide, bits=12, RescaleSlope="0.372", RescaleIntercept="-10.125", WindowCenter="512.5", WindowWidth="700.25"),
    "modality_lut": dataset(wide, bits=12, WindowCenter=30000, WindowWidth=50000,
                            ModalityLUTSequence=[lut((np.arange(4096.0) ** 2 / 256).astype(int), 0, 16)]),
    "voi_lut": dataset(wide, bits=12, VOILUTSequence=[lut(np.arange(2000, 6000) // 2, 100, 12)]),
    "voi_lut_signed": dataset(ct, True, VOILUTSequence=[lut(np.arange(256) ** 2 // 64, -128, 10)]),
    "signed_8": dataset(np.arange(-100, 100).astype("i1").reshape(20, 10), True),
    "signed_12_of_16": dataset((ct.clip(-1000, 1000).astype("<u2") & 0xFFF), True, bits=12),
    "one_pixel": dataset(np.array([[77]], "u1")),
    "constant": dataset(np.full((4, 5), 300, "<u2")),
    "rgb_16": dataset(rng.integers(0, 65536, (9, 11, 3)).astype("<u2"), photometric="RGB"),
    "ybr_full": dataset(rng.integers(0, 256, (40, 50, 3)).astype("u1"), photometric="YBR_FULL"),
    "three_frames": dataset(np.stack([wide // 4, wide, wide // 2]), bits=12, frames=3),
    "enhanced": dataset(np.stack([wide, wide, wide]), bits=12, frames=3,
        SharedFunctionalGroupsSequence=[group(PixelValueTransformationSequence=[
            group(RescaleSlope=2, RescaleIntercept=-1000, RescaleType="HU")])],
        PerFrameFunctionalGroupsSequence=[group(FrameVOILUTSequence=[
            group(WindowCenter=1000 * (k + 1), WindowWidth=2000 + k)]) for k in range(3)]),
}
planar = dataset(rng.integers(0, 256, (3, 13, 7)).astype("u1"), photometric="RGB")
planar.Rows, planar.Columns, planar.SamplesPerPixel, planar.PlanarConfiguration = 13, 7, 3, 1
made["rgb_planar"] = planar
bits = dataset(np.packbits(rng.integers(0, 2, 3 * 5 * 7), bitorder="little")[None])
bits.Rows, bits.Columns, bits.NumberOfFrames = 5, 7, 3
bits.BitsAllocated = bits.BitsStored = 1
bits.HighBit = 0
made["one_bit_three_frames"] = bits
first_order = pydicom.dcmread(get_testdata_file("SC_rgb_jpeg_gdcm.dcm"))
first_order.file_meta.TransferSyntaxUID = JPEGLossless  # first-order prediction is one case of process 14
made["jpeg_lossless_57"] = first_order


def encoded(syntax, codestreams, pixels, extended=False, **more):
    """Frames as codestreams; a list of them is one frame in several fragments."""
    ds = dataset(pixels, **more)
    ds.file_meta.TransferSyntaxUID = syntax
    if extended:
        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(codestreams)
    else:
        ds.PixelData = encapsulate(codestreams)
    ds["PixelData"].VR = "OB"
    return ds


def baseline(grey):
    out = io.BytesIO()
    Image.fromarray(grey).save(out, "JPEG", quality=90)
    return out.getvalue()


y, x = np.mgrid[0:40, 0:32]
waves = (2047 * (1 + np.sin(x / 5 + y / 7))).round().astype("<u2")
grey = (waves >> 4).astype("u1")
made["grey_jpeg"] = encoded(JPEGBaseline8Bit, [baseline(grey)], grey)
frames = [baseline(np.roll(grey, 5 * k, 1)) for k in range(3)]
made["extended_offsets"] = encoded(JPEGBaseline8Bit, frames, np.stack([grey] * 3), extended=True, frames=3)
for name, has_table in [("fragments_offsets", True), ("fragments_no_offsets", False)]:
    made[name] = encoded(JPEGBaseline8Bit, frames, np.stack([grey] * 3), frames=3)
    made[name].PixelData = encapsulate(frames, fragments_per_frame=4, has_bot=has_table)
made["jpeg_extended_12"] = encoded(JPEGExtended12Bit, [imagecodecs.jpeg8_encode(waves, level=90, bitspersample=12)], waves, bits=12)
for bits in (8, 12, 16):
    values = rng.integers(0, 2**bits, (19, 23)).astype("u1" if bits == 8 else "<u2")
    values[-1, -1] = 2**bits - 1
    for predictor in range(1, 8):
        stream = imagecodecs.jpeg8_encode(values, lossless=True, predictor=predictor, bitspersample=bits)
        syntax = JPEGLosslessSV1 if predictor == 1 else JPEGLossless
        made[f"jpeg_lossless_{bits}_{predictor}"] = encoded(syntax, [stream], values, bits=bits)
colours = rng.integers(0, 65536, (11, 13, 3)).astype("<u2")
made["jpeg_lossless_rgb_16"] = encoded(JPEGLosslessSV1, [imagecodecs.jpeg8_encode(
    colours, lossless=True, predictor=1, bitspersample=16, colorspace="RGB", outcolorspace="RGB")], colours, photometric="RGB")
many = dataset(wide, bits=12)
block = many.private_block(0x0009, "every representation", create=True)
for k, (vr, value) in enumerate({"OV": bytes(16), "SV": -(2**40), "UV": 2**63, "UC": "unlimited", "UR": "urn:x", "OL": bytes(8), "OD": bytes(16),
                                 "OF": bytes(8), "UT": "text", "UN": bytes(6), "AT": 0x00080018, "OB": b"12"}.items()):
    block.add_new(k, vr, value)
made["every_vr"] = many
made["empty_lut_items"] = dataset(wide, bits=12, WindowCenter=2000, WindowWidth=3000, RescaleSlope=2, RescaleIntercept=-24,
                                  VOILUTSequence=[Dataset()], ModalityLUTSequence=[Dataset()])
made["pixels_like_a_sequence"] = dataset(np.r_[np.array([0xFFFE, 0xE000, 0, 0], "<u2"), wide.ravel()[4:]].reshape(wide.shape))
made["pixels_like_a_sequence"].file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
htj2k = copy.deepcopy(made["one_pixel"])
htj2k.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.201"
htj2k.PixelData = encapsulate([b"not decoded"])


def nested(ds, frame, outer, name):
    """An attribute of the frame's functional groups, else of the file."""
    for sequence, index in [("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)]:
        groups = ds.get(sequence)
        if groups and index < len(groups) and groups[index].get(outer) and name in groups[index].get(outer)[0]:
            return groups[index].get(outer)[0]
    return ds


def flat(ds, frame):
    """The dataset with the frame's functional groups at the top, where pydicom looks for them, without empty tables."""
    out = copy.copy(ds)
    for name in ["VOILUTSequence", "ModalityLUTSequence"]:
        if ds.get(name) and len(ds.get(name)[0]) == 0:
            delattr(out, name)
    for outer, names in [("PixelValueTransformationSequence", ["RescaleSlope", "RescaleIntercept"]),
                         ("FrameVOILUTSequence", ["WindowCenter", "WindowWidth", "VOILUTFunction"])]:
        source = nested(ds, frame, outer, names[0])
        for name in names:
            if source is not ds and name in source:
                setattr(out, name, source.get(name))
    return out


def first(value):
    return float(value[0] if isinstance(value, pydicom.multival.MultiValue) else value)


def shade(values, ds):
    """Modality values to 0..1, and how far pydicom's own windowing is from it."""
    if ds.get("VOILUTSequence"):
        bits = ds.VOILUTSequence[0].LUTDescriptor[2]
        return apply_voi_lut(values, ds) / (2**bits - 1), 0.0
    if ds.get("WindowCenter") is None or ds.get("WindowWidth") is None:
        kept = values[values != ds.PixelPaddingValue * ds.get("RescaleSlope", 1) + ds.get("RescaleIntercept", 0)] if "PixelPaddingValue" in ds else values
        low, high = float(kept.min()), float(kept.max())
        return (np.clip((values.astype("f8") - low) / (high - low), 0, 1) if high > low else values * 0.0), 0.0
    c, w = first(ds.WindowCenter), first(ds.WindowWidth)
    kind, v = ds.get("VOILUTFunction", "LINEAR"), values.astype("f8")
    if kind == "SIGMOID":
        mine = 1 / (1 + np.exp(-4 * (v - c) / w))
    else:
        if kind == "LINEAR":
            c, w = c - 0.5, w - 1
        with np.errstate(all="ignore"):
            mine = np.where(v <= c - w / 2, 0, np.where(v > c + w / 2, 1, (v - c) / w + 0.5))
    # on [0, 1]: the true end points depend on what pydicom takes for the value range
    theirs = apply_voi_lut(values, ds)
    ends = apply_voi_lut(np.array([-1e12, 1e12]), ds)
    low, high = (float(e) for e in ends)
    return mine, float(np.abs((theirs - low) / (high - low) - mine).max())


def rendered(ds, frame):
    multi = ds.get("NumberOfFrames", 1) or 1
    pixels = pixel_array(ds, index=frame) if int(multi) > 1 else pixel_array(ds)
    photometric = ds.PhotometricInterpretation
    if photometric == "PALETTE COLOR":
        out = apply_color_lut(pixels, ds)
        deep = out.dtype.itemsize > 1 and any(ds.get(f"{c}PaletteColorLookupTableData") and
            np.frombuffer(ds.get(f"{c}PaletteColorLookupTableData"), "<u2").max() > 255 for c in ["Red", "Green", "Blue"])
        return (out >> 8 if deep else out).astype(np.uint8), 0.0
    if ds.SamplesPerPixel == 3:
        if pixels.dtype.itemsize > 1:
            pixels = np.floor(pixels / (2**ds.BitsStored - 1) * 255 + 0.5).astype(np.uint8)
        return pixels, 0.0
    ds = flat(ds, frame)
    unit, away = shade(apply_modality_lut(pixels, ds), ds)
    grey = np.floor(unit * 255 + 0.5).astype(np.uint8)
    if photometric == "MONOCHROME1":
        grey = 255 - grey
    return np.repeat(grey[..., None], 3, -1), away


def entry(path):
    ds = pydicom.dcmread(path)
    frames = int(ds.get("NumberOfFrames", 1) or 1)
    frame = frames // 2
    rgb, away = rendered(ds, frame)
    syntax = ds.file_meta.TransferSyntaxUID
    out = {"syntax": str(syntax), "photometric": ds.PhotometricInterpretation, "frame": frame,
           "width": rgb.shape[1], "height": rgb.shape[0], "rgb": sha(np.ascontiguousarray(rgb).tobytes())}
    assert away < 1e-9, (path, away)
    if syntax in ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"):
        # another DCT and another chroma upsampling: compared by value
        step = 1 if max(rgb.shape) <= 256 else 8
        means = rgb[: rgb.shape[0] // step * step, : rgb.shape[1] // step * step].astype(float)
        means = means.reshape(rgb.shape[0] // step, step, rgb.shape[1] // step, step, 3).mean((1, 3))
        name = pathlib.Path(path).stem + ".png"
        Image.fromarray(means.round().astype(np.uint8)).save(here / name, optimize=True)
        out |= {"lossy": name, "step": step}
    return out


committed, packaged = {}, {}
for name, ds in made.items():
    ds.save_as(here / f"{name}.dcm", enforce_file_format=True)
for name in COPIED:
    shutil.copyfile(get_testdata_file(f"{name}.dcm"), here / f"{name}.dcm")
for path in sorted(here.glob("*.dcm")):
    committed[path.name] = entry(path)
for name in NOT_COMPARED:
    shutil.copyfile(get_testdata_file(f"{name}.dcm"), here / f"{name}.dcm")
htj2k.save_as(here / "htj2k.dcm", enforce_file_format=True)
if len(sys.argv) > 1:
    for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.dcm")):
        if path.name.startswith(("693_", "US1_")) or "32bit" in path.name or path.name.endswith("_UNCI.dcm"):
            continue
        try:
            packaged[path.name] = entry(path)
        except Exception as error:
            print("left out:", path.name, repr(error)[:150])
versions = {"pydicom": pydicom.__version__, "numpy": np.__version__}
(here / "expected.json").write_text(json.dumps({"made_with": versions, "committed": committed, "pydicom_data": packaged}, indent=1) + "\n")
