# SPDX-License-Identifier: MIT
"""A process that is killed while a form is handed to its application: what is visible and what the application hears of it agree when the next
process has settled all, wherever the kill came."""
import re
import sys

from lib import *
from test_state import Mortal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from application import signature  # noqa: E402

KEY = "a key of this test"
HEAD = """state: "{dir}/state"
admin: { listen: ["unix:{dir}/admin.sock"] }
"""
FIELDS = """fields: [ { name: photo, kind: file, store: { to: files, key: "{uuid}" } }, { name: doc, kind: file, max_count: 1, store: { to: store, path: "/{uuid}" } } ]"""
APP = f'to: app, sign: {{ key: "{KEY}" }}, failed: {{ path: "/failed?id={{request_id}}" }}, timeout: 60s'  # so long that nothing is asked twice for being slow
ROUTES = f"""destinations:
  files: {{ type: directory, path: "{{dir}}/out" }}
  store: {{ type: http, url: "http://127.0.0.1:{{up}}/s", undo: DELETE, timeout: {{ total: 2s }} }}
  app: {{ type: http, url: "http://127.0.0.1:{{app}}/base" }}
routes:
  - {{ id: committed, match: {{ path: /committed }}, {FIELDS}, app: {{ {APP}, resolve: {{ path: /resolve }} }} }}
  - {{ id: unsaid, match: {{ path: /unsaid }}, {FIELDS}, app: {{ {APP} }} }}
  - {{ id: held, match: {{ path: /held }}, {FIELDS}, app: {{ {APP}, when: held }} }}
  - {{ id: stays, match: {{ path: /stays }}, {FIELDS}, app: {{ {APP}, undo_on: none }} }}
"""
PATIENT = ROUTES.replace("total: 2s", "total: 60s")  # a kill would be followed by deletes for as long
PHOTO, DOC = noise(3000), noise(4000, 2)
BODY = form(part("photo", PHOTO, "p.png", "image/png"), part("doc", DOC, "d.bin"))


class App(Upstream):
    """`form`, `failed` and `resolve` are what it does with each: a status, or a function. `heard` is what it was told and asked."""

    def __init__(self):
        super().__init__(script=self.take)
        self.form, self.failed, self.resolve = 200, 200, 200
        self.heard = []

    def take(self, request):
        if not request.read_all():
            return "done"
        said = re.match("/base/(failed|resolve)", request.path)
        purpose = said.group(1) if said else "form"
        assert is_signed(request, purpose), request.lines
        with self.lock:
            self.heard.append((purpose, request.headers["x-request-id"]))
        how = getattr(self, purpose)
        if callable(how):
            how(request)
        else:
            request.answer(how)
        return "done"

    def words(self):
        with self.lock:
            return [purpose for purpose, _ in self.heard]


def is_signed(request, purpose):
    said = dict(pair.split("=", 1) for pair in request.headers["penstock-signature"].split(","))
    good = signature(KEY, purpose, said["t"], request.method, request.path, request.headers["x-request-id"], bytes(request.body))
    return said["p"] == purpose and said["v1"] == good


class Store(Upstream):
    """Owes the answer to each request of the method that it `owes`, which it does first if `does`."""

    def __init__(self):
        super().__init__(script=self.take)
        self.owes, self.does, self.owed = None, True, threading.Event()

    def take(self, request):
        if request.method != self.owes:
            return None
        request.read_all()
        with self.lock:
            if self.does and request.method == "DELETE":
                self.store.pop(request.path, None)
            elif self.does:
                self.store[request.path] = bytes(request.body)
        self.owed.set()
        self.release.wait(DEADLINE)
        return "done"


def stall(request):
    request.upstream.release.wait(DEADLINE)


def leave(request):
    """It has the question, and ends the connection without an answer."""
    request.reset()


@contextlib.contextmanager
def world(routes=ROUTES, **more):
    with App() as app, Store() as store, Mortal(routes.replace("{app}", str(app.port)), store, head=HEAD, **more) as p:
        try:
            yield p, app, store
        finally:
            app.release.set()
            store.release.set()


def there(p, store):
    with store.lock:
        kept = sorted(store.store.values())
    return sorted(data for name, data in p.files().items() if ".penstock" not in name), kept


ALL, NOTHING = ([PHOTO], [DOC]), ([], [])


def send(p, path, i=1):
    client = connect(p.port)
    client.sendall(head_of(path, len(BODY), extra=f"X-Request-Id: id-{i}\r\n") + BODY)
    return client


def kill_when(p, client, condition, what):
    wait_for(condition, what + ": " + p.log())
    p.kill()
    client.close()


def settle(p, store):
    store.owes = None
    p.again()
    wait_for(lambda: p.figure("penstock_state_owed") == 0, "no application is owed anything: " + p.log())
    wait_for(lambda: p.unsettled() == 0 and p.ask("readyz")[0] == 200, "all is settled: " + p.log())
    assert len(p.state_files()) == 1, p.state_files()
    assert not [name for name in p.files() if ".penstock-commit" in name], p.files().keys()


