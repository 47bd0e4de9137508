# SPDX-License-Identifier: MIT
"""A process that is killed while forms of several places are committed: with `state`, the next start leaves no form half
visible. STATE_KILLS=150 kills more often; STATE_KILLS_WITHOUT=20 tells how many forms are left half visible without `state`."""
import itertools

from lib import *

HEAD = """state: "{dir}/state"
"""
ADMIN = """admin: { listen: ["unix:{dir}/admin.sock"] }
"""
# Each object's name says of which form it is, and cannot have been made by anybody else.
ROUTES = """destinations:
  store: { type: http, url: "http://127.0.0.1:{up}", undo: DELETE, timeout: { total: 1s } }
  one: { type: directory, path: "{dir}/out/one" }
  two: { type: directory, path: "{dir}/out/two" }
routes:
  - id: store
    match: { path: /store }
    fields: [ { name: "*", store: { to: store, path: "/{query.n}-{part}-{uuid}" } } ]
  - id: both
    match: { path: /both }
    fields:
      - { name: a, max_count: 1, store: { to: store, path: "/{query.n}-a-{uuid}" } }
      - { name: "*", store: { to: one, path: "{query.n}-{part}" } }
  - id: folders
    match: { path: /folders }
    fields:
      - { name: a, max_count: 1, store: { to: one, path: "{query.n}-a" } }
      - { name: "*", store: { to: two, path: "{query.n}-{part}" } }
"""
KINDS = ("store", "both", "folders")
PARTS = 3


class Mortal(Penstock):
    """May be killed, and starts again."""

    def kill(self):
        self.ending.set()
        self.process.kill()
        self.process.wait(DEADLINE)

    def again(self, env=None):
        self.ending.set()
        self.log_path += "+"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=env)
        wait_for(self.is_up, "penstock listens again")
        self.ending = threading.Event()
        if RELOAD:
            threading.Thread(target=self.reload_all_the_time, daemon=True).start()

    def ask(self, page):
        with connect(os.path.join(self.dir, "admin.sock")) as s:
            s.sendall(f"GET /{page} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            answer = read_answer(s)
            return answer.status, answer.body.decode()

    def figure(self, name):
        return next(int(line.split()[1]) for line in self.ask("metrics")[1].splitlines() if line.startswith(name + " "))

    def unsettled(self):
        return self.figure("penstock_state_unsettled")

    def state_files(self):
        return sorted(os.listdir(os.path.join(self.dir, "state")))


def body_of(n):
    return form(*[part(name, noise(300 + 7 * i, n), "f") for i, name in enumerate("abc")])


def objects(p, store):
    """Of each form, by its number, how many objects are visible."""
    with store.lock:
        names = [path[1:] for path in store.store]
    names += [os.path.basename(path) for path in p.files() if ".penstock-" not in path]
    return collections.Counter(int(name.split("-")[0]) for name in names)


class Clients:
    """Some that send one form after the other until the server is gone."""

    def __init__(self, p, numbers, n=4):
        self.p, self.numbers, self.whole, self.sent = p, numbers, set(), 0
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(n)]
        for thread in self.threads:
            thread.start()

    def run(self, i):
        with contextlib.suppress(OSError, AssertionError):
            for kind in itertools.islice(itertools.cycle(KINDS), i, None):
                n = next(self.numbers)
                self.sent += 1
                if post(self.p.port, f"/{kind}?n={n}", body_of(n)).status == 201:
                    self.whole.add(n)

    def end(self):
        for thread in self.threads:
            thread.join(DEADLINE)


def slowly(request):
    """Commits take a while, so that a kill meets some."""
    request.read_all()
    time.sleep(random.random() / 100)


def kill_some(kills, head):
    """How many forms were sent, how many of them are half visible, and how many were when it was killed."""
    numbers, sent, half, before = itertools.count(1), 0, 0, 0
    with Upstream(slowly) as store, Mortal(ROUTES, store, head=head) as p:
        for _ in range(kills):
            clients = Clients(p, numbers)
            wait_for(lambda: clients.sent > 20, "forms are sent")
            time.sleep(random.random() / 20)
            p.kill()
            clients.end()
            before += sum(0 < n < PARTS for n in objects(p, store).values())
            p.again()
            if head != ADMIN:
                wait_for(lambda: p.unsettled() == 0, "all is settled: " + p.log())
                wait_for(lambda: p.ask("readyz")[0] == 200, "it is ready: " + p.log())
            else:
                time.sleep(0.5)
            there = objects(p, store)
            halves = {n: there[n] for n in there if there[n] < PARTS}
            half += len(halves)
            sent += clients.sent
            assert head == ADMIN or not halves, (halves, p.log())
            assert all(there[n] == PARTS for n in clients.whole), "a client was told that a form is there, and it is not"
            with store.lock:
                store.store.clear()
            for folder in ("one", "two"):
                for name in os.listdir(os.path.join(p.out, folder)):
                    os.unlink(os.path.join(p.out, folder, name))
        assert head == ADMIN or len(p.state_files()) == 1, p.state_files()
    return sent, half, before


