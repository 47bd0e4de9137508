# SPDX-License-Identifier: MIT
"""What `explain` says of a body is what `run` does with it, however the body is cut: the outside corpora, and mutations of them."""
import random
import sys

from lib import *

HERE = os.path.dirname(os.path.abspath(__file__))
ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - id: r
    limits: { parts: 20, part_head: 2KiB, values: 4KiB }
    fields:
      - { name: "pics", max_count: 3, max_size: 64KiB, store: { to: files, key: "{uuid}/{part}-{field}-{file.name}.{file.ext}" } }
      - { name: "*", store: { to: files, key: "{uuid}/{part}-{field}" } }
"""


def corpus_bodies():
    sys.path.insert(0, os.path.join(HERE, "..", "corpus"))
    import corpus
    if not os.path.isdir(corpus.CORPUS):
        raise Skip(f"{corpus.CORPUS} is not here")
    found = []
    corpus.check = lambda tool, name, content_type, body, expected: found.append((name, content_type, body))
    for read in (corpus.python_multipart, corpus.jetty, corpus.curl, corpus.kcgi):
        read(None)
    return found


def mutate(body, chance):
    """A few bytes changed, cut out, doubled or put in, mostly such that mean something in a form."""
    body = bytearray(body[:20_000])
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(body) + 1)
        how = chance.randrange(4)
        piece = chance.choice([b"\r\n", b"\n", b"\r", b"--", b'"', b";", b"\\", b"\0", b" ", b"\t", b"=", b"*", b"%22", b"\xff", b"\r\n\r\n", b":", b"a"])
        if how == 0:
            body[at:at] = piece
        elif how == 1:
            del body[at:at + chance.randrange(1, 40)]
        elif how == 2:
            body[at:at + len(piece)] = piece
        else:
            body[at:at] = body[at:at + chance.randrange(1, 200)]
    return bytes(body)


def explain(p, request, split):
    path = os.path.join(p.dir, "request")
    with open(path, "wb") as f:
        f.write(request)
    result = subprocess.run([BINARY, "explain", "--split", str(split), p.file, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def check_agreement(p, name, content_type, body, splits, chunks):
    told = explain(p, head_of("/r", len(body), type=content_type) + body, 65536)
    for split in splits:
        assert explain(p, head_of("/r", len(body), type=content_type) + body, split) == told, f"{name}: explain --split {split}"
        assert explain(p, head_of("/r", type=content_type) + chunked(body, split), split) == told, f"{name}: explain chunked {split}"
    for chunk in chunks:
        answer = post(p.port, "/r", body, chunk=chunk, type=content_type)
        assert answer.status == told["status"], f"{name}: chunks {chunk}: run {answer.status} {answer.body[:300]}, explain {told}"
        if answer.status == 201:
            for a, b in zip(answer.json()["parts"], told["parts"], strict=True):
                target = (b["target"] or "").replace("{uuid}", (a["target"] or "")[:36]) or None
                assert {k: a[k] for k in b} == {**b, "target": target}, f"{name}: {a} {b}"
        else:
            problem = answer.json()
            assert (problem["detail"], problem.get("offset")) == (told["reason"], told["offset"]), f"{name}: {problem} {told}"
    return told["status"]


def test_explain_agrees_with_run_on_the_corpora():
    bodies = corpus_bodies()
    with Penstock(ROUTES) as p:
        seen = [check_agreement(p, *case, (1, 7) if len(case[2]) < 3000 else (61,), (None, 7) if len(case[2]) < 3000 else (None, 4096))
                for case in (bodies if not SMALL else bodies[::8])]
        assert seen.count(201) > len(seen) / 3 and seen.count(400) > 2, seen


def test_explain_agrees_with_run_on_mutations():
    chance = random.Random(4)
    bodies = [case for case in corpus_bodies() if 0 < len(case[2]) < 20_000]
    with Penstock(ROUTES) as p:
        for i in range(rounds(150)):
            name, content_type, body = chance.choice(bodies)
            check_agreement(p, f"{name} mutated {i}", content_type, mutate(body, chance), (chance.choice((1, 2, 3, 7)),), (None, chance.choice((1, 5, 100))))
