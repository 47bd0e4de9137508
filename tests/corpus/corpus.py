#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Bodies that nobody here wrote: corpus.py FORM_EVENTS. Each is fed whole and at every split (form_events.c checks
that this makes no difference) and compared with what its own project expects. Where we refuse or read differently on
purpose, DIFFERS says so and why; a difference that is not listed there fails, and so does a listed one that is gone."""
import base64
import concurrent.futures
import glob
import hashlib
import os
import re
import subprocess
import sys
import tempfile

CORPUS = os.environ.get("PENSTOCK_CORPUS", "../shared/corpus")
ENCODED = "the bytes are stored as sent: RFC 7578 4.7 drops Content-Transfer-Encoding"
AFTER = "a delimiter followed by anything but CRLF or -- is refused: some parsers end the part there, some do not"
DIFFERS = {
    "python-multipart/base64_encoding": ENCODED,
    "python-multipart/quoted_printable_encoding": ENCODED,
    "python-multipart/mixed_plain_and_base64_encoding": ENCODED,
    "python-multipart/mixed_case_headers": ENCODED,
    "python-multipart/almost_match_boundary_without_CR": AFTER,
    "python-multipart/almost_match_boundary_without_LF": AFTER,
    "python-multipart/almost_match_boundary_without_final_hyphen": AFTER,
    "python-multipart/single_field_blocks": "its YAML names another boundary than its body has",
    "curl/test1293": "a part without a name is refused",
    "curl/test650": "a Content-Disposition other than form-data is refused (curl was told to send it)",
}
passed = failed = skipped = 0
pending = []
workers = concurrent.futures.ThreadPoolExecutor(os.cpu_count())


def say(ok, name, why=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAIL {name}: {why}")


def run(tool, content_type, body):
    with tempfile.NamedTemporaryFile() as f:
        f.write(body)
        f.flush()
        result = subprocess.run([tool, content_type, f.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    parts, verdict = [], None
    for line in result.stdout.decode("utf-8", "replace").splitlines():
        row = line.split("\t")
        if row[0] == "part" and len(row) == 6:
            unhex = lambda s: None if s == "-" else bytes.fromhex(s)
            parts.append({"name": unhex(row[1]), "filename": unhex(row[2]), "type": row[3], "size": int(row[4]), "sha256": row[5]})
        elif row[0] in ("whole", "refused"):
            verdict = row
    return result.returncode, parts, verdict, result.stderr.decode("utf-8", "replace")[:2000]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def check(tool, name, content_type, body, expected):
    """expected(parts, verdict) returns "" or what is wrong."""
    pending.append((name, expected, workers.submit(run, tool, content_type, body)))


def settle(name, expected, code, parts, verdict, errors):
    if code != 0:
        say(False, name, f"not the same at every split ({code}): {errors}")
        return
    wrong = expected(parts, verdict)
    if name in DIFFERS:
        say(bool(wrong), name, "is listed as different on purpose, but agrees")
    else:
        say(not wrong, name, f"{wrong}; verdict {verdict}")


# -- python-multipart: X.http and X.yaml -------------------------------------------------------------------------

def read_expectation(text):
    boundary = re.search(r"^boundary: *(.*)$", text, re.M).group(1).strip().strip("'\"")
    if re.search(r"^\s+error:", text, re.M):
        return boundary, None
    parts = []
    for block in re.split(r"^\s*- ", text, flags=re.M)[1:]:
        get = lambda key, block=block: (re.search(rf"^\s*{key}: *(.*)$", block, re.M) or [None, None])[1]
        data = re.search(r"data: *!!binary \|\n((?:\s+\S+\n?)*)", block)
        parts.append({"name": get("name").strip("'\""), "file": get("file_name"),
                      "data": base64.b64decode("".join(data.group(1).split())) if data else b""})
    return boundary, parts


def python_multipart(tool):
    for path in sorted(glob.glob(f"{CORPUS}/python-multipart/http/*.yaml")):
        name = "python-multipart/" + os.path.basename(path)[:-5]
        boundary, parts = read_expectation(open(path, encoding="utf-8").read())
        body = open(path[:-5] + ".http", "rb").read()

        def expected(got, verdict, parts=parts):
            if parts is None:
                return "" if verdict[0] == "refused" else "should be refused"
            if verdict[0] != "whole":
                return "should be taken"
            want = [(p["name"].encode(), sha256(p["data"])) for p in parts]
            have = [(p["name"], p["sha256"]) for p in got]
            return "" if want == have else f"want {want}, have {have}"

        check(tool, name, f"multipart/form-data; boundary={boundary}", body, expected)


# -- jetty: X.raw and X.expected.txt -----------------------------------------------------------------------------

def jetty(tool):
    for path in sorted(glob.glob(f"{CORPUS}/jetty/*.raw")):
        name = "jetty/" + os.path.basename(path)[:-4]
        rows = [line.split("|") for line in open(path[:-4] + ".expected.txt", encoding="utf-8").read().splitlines()]
        content_type = next((r[2] for r in rows if r[0] == "Request-Header" and r[1] == "Content-Type"), None)
        body = open(path, "rb").read()
        if content_type is None:
            continue

        def expected(got, verdict, rows=rows, body=body):
            if verdict[0] != "whole":
                return "should be taken"
            for row in rows:
                same = [p for p in got if len(row) > 1 and p["name"] == row[1].encode()]
                if row[0] == "Parts-Count" and len(got) != int(row[1]):
                    return f"{len(got)} parts, not {row[1]}"
                if row[0] == "Part-Filename" and not any((p["filename"] or b"") == row[2].encode() for p in same):
                    return f"no {row[1]} with filename {row[2]}: {[p['filename'] for p in same]}"
                if row[0] == "Part-Sha1sum" and not any(sha1_of(body, p) == row[2].lower() for p in same):
                    return f"no {row[1]} with SHA-1 {row[2]}"
            return ""

        check(tool, name, content_type, body, expected)


def sha1_of(body, part):
    """SHA-1 of the piece of the body whose SHA-256 and size are the part's."""
    for m in re.finditer(rb"\r\n\r\n", body):
        piece = body[m.end():m.end() + part["size"]]
        if sha256(piece) == part["sha256"]:
            return hashlib.sha1(piece).hexdigest()
    return None


