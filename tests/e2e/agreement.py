# SPDX-License-Identifier: MIT
"""What `explain` says of a request is what `run` does with it: status, kind of the error, its words, field, limit and offset;
of each part name, size, SHA-256 and where it goes."""
import re

from lib import *

ID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
RUNTIME = {re.escape(text): pattern for text, pattern in (("{uuid}", ID), ("{request_id}", ID), ("{date:%Y/%m}", "[0-9]{4}/[0-9]{2}"))}
BUSY = ("busy", "out-of-memory", "draining", "too-many")  # only a running one can be


def explain(p, request, split=65536):
    path = os.path.join(p.dir, "request")
    with open(path, "wb") as f:
        f.write(request)
    result = subprocess.run([BINARY, "explain", "--split", str(split), p.file, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def shown(target):
    """A pattern for the names that a shown one stands for."""
    pattern = re.escape(target)
    for placeholder, value in RUNTIME.items():
        pattern = pattern.replace(placeholder, f"(?:{value}|{placeholder})")  # a client may have written it, too
    return pattern


def agree_on_part(told, done):
    if told["target"] is not None and done["target"] is not None and re.fullmatch(shown(told["target"]), done["target"]):
        told = {**told, "target": done["target"]}
    return {key: done[key] for key in told} == told


def disagreement(told, answer):
    """What is not the same in explain's verdict and the answer; "": all is."""
    done = answer.json()
    if answer.status != told["status"]:
        return f"run said {answer.status} {done}, explain {told}"
    if told["error"] is None:
        same = len(done["parts"]) == len(told["parts"]) and all(map(agree_on_part, told["parts"], done["parts"]))
        return "" if same and done["route"] == told["route"] else f"run said {done}, explain {told}"
    said = {"error": done["type"].rpartition(":")[2], "reason": done["detail"], "route": done.get("route"), "field": done.get("field"),
            "limit": done.get("limit"), "offset": done.get("offset")}
    return "" if said == {key: told[key] for key in said} else f"run said {said}, explain {told}"


def check_body(p, what, path, content_type, body, splits=(), chunks=(), extra=""):
    """Sends and explains the body whole, in pieces, and in chunks. Explain's verdict."""
    how = {"type": content_type, "extra": extra}
    told = explain(p, head_of(path, len(body), **how) + body)
    in_chunks = told if told["limit"] != "body" else explain(p, head_of(path, **how) + chunked(body))  # there the head does not tell
    for split in splits:
        assert explain(p, head_of(path, len(body), **how) + body, split) == told, f"{what}: explain --split {split}"
        assert explain(p, head_of(path, **how) + chunked(body, split), split) == in_chunks, f"{what}: explain chunked {split}"
    for chunk in (None, *chunks):
        why = disagreement(in_chunks if chunk else told, post(p.port, path, body, chunk=chunk, **how))
        assert not why, f"{what} to {path}, chunks {chunk}: {why}"
    return told
