# SPDX-License-Identifier: MIT
"""What a form sets aside of the memory, and the size of its parts, follow what it can have at most: limits, and its Content-Length.
And a crowd that is far larger than the memory goes through it, one after the other."""
import json

import misbehave as mis
from s3 import *
from test_memory import check_peak
from test_ops import Admin
from test_wait import waiting

MEMORY = "memory_wait: 10m\n"
DENIED = mis.status(403, "AccessDenied")
TEN_THOUSAND = 10_000 * PART


def begin(p, length, bytes_sent):
    """A form of one file that says how long it is (None: chunked), of which so many bytes come."""
    s, start = connect(p.port), part("f", b"", "name")[:-2]
    if length is None:
        s.sendall(head_of("/s") + chunked(start + noise(bytes_sent), 65536)[:-5])
    else:
        s.sendall(head_of("/s", length) + start + noise(bytes_sent))
    return s


def test_ten_thousand_parts_suffice_for_what_a_form_says_that_it_has():
    """The first part tells their size."""
    unlimited, one_gib = "limits: { body: none },", "max_size: 1GiB,"
    cases = [(TEN_THOUSAND - 1, "", "", 5), (TEN_THOUSAND, "", "", 5), (TEN_THOUSAND + 1, "", "", 6), (10_000 * 7 * MIB, "", "", 7),
             (10_000 * 7 * MIB + 1, "", "", 8), (None, "", "", 5), (TEN_THOUSAND + 1, "", one_gib, 5), (TEN_THOUSAND * 2 + 1, "part_size: 6MiB", "", 6)]
    for length, more, rule, mib in cases:
        with FakeS3(keep=False) as fake, Penstock(routes(more, rule=rule, route=unlimited), fake, memory="64MiB") as p:
            with begin(p, length, 8 * MIB + 1000):
                wait_for(lambda: fake.of("part") and fake.of("part")[0].is_read, f"a part comes: {length} {p.log()}")
                assert len(fake.of("part")[0].body) == mib * MIB, (length, more, rule, len(fake.of("part")[0].body))
            check_nothing_is_left(fake)
    limited = f"limits: {{ body: {TEN_THOUSAND + 1} }},"
    for length, mib in ((None, 6), (TEN_THOUSAND, 5), (TEN_THOUSAND + 1, 6)):
        with FakeS3(keep=False) as fake, Penstock(routes(route=limited), fake, memory="64MiB") as p, begin(p, length, 8 * MIB):
            wait_for(lambda: fake.of("part") and fake.of("part")[0].is_read, f"a part comes: {p.log()}")
            assert len(fake.of("part")[0].body) == mib * MIB, length


def test_a_form_that_no_memory_is_enough_for_is_refused_at_once():
    with FakeS3() as fake, Penstock(routes(route="limits: { body: none },"), fake, memory="64MiB") as p:
        for extra in ("", "Expect: 100-continue\r\n"):
            with connect(p.port) as s:
                s.sendall(head_of("/s", 10**15, extra=extra))
                answer = read_answer(s)
                assert answer.status == 413 and answer.json()["limit"] == "memory", answer.body
        assert fake.calls == []
        with begin(p, 30_000 * 10 * MIB, 300_000):  # parts of 30 MiB fit
            wait_for(lambda: fake.of("create"), f"it is let in: {p.log()}")


def test_short_forms_set_aside_no_more_than_they_have():
    """Of forms of unknown length only one has room."""
    data = noise(SHORT)
    with FakeS3() as fake, Admin(routes(key="{uuid}"), fake, head=MEMORY, memory="12MiB") as p:
        helds = [Held(p, files(data)) for _ in range(8)]
        wait_for(lambda: len(fake.of("create")) == 8, f"all are in: {fake.calls}")
        assert waiting(p) == 0
        assert [held.finish().status for held in helds] == [201] * 8
        assert list(fake.store.objects().values()) == [data] * 8
        fake.calls.clear()
        with begin(p, None, SHORT):
            wait_for(lambda: fake.of("create"), "it is in")
            other = connect(p.port)
            other.sendall(head_of("/s") + chunked(form(*files(data)), 65536))
            wait_for(lambda: waiting(p) == 1, "the other one waits")
        assert read_answer(other).status == 201
        other.close()