def test_no_kill_leaves_a_form_half_visible():
    kills = int(os.environ.get("STATE_KILLS", rounds(20)))
    sent, half, before = kill_some(kills, HEAD + ADMIN)
    print(f"# {kills} kills, {sent} forms, {before} half visible at the kill, {half} when all was settled")
    assert half == 0
    if os.environ.get("STATE_KILLS_WITHOUT"):
        kills = int(os.environ["STATE_KILLS_WITHOUT"])
        sent, half, before = kill_some(kills, ADMIN)
        print(f"# without state: {kills} kills, {sent} forms, {before} half visible at the kill, {half} after it")


# -- one form that was cut short ------------------------------------------------------------------------------------

class HalfStore(Upstream):
    """Takes one object, and owes the answer to all others. What becomes of a DELETE is for the test to say."""

    def __init__(self):
        super().__init__(self.half)
        self.deletes, self.on_delete = [], None

    def half(self, request):
        if request.method == "DELETE":
            self.deletes.append(request.path)
            return self.on_delete(request) if self.on_delete else None
        if not self.store and len(self.seen) == 1:
            return None
        request.read_all()
        self.release.wait(DEADLINE)
        return "done"


def cut_short(store, routes=ROUTES, path="/store?n=1"):
    """A process that was killed when one of a form's three objects was in the store."""
    p = Mortal(routes, store, head=HEAD + ADMIN)
    client = connect(p.port)
    client.sendall(head_of(path, len(body_of(1))) + body_of(1))
    wait_for(lambda: len(store.seen) > 1, "the second object is on its way")
    assert len(store.store) == 1
    p.kill()
    client.close()
    return p


def change(p, old, new):
    with open(p.file, encoding="utf-8") as f:
        text = f.read()
    assert old in text
    with open(p.file, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))


def test_an_object_whose_destination_is_gone_is_told_and_stays_until_it_is_back():
    with HalfStore() as store, cut_short(store) as p:
        change(p, "store: { type", "moved: { type")
        change(p, "to: store", "to: moved")
        p.again()
        assert p.unsettled() == 3 and p.ask("readyz")[0] == 200, p.ask("readyz")
        wait_for(lambda: "its destination is not in the route file" in p.log(), "the log says so")
        assert len(store.store) == 1 and not store.deletes
        change(p, "moved: { type", "store: { type")
        change(p, "to: moved", "to: store")
        p.process.send_signal(signal.SIGHUP)
        wait_for(lambda: p.unsettled() == 0, "a reload brings it back, and all is settled: " + p.log())
        assert not store.store and len(p.state_files()) == 1, (store.store, p.state_files())


def test_an_object_that_somebody_else_may_have_named_is_let_be():
    with HalfStore() as store, cut_short(store, ROUTES.replace("-{uuid}", "")) as p:
        for _ in range(2):  # it is told at every start
            p.again()
            assert p.unsettled() == 3 and p.ask("readyz")[0] == 200, p.ask("readyz")
            wait_for(lambda: p.log().count("may be there, and is let be") == 3, "the log says so of each")
            assert len(store.store) == 1 and not store.deletes
            p.kill()
        os.unlink(os.path.join(p.dir, "state", p.state_files()[0]))  # somebody has put it right
        p.again()


def test_a_store_that_is_down_at_the_start_is_asked_again():
    with HalfStore() as store, cut_short(store) as p:
        store.on_delete = Request.reset
        p.again()
        wait_for(lambda: len(store.deletes) > 6, "it is asked again and again")
        status, why = p.ask("readyz")
        assert status == 503 and "3 objects of commits that were cut short are not taken back yet" in why, (status, why)
        wait_for(lambda: p.log().count("it is tried again") == 3, "the log says so of each")
        assert len(store.store) == 1
        assert post(p.port, "/folders?n=2", body_of(2)).status == 201  # nobody has to wait for it
        store.on_delete = None
        wait_for(lambda: p.ask("readyz")[0] == 200, "it is ready")
        assert not store.store
        wait_for(lambda: "took back what a commit that was cut short" in p.log(), "it is told")
        wait_for(lambda: p.unsettled() == 0, "nothing is left")
        assert p.figure("penstock_state_taken_back_total") == 3
        assert p.log().count("took back what a commit that was cut short") == 1


def test_what_was_on_its_way_at_the_kill_may_still_land():
    with HalfStore() as store, cut_short(store) as p:
        late = store.seen[1].path
        p.again()
        wait_for(lambda: late in store.deletes, "it is asked for")
        with store.lock:
            store.store[late] = b"late"
        wait_for(lambda: p.unsettled() == 0, "all is settled")
        assert not store.store, store.store