def expect(p, app, store, visible, heard):
    assert there(p, store) == visible, ([len(x) for x in there(p, store)], p.log())
    assert app.words() == heard, (app.words(), p.log())
    assert len({i for _, i in app.heard}) <= 1, app.heard


# -- where the kill comes ---------------------------------------------------------------------------------------------

def test_before_the_question_the_application_hears_nothing():
    with world() as (p, app, store):
        store.owes = "PUT"
        client = send(p, "/committed")
        kill_when(p, client, store.owed.is_set, "the store has the object, and has not said so")
        settle(p, store)
        expect(p, app, store, NOTHING, [])


def test_of_a_question_that_it_has_not_answered():
    for route, resolve, visible, heard in (("committed", 200, ALL, ["form", "resolve"]), ("committed", 204, ALL, ["form", "resolve"]),
                                           ("committed", 404, NOTHING, ["form", "resolve"]), ("held", 200, NOTHING, ["form", "failed"]),
                                           ("stays", 200, ALL, ["form"])):
        with world() as (p, app, store):
            app.form, app.resolve = stall, resolve
            client = send(p, "/" + route)
            kill_when(p, client, lambda: app.words() == ["form"], "the application is asked")
            assert there(p, store) == (NOTHING if route == "held" else ALL), route
            settle(p, store)
            expect(p, app, store, visible, heard)


def test_of_a_question_that_has_not_left():
    """The journal says that it is asked, but nobody takes its connection."""
    for route, heard in (("committed", ["resolve"]), ("held", ["failed"])):
        with world() as (p, app, store), contextlib.ExitStack() as full:
            real, app.resolve = app.port, 404  # it has never heard of the form
            deaf = full.enter_context(socket.socket())
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)
            at = deaf.getsockname()
            for _ in range(3):  # its queue is full
                waiting = full.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(at)
            with open(p.file, encoding="utf-8") as f:
                text = f.read()
            with open(p.file, "w", encoding="utf-8") as f:
                f.write(text.replace(f":{real}/base", f":{at[1]}/base"))
            p.process.send_signal(signal.SIGHUP)
            wait_for(lambda: "the new route table is in force" in p.log(), "the reload")
            client = send(p, "/" + route)
            kill_when(p, client, lambda: asked(p), "the journal knows of the question")
            with open(p.file, "w", encoding="utf-8") as f:
                f.write(text)
            settle(p, store)
            expect(p, app, store, NOTHING, heard)


def asked(p):
    found = b""
    for name in p.state_files():
        with open(f"{p.dir}/state/{name}", "rb") as f:
            found += f.read()
    return re.search(rb"^[0-9a-f]{8} [0-9a-f]{8} A", found, re.M) is not None


def test_of_an_answer_that_was_not_read():
    """It has said yes, and penstock had no time to hear that."""
    for route, visible, heard in (("committed", ALL, ["form", "resolve"]), ("held", NOTHING, ["form", "failed"])):
        with world() as (p, app, store):
            answered = threading.Event()

            def answer(request, p=p, answered=answered):
                stand_still(p.process)
                request.answer(200)
                answered.set()

            app.form = answer
            client = send(p, "/" + route)
            kill_when(p, client, answered.is_set, "the application has said yes")
            settle(p, store)
            expect(p, app, store, visible, heard)


def test_in_the_middle_of_the_commit_after_a_yes():
    with world() as (p, app, store):
        store.owes = "PUT"
        client = send(p, "/held")
        kill_when(p, client, store.owed.is_set, "the object is in the store")
        assert there(p, store)[0] == [PHOTO]  # half of it is visible
        settle(p, store)
        expect(p, app, store, NOTHING, ["form", "failed"])


def test_while_it_is_taken_back():
    """Also where the application would say another thing now: the verdict is on the disk."""
    for how, heard in ((422, ["form"]), (leave, ["form", "failed"])):
        for does in (False, True):
            with world() as (p, app, store):
                app.form, store.owes, store.does = how, "DELETE", does
                client = send(p, "/committed")
                kill_when(p, client, store.owed.is_set, "an object is being taken back")
                settle(p, store)
                expect(p, app, store, NOTHING, heard)


# -- until it has answered ---------------------------------------------------------------------------------------------

def test_failed_is_told_again_by_this_process_and_the_next():
    with world() as (p, app, store):
        app.form, app.failed = leave, 503
        with send(p, "/committed") as client:
            assert read_answer(client).status == 502
        wait_for(lambda: app.words().count("failed") > 1, "it is told again")
        assert there(p, store) == NOTHING and p.figure("penstock_state_owed") == 1
        assert p.ask("readyz")[0] == 200, p.ask("readyz")  # the application's own affair
        assert len(p.lines("an application has not answered yet")) == 1, p.log()
        p.kill()
        app.heard.clear()
        app.failed = stall
        p.again()
        wait_for(lambda: app.words() == ["failed"], "the next process tells it, too")
        p.kill()
        app.heard.clear()
        app.failed = 200
        settle(p, store)
        expect(p, app, store, NOTHING, ["failed"])
        p.kill()
        p.again()
        assert app.words() == ["failed"]


