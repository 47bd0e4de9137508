# SPDX-License-Identifier: MIT
"""What `explain` says of a body is what `run` does with it, however the body is cut: the outside corpora, and mutations of them."""
import random
import sys

from agreement import *

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


def test_explain_agrees_with_run_on_the_corpora():
    bodies = corpus_bodies()
    with Penstock(ROUTES) as p:
        seen = [check_body(p, name, "/r", content_type, body, (1, 7) if len(body) < 3000 else (61,), (7,) if len(body) < 3000 else (4096,))["status"]
                for name, content_type, body in (bodies if not SMALL else bodies[::8])]
        assert seen.count(201) > len(seen) / 3 and seen.count(400) > 2, seen


def test_explain_agrees_with_run_on_mutations():
    chance = random.Random(4)
    bodies = [case for case in corpus_bodies() if 0 < len(case[2]) < 20_000]
    with Penstock(ROUTES) as p:
        for i in range(rounds(150)):
            name, content_type, body = chance.choice(bodies)
            check_body(p, f"{name} mutated {i}", "/r", content_type, mutate(body, chance), (chance.choice((1, 2, 3, 7)),), (chance.choice((1, 5, 100)),))
