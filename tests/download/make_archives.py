"""Archives, sound and hostile, as Python writes them: make_archives.py FOLDER. Names say what is wrong with each."""

import gzip
import io
import pathlib
import random
import struct
import sys
import tarfile
import warnings
import zipfile

out = pathlib.Path(sys.argv[1])
noise = random.Random(1)
warnings.simplefilter("ignore")  # about names that occur twice


def make_zip(name, entries, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(out / name, "w", compression) as archive:
        for path, content in entries:
            info = zipfile.ZipInfo(path)
            info.compress_type = compression
            archive.writestr(info, content)
    return (out / name).read_bytes()


def patched(content, at, value):
    changed = bytearray(content)
    changed[at : at + len(value)] = value
    return bytes(changed)


sound = make_zip("sound.zip", [("imgs/", b""), ("imgs/a/x.txt", b"hello" * 1000), ("imgs/b.bin", noise.randbytes(300_000)),
                               ("imgs/empty", b""), ("imgs/é.txt", b"accent"), ("__MACOSX/imgs/._b.bin", b"clutter")])
stored = make_zip("stored.zip", [("one.txt", b"hello world" * 100)], zipfile.ZIP_STORED)
with zipfile.ZipFile(out / "zip64.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    with archive.open(zipfile.ZipInfo("big"), "w", force_zip64=True) as entry:
        entry.write(b"q" * 100_000)
for name, path in [("leaves", "../evil"), ("leaves_inside", "a/../../evil"), ("absolute", "/etc/evil"),
                   ("backslash", "a\\..\\evil"), ("drive", "C:/evil"), ("dot", "a/./b"),
                   ("newline", "a\nb"), ("escape", "a\x1b]0;b"), ("csi", "a\x9b2Jb"), ("bidi", "a\u202egpj.exe"),
                   ("invisible", "a\u200bb"), ("long", "n" * 256), ("absolute_windows", "\\\\host\\evil")]:
    make_zip(f"{name}.zip", [(path, b"x")])
make_zip("twice.zip", [("a", b"1"), ("a", b"2")])
make_zip("case.zip", [("A.jpg", b"1"), ("a.JPG", b"2")])
make_zip("composed.zip", [("caf\u00e9", b"1"), ("cafe\u0301", b"2")])
make_zip("file_and_folder.zip", [("a", b"1"), ("a/b", b"2")])
make_zip("bomb.zip", [("bomb", b"\0" * 20_000_000)])
make_zip("much.zip", [(f"{i}", noise.randbytes(700_000)) for i in range(10)])
make_zip("nothing.zip", [("folder/", b"")])
link = zipfile.ZipInfo("link")
link.create_system, link.external_attr = 3, 0o120777 << 16
with zipfile.ZipFile(out / "link.zip", "w") as archive:
    archive.writestr(link, "/etc/passwd")
(out / "cut.zip").write_bytes(sound[: len(sound) // 2])
(out / "tail_cut.zip").write_bytes(sound[:-10])
(out / "page.zip").write_bytes(b"<html>not found</html>" * 100)
(out / "crc.zip").write_bytes(patched(stored, 60, b"!"))
(out / "two_names.zip").write_bytes(patched(stored, 30, b"two.txt"))
directory = stored.find(b"PK\1\2")
(out / "encrypted.zip").write_bytes(patched(patched(stored, 6, b"\1"), directory + 8, b"\1"))
second = sound.find(b"PK\1\2", sound.find(b"PK\1\2") + 4)
(out / "size_lie.zip").write_bytes(patched(sound, second + 24, struct.pack("<I", 10)))

FILE = tarfile.REGTYPE


def make_tar(name, entries, layout=tarfile.PAX_FORMAT):
    with tarfile.open(out / name, "w:gz", format=layout, pax_headers={"comment": "a commit"}) as archive:
        for path, content, kind, target in entries:
            info = tarfile.TarInfo(path)
            info.type, info.linkname, info.size = kind, target, len(content)
            archive.addfile(info, io.BytesIO(content))
    return (out / name).read_bytes()


long = "n" * 180 + ".png"
sound = make_tar("sound.tar.gz", [("repo/", b"", tarfile.DIRTYPE, ""), ("repo/README", b"text", FILE, ""),
                                  ("repo/data/a.json", b"[]" * 4000, FILE, ""), ("repo/data/é.txt", b"accent", FILE, ""),
                                  (f"repo/data/{long}", noise.randbytes(100_000), FILE, "")])
make_tar("gnu.tar.gz", [(long, b"x" * 1000, FILE, "")], tarfile.GNU_FORMAT)
for name, path in [("leaves", "../evil"), ("absolute", "/etc/evil"), ("newline", "a\nb"), ("escape", "a\x1b[2Jb"),
                   ("long", "n" * 300)]:
    make_tar(f"{name}.tar.gz", [(path, b"x", FILE, "")])
make_tar("link.tar.gz", [("l", b"", tarfile.SYMTYPE, "/etc/passwd")])
make_tar("hard_link.tar.gz", [("l", b"", tarfile.LNKTYPE, "../x")])
make_tar("fifo.tar.gz", [("l", b"", tarfile.FIFOTYPE, "")])
make_tar("device.tar.gz", [("l", b"", tarfile.CHRTYPE, "")])
make_tar("case.tar.gz", [("A.jpg", b"1", FILE, ""), ("a.JPG", b"2", FILE, "")])
make_tar("twice.tar.gz", [("a", b"1", FILE, ""), ("a", b"2", FILE, "")])
make_tar("bomb.tar.gz", [("b", b"\0" * 20_000_000, FILE, "")])
(out / "cut.tar.gz").write_bytes(sound[: len(sound) // 2])
(out / "tail_cut.tar.gz").write_bytes(sound[:-6])
plain = gzip.decompress(sound)
(out / "tar_cut.tar.gz").write_bytes(gzip.compress(plain[: len(plain) // 2]))
(out / "header.tar.gz").write_bytes(gzip.compress(patched(plain, 512 * 3 + 10, b"\x7f")))