def test_who_is_there_already_when_another_process_dies_goes_on_for_it():
    with world() as (p, app, store):
        app.form, app.resolve = stall, 404
        form_of_one = form(part("doc", DOC, "d.bin"))
        with connect(p.port) as client:
            client.sendall(head_of("/committed", len(form_of_one)) + form_of_one)
            wait_for(lambda: app.words() == ["form"], "the application is asked")
            first = p.process
            p.command = lambda: [BINARY, "run", "--take-over", p.file]
            p.again()
            first.kill()
            first.wait(DEADLINE)
        wait_for(lambda: app.words() == ["form", "resolve"], "the other process asks: " + p.log())
        wait_for(lambda: there(p, store) == ([], []) and p.figure("penstock_state_owed") == 0, "and takes it back: " + p.log())


def test_resolve_is_asked_again_and_nothing_is_touched_meanwhile():
    with world() as (p, app, store):
        app.form = stall
        client = send(p, "/committed")
        kill_when(p, client, lambda: app.words() == ["form"], "the application is asked")
        app.resolve = 500
        p.again()
        wait_for(lambda: app.words().count("resolve") > 1, "it is asked again")
        assert there(p, store) == ALL and p.figure("penstock_state_owed") == 1
        assert p.ask("readyz")[0] == 200, p.ask("readyz")
        p.kill()
        app.heard.clear()
        app.resolve = 404
        settle(p, store)
        expect(p, app, store, NOTHING, ["resolve"])


def test_without_resolve_nothing_is_deleted_and_it_is_told():
    with world() as (p, app, store):
        app.form = stall
        client = send(p, "/unsaid")
        kill_when(p, client, lambda: app.words() == ["form"], "the application is asked")
        for _ in range(2):  # at each start
            p.again()
            wait_for(lambda: p.lines("nobody can say whether a form that was cut short stands"), "it is told")
            assert there(p, store) == ALL and p.figure("penstock_state_owed") == 1 and p.ask("readyz")[0] == 200
            p.kill()
        with open(p.file, encoding="utf-8") as f:
            text = f.read()
        with open(p.file, "w", encoding="utf-8") as f:
            f.write(text.replace("}, timeout: 60s } }", "}, timeout: 60s, resolve: { path: /resolve } } }"))
        settle(p, store)  # the route says it now
        expect(p, app, store, ALL, ["form", "resolve"])


def test_a_route_that_is_gone_is_told_of_and_kept():
    with world() as (p, app, store):
        app.form, app.failed = leave, 500
        with send(p, "/held") as client:
            assert read_answer(client).status == 502
        wait_for(lambda: "failed" in app.words(), "it is told")
        p.kill()
        with open(p.file, encoding="utf-8") as f:
            text = f.read()
        with open(p.file, "w", encoding="utf-8") as f:
            f.write(text.replace("id: held", "id: renamed"))
        app.heard.clear()
        app.failed = 200
        p.again()
        wait_for(lambda: p.lines("an application cannot be told that a form does not stand"), "it is told")
        assert app.words() == [] and p.figure("penstock_state_owed") == 1 and p.ask("readyz")[0] == 200
        with open(p.file, "w", encoding="utf-8") as f:
            f.write(text)
        p.process.send_signal(signal.SIGHUP)
        wait_for(lambda: p.figure("penstock_state_owed") == 0, "a reload brings it back: " + p.log())
        expect(p, app, store, NOTHING, ["failed"])


def test_an_application_gets_one_such_word_at_a_time():
    """It owes the answer to the first one until all are owed to it, so until all others could come."""
    n, under_way, most, all_are_owed = 20, [], [], threading.Event()

    def hear(request):
        with request.upstream.lock:
            under_way.append(request)
            most.append(len(under_way))
        all_are_owed.wait(DEADLINE)
        with request.upstream.lock:
            under_way.remove(request)  # the next one may come as soon as this one is answered
        request.answer(200)

    with world(PATIENT, workers=2) as (p, app, store):
        app.form, app.failed = leave, hear
        clients = [send(p, "/committed", i) for i in range(n)]
        for client in clients:
            assert read_answer(client).status == 502
            client.close()
        wait_for(lambda: p.figure("penstock_state_owed") == n, "all are owed: " + p.log())
        wait_for(lambda: under_way, "it is told of the first one")
        all_are_owed.set()
        wait_for(lambda: p.figure("penstock_state_owed") == 0, "it knows of all: " + p.log())
        assert there(p, store) == NOTHING
        assert sorted(i for purpose, i in app.heard if purpose == "failed") == sorted(f"id-{i}" for i in range(n)), app.heard
        assert max(most) == 1, most