def test_a_form_of_small_files_that_are_more_than_the_memory():
    """What it keeps until the commit has a bound; the others are uploads, with the rest of their form in one commit."""
    datas = [noise(100_000 + i) for i in range(150)] + [noise(1000 + i) for i in range(50)]
    for rule in ("", "max_size: 110000,"):
        with FakeS3() as fake, Penstock(routes("undo: DELETE", rule=rule, key="{uuid}-{file.name}"), fake, memory="12MiB") as p:
            answer = post(p.port, "/s", form(*files(*datas)))
            assert answer.status == 201, (answer.body[:500], fake.calls[-5:])
            found = {key.split("-")[-1]: data for key, data in fake.store.objects().items()}
            assert [found[f"{i}.bin"] for i in range(len(datas))] == datas
            assert fake.count("complete") > 100 and fake.count("put") >= 50, (fake.count("complete"), fake.count("put"))
            assert fake.count("put") + fake.count("complete") == len(datas)
            fake.on("complete", 20, DENIED)
            answer = post(p.port, "/s", form(*files(*datas)))
            assert answer.status == 502 and len(fake.store.objects()) == len(datas), (answer.status, len(fake.store.objects()))
            check_nothing_is_left(fake)


def test_files_of_each_length_in_a_form_that_says_how_long_it_is():
    """The form is the least that a part may be sized by, so its files meet every edge of it."""
    for n in (PUT_MAX + 1, 32768 * 9, PART - 300, PART - 1, PART, PART + 1):
        for datas in ([noise(n)], [noise(n), b"", noise(PUT_MAX + 1, 2)]):
            with FakeS3() as fake, Penstock(routes(), fake, memory="64MiB") as p:
                answer = post(p.port, "/s", form(*files(*datas)))
                assert answer.status == 201 and fake.store.objects() == {str(i + 1): data for i, data in enumerate(datas)}, (n, answer.body)
                assert not fake.refused() and not fake.store.unfinished()


# -- a crowd ------------------------------------------------------------------------------------------------------------


class Drain:
    """tests/bench/drain.c: it takes everything as fast as that comes, and counts."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="penstock-s3-")
        source = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench", "drain.c")
        subprocess.run(["cc", "-std=c17", "-O2", "-D_GNU_SOURCE", "-o", f"{self.dir}/drain", source], check=True)
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", f"{self.dir}/drain", "0"], stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        return self

    def counts(self):
        with connect(self.port) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return json.loads(read_answer(s).body)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.dir)


def send_file(p, size, block):
    start, end = part("f", b"", "name")[:-2], b"\r\n" + END
    with connect(p.port, timeout=600) as s:
        s.sendall(head_of("/s", len(start) + size + len(end)) + start)
        for at in range(0, size, len(block)):
            s.sendall(block[:size - at])
        s.sendall(end)
        answer = read_answer(s)
        return answer.status, answer.json().get("parts", [{}])[0].get("size")


def test_a_hundred_large_uploads_that_start_together_all_finish_within_the_memory():
    """E2E_ROUNDS=full: a hundred megabytes each."""
    is_fast = os.environ.get("E2E_TREE", "release") == "release" and not SMALL
    n, size = 100, 100_000_000 if os.environ.get("E2E_ROUNDS") == "full" else 20_000_000 if is_fast else 6_000_000
    block = noise(1 << 20)
    with Drain() as drain, Penstock(routes(key="{uuid}"), drain, head=MEMORY, memory="64MiB", workers=2) as p:
        together = threading.Barrier(n)

        def upload(_):
            together.wait()
            return send_file(p, size, block)
        with concurrent.futures.ThreadPoolExecutor(n) as pool:
            told = list(pool.map(upload, range(n)))
        assert told == [(201, size)] * n, told
        check_peak(p, 64 + 32)
        counts, parts = drain.counts(), -(-size // PART)
        print(f"{n} uploads of {size} bytes: peak {(p.memory('VmHWM') - p.memory('RssFile')) >> 20} MiB beside the program's pages; {counts}")
        assert (counts["creates"], counts["completes"], counts["puts"], counts["deletes"]) == (n, n, 0, 0), counts
        assert counts["parts"] == n * parts and counts["bytes"] >= n * size, counts
