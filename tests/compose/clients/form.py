# SPDX-License-Identifier: MIT
"""The form that every client uploads: values, an empty file, names that need care, one file of 200 MB.

write_form() lays it out in a folder for programs in any language: form.tsv has a line for each part,
    value<TAB>NAME<TAB>PATH                         the value is what the file at PATH holds
    file<TAB>NAME<TAB>PATH<TAB>FILENAME<TAB>TYPE"""
import collections
import hashlib
import os

from lib import noise

Part = collections.namedtuple("Part", "kind name path filename type size sha256")
# What a client was told, and had sent: `told` has a dictionary for each part with what it could see of it, or is None.
Seen = collections.namedtuple("Seen", "request_id told sent status")
BIG = int(os.environ.get("CLIENTS_BIG", 200_000_000))
TRICKY = b"\r\n--\r\n------boundary\r\n\r\n--\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + bytes(range(256))
VALUES = [("title", "Käse & <b>bold</b> \u2603 \u65e5\u672c\u8a9e"), ('say "hi"', 'a "quoted" value, 100% \\ done'), ("Größe \u2603", "one\r\ntwo"),
          ("nothing", "")]
FILES = [("empty.bin", "application/octet-stream"), ("Größe \u2603 \u65e5\u672c\u8a9e.txt", "text/plain"),
         ('the "plain" one.png', "image/png"), ("200 MB; big=yes.bin", "application/octet-stream")]
CHUNK = 1 << 20


def digest_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while piece := f.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def write_big(path, size):
    """Bytes that differ from place to place: a piece that is lost, doubled or moved changes the digest."""
    piece = noise(CHUNK, "big")
    with open(path, "wb") as f:
        for at in range(0, size, CHUNK):
            f.write((at.to_bytes(8, "big") + piece[8:])[:min(CHUNK, size - at)])


def write_contents(at):
    for i, (_, value) in enumerate(VALUES):
        with open(f"{at}/value{i}", "wb") as f:
            f.write(value.encode())
    for name, data in (("file0", b""), ("file1", TRICKY), ("file2", noise(70_001))):
        with open(f"{at}/{name}", "wb") as f:
            f.write(data)
    write_big(f"{at}/file3", BIG)


def write_form(at):
    """The parts in the order of the form; their bytes and form.tsv lie in the folder `at`."""
    write_contents(at)
    parts = []
    for i, (name, _) in enumerate(VALUES):
        parts.append(("value", name, f"{at}/value{i}", None, None))
    for i, (filename, type) in enumerate(FILES):
        parts.append(("file", "file", f"{at}/file{i}", filename, type))
    with open(f"{at}/form.tsv", "w", encoding="utf-8", newline="") as f:
        for part in parts:
            f.write("\t".join(word for word in part if word is not None) + "\n")
    return [Part(*part, os.path.getsize(part[2]), digest_of(part[2])) for part in parts]
