# SPDX-License-Identifier: MIT
"""S3's checksums, in base64 as its headers have them. The two CRCs that Python lacks are checksums.c, compiled at first use."""
import atexit
import base64
import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
import zlib

KINDS = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
WHOLE_ONLY, PARTS_ONLY = ("crc64nvme",), ("sha1", "sha256")


@functools.cache
def library():
    folder = tempfile.mkdtemp(prefix="penstock-s3-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, "checksums.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "checksums.c")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", path, source], check=True)
    loaded = ctypes.CDLL(path)
    for name, type in (("crc32c", ctypes.c_uint32), ("crc64nvme", ctypes.c_uint64)):
        function = getattr(loaded, name)
        function.restype, function.argtypes = type, (type, ctypes.c_char_p, ctypes.c_size_t)
    return loaded


def digest(kind, data):
    data = bytes(data)
    if kind in ("sha1", "sha256"):
        return hashlib.new(kind, data).digest()
    if kind == "crc32":
        return zlib.crc32(data).to_bytes(4, "big")
    value = getattr(library(), kind)(0, data, len(data))
    return value.to_bytes(8 if kind == "crc64nvme" else 4, "big")


def of(kind, data):
    return base64.b64encode(digest(kind, data)).decode()


def of_parts(kind, texts):
    """The checksum of an object that is COMPOSITE: that of its parts' checksums, and how many they are."""
    return f"{of(kind, b''.join(base64.b64decode(text) for text in texts))}-{len(texts)}"