def test_the_end_of_a_state_file_may_be_missing():
    with HalfStore() as store, cut_short(store) as p:
        with open(os.path.join(p.dir, "state", p.state_files()[0]), "ab") as f:
            f.write(b"000000ff 12345678 I\0half of a record")
        p.again()
        wait_for(lambda: p.unsettled() == 0, "all is settled: " + p.log())
        assert not store.store and len(p.state_files()) == 1


def test_a_process_that_takes_over_lets_the_other_one_commit():
    with HalfStore() as store, Mortal(ROUTES, store, head=HEAD + ADMIN) as p:
        client = connect(p.port)
        client.sendall(head_of("/store?n=1", len(body_of(1))) + body_of(1))
        wait_for(lambda: len(store.seen) > 1, "the second object is on its way")
        first = p.process
        p.command = lambda: [BINARY, "run", "--take-over", p.file]
        p.again()
        second = p.process
        try:
            assert p.unsettled() == 0 and len(p.state_files()) == 2 and len(store.store) == 1
            assert post(p.port, "/folders?n=2", body_of(2)).status == 201
            first.kill()
            first.wait(DEADLINE)
            p.again()
            wait_for(lambda: not store.store and len(p.state_files()) == 2, "all is settled, by whichever of the two: " + p.log())
            assert objects(p, store)[2] == PARTS and second.poll() is None
        finally:
            second.terminate()
            assert second.wait(DEADLINE) == 0
        client.close()


# -- a form that was given up ---------------------------------------------------------------------------------------

class Stubborn(Upstream):
    """Takes the first object of each form and refuses the others; of each object it refuses the first DELETEs, too."""

    def __init__(self, refusals, how=lambda request: request.answer(503)):
        super().__init__(self.take)
        self.refusals, self.how, self.deletes = refusals, how, []

    def take(self, request):
        request.read_all()
        if request.method == "DELETE":
            with self.lock:
                self.deletes.append(request.path)
                refuses = self.deletes.count(request.path) <= self.refusals
                if not refuses:
                    self.store.pop(request.path, None)
            return self.how(request) or "next" if refuses else request.answer(204) or "next"
        with self.lock:
            first = next(r.path for r in self.seen if r.method != "DELETE" and r.path.split("-")[0] == request.path.split("-")[0])
            if request.path == first:
                self.store[first] = bytes(request.body)
        if request.path != first:
            wait_for(lambda: first in self.store, "the first one is there")
        request.answer(201 if request.path == first else 500)
        return "next"


def give_up(p, store, n=1, route="store"):
    """A form of which one object stays in the store. Its path."""
    assert post(p.port, f"/{route}?n={n}", body_of(n)).status == 502
    (path,) = [path for path in store.store if path.startswith(f"/{n}-")]
    wait_for(lambda: any("/" + line["target"].lstrip("/") == path for line in p.lines('"msg":"left"')), "the log says that it is left")
    return path


def is_as_it_was(p, n_files=1):
    return p.unsettled() == 0 and len(p.state_files()) == n_files


def test_what_a_store_refuses_to_take_back_is_taken_back_while_the_process_runs():
    for how in (lambda request: request.answer(503), Request.reset):
        with Stubborn(2, how) as store, Mortal(ROUTES, store, head=HEAD + ADMIN) as p:
            path = give_up(p, store)
            assert p.ask("readyz")[0] == 200, "a store that refuses is no reason to send clients elsewhere: " + p.ask("readyz")[1]
            wait_for(lambda: not store.store, "it is gone: " + p.log())
            assert store.deletes.count(path) >= 3 and all(name.startswith("/1-") for name in store.deletes), store.deletes
            wait_for(lambda: is_as_it_was(p), "all is settled")
            said = [line["name"] for line in p.lines("an object of a form that was given up cannot be taken back yet")]
            assert said and len(said) == len(set(said)), said  # how often a request is sent anew where a connection breaks is not for this test
            wait_for(lambda: p.log().count("took back what a form that was given up had left") == 1, "the log says so")
            assert p.ask("readyz")[0] == 200 and p.process.poll() is None
            p.process.terminate()
            assert p.process.wait(DEADLINE) == 0 and not p.state_files(), p.state_files()


def test_what_is_to_be_taken_back_outlives_a_kill_and_does_not_hold_up_an_end():
    for end in (signal.SIGKILL, signal.SIGTERM):
        with Stubborn(1 << 30) as store, Mortal(ROUTES, store, head=HEAD + ADMIN + "shutdown: { drain: 600s }") as p:
            path = give_up(p, store)
            wait_for(lambda: store.deletes.count(path) > 1, "it is asked for again")
            p.process.send_signal(end)
            assert p.process.wait(DEADLINE) == (0 if end == signal.SIGTERM else -end), p.log()
            assert end != signal.SIGTERM or "is left to the next start" in p.log(), p.log()
            assert list(store.store) == [path] and len(p.state_files()) == 1
            p.again()
            wait_for(lambda: "a commit of several objects was cut short" in p.log(), "it is found")
            store.refusals = 0
            wait_for(lambda: not store.store and is_as_it_was(p), "the next one takes it back: " + p.log())