# -- curl: the request inside <protocol> --------------------------------------------------------------------------

def curl(tool):
    for path in sorted(glob.glob(f"{CORPUS}/curl/test*")):
        text = open(path, encoding="latin-1").read()
        m = re.search(r"<protocol[^>]*>\n(.*?)</protocol>", text, re.S)
        if not m:
            continue
        raw = m.group(1)
        if "crlf=" in text[m.start():m.start() + 40]:
            raw = raw.replace("%CR\n", "\n").replace("\n", "\r\n")
        raw = raw.replace("%CR\n", "\r\n").replace("%CR", "\r").replace("%TESTNUMBER", os.path.basename(path)[4:])
        # curl's own boundaries are stripped before comparing, so in some tests head and body name different ones
        delimiter = re.search(r"\r\n\r\n(--[^\r\n]+)\r\n", raw)
        if not delimiter or "multipart/form-data" not in raw:
            continue
        boundary = delimiter.group(1)[2:]
        start = delimiter.start(1)
        body = raw[start:]
        end = body.find("\r\n--" + boundary + "--")
        if end < 0:
            continue
        body = body[:end + len(boundary) + 6] + "\r\n"
        nested = "multipart/mixed" in body or "Content-Type: multipart/" in body
        fields = re.findall(r'Content-Disposition: form-data; name="((?:[^"\\]|\\.)*)"', body)

        def expected(got, verdict, fields=fields, nested=nested):
            if nested:
                return "" if verdict[0] == "refused" and "nested" in verdict[3] else "nested should be refused"
            if verdict[0] != "whole":
                return "should be taken"
            return "" if len(got) == len(fields) else f"{len(got)} parts, not {len(fields)}"

        check(tool, "curl/" + os.path.basename(path), "multipart/form-data; boundary=" + boundary, body.encode("latin-1"), expected)


def kcgi(tool):
    boundary = "---------------------------9051914041544843365972754266"
    for path in sorted(glob.glob(f"{CORPUS}/kcgi-afl/in/multipart/*")):
        name = "kcgi-afl/" + os.path.basename(path)
        nested = "mixed" in name

        def expected(got, verdict, nested=nested):
            if nested:
                return "" if verdict[0] == "refused" else "nested should be refused"
            names = [p["name"] for p in got]
            return "" if verdict[0] == "whole" and names == [b"text", b"file1", b"file2"] else f"{names}"

        check(tool, name, "multipart/form-data; boundary=" + boundary, open(path, "rb").read(), expected)


def main():
    global skipped
    tool = sys.argv[1]
    for name, run_all in (("python-multipart", python_multipart), ("jetty", jetty), ("curl", curl), ("kcgi-afl", kcgi)):
        before = passed + failed
        if os.path.isdir(f"{CORPUS}/{name}"):
            run_all(tool)
        for case, expected, result in pending:
            settle(case, expected, *result.result())
        pending.clear()
        if passed + failed == before:
            skipped += 1
            print(f"skip {name}: {CORPUS}/{name} is not here")
        else:
            print(f"ok {name}: {passed + failed - before} bodies read")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