def test_a_name_that_another_form_may_have_is_not_asked_for_again():
    """The form that has the name by then stands. When the process has gone on to what was left later, it has left this one alone."""
    named = ROUTES + """  - id: named
    match: { path: /named }
    fields: [ { name: "*", store: { to: store, path: "/{query.n}-{part}" } } ]
"""
    with Stubborn(1) as store, Mortal(named, store, head=HEAD + ADMIN) as p:
        path = give_up(p, store, 1, "named")
        assert store.deletes == [path]
        store.script = None  # it takes everything
        assert post(p.port, "/named?n=1", body_of(2)).status == 201 and len(store.store) == 3
        store.script = store.take
        other = give_up(p, store, 2)
        wait_for(lambda: other not in store.store, "the other one is gone: " + p.log())
        assert store.deletes.count(path) == 1 and objects(p, store) == {1: PARTS}, store.deletes


# -- a state that cannot be written ---------------------------------------------------------------------------------

def test_a_state_that_cannot_be_is_no_start():
    for state, why in (("/dev/null", "Not a directory"), ("/proc/none", "No such file"), ("/proc/self", "cannot be written")):
        with tempfile.TemporaryDirectory() as folder:
            routes = os.path.join(folder, "routes.yaml")
            with open(routes, "w", encoding="utf-8") as f:
                f.write(f'version: 1\nlisten: ["unix:{folder}/in.sock"]\nstate: {state}\n' + ROUTES.replace("{dir}", folder).replace("{up}", "1"))
            ended = subprocess.run([BINARY, "run", routes], capture_output=True, text=True, timeout=DEADLINE, check=False)
            said = ended.stdout + ended.stderr
            assert ended.returncode not in (0, -11) and f"state: {state}: " in said and why in said, (ended.returncode, said)


def test_without_room_for_the_journal_nothing_becomes_visible():
    with Upstream() as store, tempfile.TemporaryDirectory() as disk:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], check=False, stderr=subprocess.DEVNULL).returncode != 0:
            raise Skip("no file system can be mounted here")
        try:
            with Mortal(ROUTES, store, head=f"state: {disk}\n" + ADMIN) as p:
                assert post(p.port, "/store?n=1", body_of(1)).status == 201
                with contextlib.suppress(OSError), open(os.path.join(disk, "full"), "wb", buffering=0) as f:
                    while True:
                        f.write(bytes(1024))
                n = 1
                while (answer := post(p.port, f"/store?n={n + 1}", body_of(n))).status == 201:  # its last block has some room
                    n += 1
                assert answer.status == 507 and b"journal of commits" in answer.body, answer.body
                there = objects(p, store)
                assert there == {i: PARTS for i in range(1, n + 1)}, (n, there, answer.body, p.log())
                status, why = p.ask("readyz")
                assert status == 503 and "the journal of commits cannot be written" in why, (status, why)
                os.unlink(os.path.join(disk, "full"))
                wait_for(lambda: p.ask("readyz")[0] == 200, "it is ready again")
                assert post(p.port, f"/store?n={n + 2}", body_of(1)).status == 201
        finally:
            subprocess.run(["umount", "-l", disk], check=True)


def test_a_journal_that_was_removed_is_told_of_and_made_again():
    with Upstream() as store, Mortal(ROUTES, store, head=HEAD + ADMIN) as p:
        folder = os.path.join(p.dir, "state")
        assert post(p.port, "/store?n=1", body_of(1)).status == 201
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        answer = post(p.port, "/store?n=2", body_of(2))
        assert answer.status == 503 and b"journal of commits" in answer.body, (answer.status, answer.body)
        assert objects(p, store) == {1: PARTS}
        wait_for(lambda: p.ask("readyz")[0] == 200, "the file is there again")
        assert os.listdir(folder) and post(p.port, "/store?n=3", body_of(3)).status == 201
        shutil.rmtree(folder)
        assert post(p.port, "/store?n=4", body_of(4)).status == 503
        assert objects(p, store) == {1: PARTS, 3: PARTS}, objects(p, store)
        wait_for(lambda: "can be written again" in p.log(), "a line of the log")


def test_a_reload_does_not_change_the_state():
    with Mortal(ROUTES, head=HEAD + ADMIN) as p:
        change(p, "/state\"", "/other\"")
        p.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "state: cannot be changed without a restart" in p.log(), "the reload is refused")
