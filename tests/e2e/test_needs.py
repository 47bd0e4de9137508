# SPDX-License-Identifier: MIT
"""Names that are made of other fields of the form (`needs`): fields before a file, behind it, missing, twice and hostile; what is there
when a client leaves or the process is killed while a name is still held. What `explain` says is the same."""
from agreement import *

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
  strict: { type: directory, path: "{dir}/out/strict", names: { unsafe: refuse } }
  store: { type: http, url: "http://127.0.0.1:{up}", undo: DELETE }
routes:
  - id: r
    match: { path: /reject }
    fields:
      - { name: album, kind: value, drop: true }
      - { name: token, kind: value, drop: true }
      - { name: photo, kind: file, needs: { fields: [token, album] }, store: { to: files, key: "{field.album}/{part}-{file.name}" } }
      - { name: note, kind: value, needs: { fields: album }, store: { to: files, key: "{field.album}/note-{part}.txt" } }
  - id: h
    match: { path: /hold }
    fields:
      - { name: album, kind: value, store: { to: files, key: "albums/{part}" } }
      - { name: photo, kind: file, needs: { fields: [album], else: hold }, store: { to: files, key: "{field.album}/{part}-{file.name}" } }
      - { name: one, kind: file, needs: { fields: [album], else: hold }, concat: { to: files, key: "one/{field.album}" } }
  - id: s
    match: { path: /strict }
    fields:
      - { name: album, kind: value, min_size: 1, drop: true }
      - { name: photo, kind: file, needs: { fields: album, else: hold }, store: { to: strict, key: "{field.album}/{part}" } }
  - id: u
    match: { path: /store }
    fields:
      - { name: album, kind: value, drop: true }
      - { name: photo, kind: file, needs: { fields: album }, store: { to: store, key: "/{field.album}/{part}" } }
  - id: both
    match: { path: /both }
    fields:
      - { name: album, kind: value, drop: true }
      - { name: photo, kind: file, needs: { fields: album, else: hold }, store: { to: files, key: "both/{field.album}/{part}" } }
      - { name: last, kind: file, store: { to: store, key: "/last/{uuid}" } }
"""
SMALL_FILE, LONG_FILE = noise(300, 1), noise(300_000, 2)


@contextlib.contextmanager
def penstock(**how):
    with Upstream() as up, Penstock(ROUTES, upstream=up, head='state: "{dir}/state"\ntrust: { proxies: none }', **how) as p:
        os.mkdir(os.path.join(p.out, "strict")) if not os.path.isdir(os.path.join(p.out, "strict")) else None
        yield p, up


def visible(p):
    return {name: data for name, data in p.files().items() if not name.startswith(".penstock-")}


def clear(p):
    for name in os.listdir(p.out):
        if name != "strict":
            shutil.rmtree(os.path.join(p.out, name))


def photo(name="f.jpg", data=SMALL_FILE, field="photo"):
    return part(field, data, name)


def album(value=b"summer"):
    return part("album", value)


TOKEN = part("token", b"t")


def is_refused(p, path, parts, status, detail, field, limit="needs"):
    """However it comes; a long one in one piece only."""
    body = form(*parts)
    cuts = {"splits": (7,), "chunks": (13,)} if len(body) < 3000 and not SMALL else {}
    told = check_body(p, detail, path, f"multipart/form-data; boundary={BOUNDARY}", body, **cuts)
    assert (told["status"], told["reason"], told["field"], told["limit"]) == (status, detail, field, limit), told
    wait_for(lambda: p.files() == {}, "nothing is there")


def test_fields_that_come_first_give_files_their_names():
    with penstock() as (p, up):
        for chunk in (None, 1460):
            answer = post(p.port, "/reject", form(album(), TOKEN, photo(), photo("g.jpg", LONG_FILE), part("note", b"n")), chunk=chunk)
            assert answer.status == 201, answer.body
            assert p.files() == {"summer/3-f.jpg": SMALL_FILE, "summer/4-g.jpg": LONG_FILE, "summer/note-5.txt": b"n"}, list(p.files())
            clear(p)
        assert post(p.port, "/store", form(album(b"../x"), photo())).status == 201
        assert up.store == {"/.._x/2": SMALL_FILE}, list(up.store)


def test_fields_that_come_late_or_not_at_all_or_twice_refuse_the_form():
    late = 'field "photo": it needs the field "{}", which has to come before it in the form'
    twice = 'field "album": it stands twice, but field "photo" needs one value of "album"'
    with penstock() as (p, up):
        for data in (SMALL_FILE, LONG_FILE):
            is_refused(p, "/reject", [TOKEN, photo(data=data), album()], 422, late.format("album"), "photo")
            is_refused(p, "/reject", [album(), photo(data=data)], 422, late.format("token"), "photo")
            is_refused(p, "/reject", [album(), TOKEN, photo(data=data), album(b"winter")], 422, twice, "album")
            is_refused(p, "/reject", [album(), album(), TOKEN, photo(data=data)], 422, twice, "album")
            is_refused(p, "/hold", [photo(data=data)], 422, 'field "photo": it needs the field "album", which has not come with the form', "photo")
            is_refused(p, "/hold", [photo(data=data), album(), album()], 422, twice, "album")
            is_refused(p, "/store", [photo(data=data), album()], 422, late.format("album"), "photo")
        is_refused(p, "/reject", [album(), TOKEN, part("album", b"x", "x.txt")], 422, 'field "album": no rule of this route takes it', "album", None)
        is_refused(p, "/reject", [album(b"x" * 257), TOKEN], 413, 'field "album": over 256 bytes: a name is made of it', "album")
        is_refused(p, "/strict", [photo(), album(b"a/b")], 422, 'field "photo": {field.album} would put a \'/\' into the name of an object', "photo", "names.unsafe")
        is_refused(p, "/strict", [photo(), album(b"")], 422, 'field "album": it is empty', "album", "min_size")
        assert up.store == {}


def test_a_held_file_gets_its_name_when_the_form_has_ended():
    with penstock() as (p, _):
        for chunk in (None, 997):
            body = form(photo(), photo("g.jpg", LONG_FILE), photo("a", b"1", "one"), album(), photo("b", b"2", "one"), photo("h.jpg", b""))
            answer = post(p.port, "/hold", body, chunk=chunk)
            assert answer.status == 201, answer.body
            assert p.files() == {"summer/1-f.jpg": SMALL_FILE, "summer/2-g.jpg": LONG_FILE, "one/summer": b"12", "albums/4": b"summer", "summer/6-h.jpg": b""}
            assert [one["target"] for one in answer.json()["parts"]] == ["summer/1-f.jpg", "summer/2-g.jpg", "one/summer", "albums/4", "one/summer", "summer/6-h.jpg"]
            clear(p)


def test_what_a_client_says_stays_in_its_segment():
    hostile = {b"..": "__", b".": "_", b"": "_", b"../../etc": "..%2F..%2Fetc", b"a\r\nb": "a%0D%0Ab", b"\xff\xfe": "%FF%FE", b"%2e%2e": "%252e%252e", b"a\\b": "a%5Cb",
               b"x" * 255: "x" * 255, "größe 字".encode(): "größe 字", b".penstock-x": "_penstock-x", b"{uuid}": "{uuid}", b"a;b&c=d": "a;b&c=d"}
    with penstock() as (p, _):
        for value, name in hostile.items():
            for path, parts in (("/reject", (album(value), TOKEN, photo())), ("/hold", (photo(), album(value)))):
                told = check_body(p, value, path, f"multipart/form-data; boundary={BOUNDARY}", form(*parts))
                assert told["status"] == 201, told
                names = [at for at in p.files() if not at.startswith("albums/")]
                assert names == [f"{name}/{3 if path == '/reject' else 1}-f.jpg"], (value, names)
                clear(p)
        is_refused(p, "/hold", [photo(), album(b"x" * 256)], 422, 'field "photo": the name it would get is longer than 255 bytes', "photo", "names.long")


def test_two_files_of_a_form_that_get_one_name_at_its_end_are_refused():
    routes = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - id: r
    match: { path: / }
    fields:
      - { name: "value?", kind: value, drop: true }
      - { name: a, max_count: 1, needs: { fields: value1, else: hold }, store: { to: files, key: "x/{field.value1}" } }
      - { name: b, max_count: 1, needs: { fields: value2, else: hold }, store: { to: files, key: "x/{field.value2}" } }
"""
    with Penstock(routes) as p:
        parts = [photo("f", LONG_FILE, "a"), photo("f", SMALL_FILE, "b"), part("value1", b"same")]
        is_refused(p, "/", [*parts, part("value2", b"same")], 422, 'field "b": it would get the name of another part of the form', "b", None)
        assert post(p.port, "/", form(*parts, part("value2", b"other"))).status == 201
        answer = post(p.port, "/", form(*parts, part("value2", b"third")))
        assert answer.status == 409 and "the name exists already" in answer.json()["detail"], answer.body
        assert p.files() == {"x/same": LONG_FILE, "x/other": SMALL_FILE}, list(p.files())


def begin(p, path="/hold"):
    """A form whose file has come, and which stops before the field after which it is named."""
    s, body = connect(p.port), form(photo("f.jpg", LONG_FILE), photo("g.jpg"), album())
    s.sendall(head_of(path, len(body)) + body[:-100])
    wait_for(lambda: any(name.startswith(".penstock-") and os.path.getsize(os.path.join(p.out, name)) == len(LONG_FILE) for name in os.listdir(p.out)),
             "the file is written")
    assert all(name.startswith(".penstock-") or name == "strict" for name in os.listdir(p.out)), os.listdir(p.out)
    return s


def test_nothing_is_visible_while_a_name_is_held():
    with penstock() as (p, _):
        for path in ("/hold", "/both"):
            begin(p, path).close()
            wait_for(lambda: os.listdir(p.out) == ["strict"], "the client has left, and nothing is there")
        with begin(p):
            p.process.kill()
            p.process.wait()
        assert all(name.startswith(".penstock-") or name == "strict" for name in os.listdir(p.out))
        with Penstock(ROUTES.replace("{dir}/out", p.out)):
            assert os.listdir(p.out) == ["strict"]
        p.process.returncode = 0


def test_names_that_are_held_are_committed_with_those_at_a_store():
    def refuse(request):
        request.read_all()
        if request.method == "PUT" and refusing:
            request.answer(500)
            return "next"
        return None

    refusing = False
    with Upstream(refuse) as up, Penstock(ROUTES, upstream=up, head='state: "{dir}/state"') as p:
        body = form(photo("f", LONG_FILE), photo("f"), part("last", SMALL_FILE, "x"), album())
        assert post(p.port, "/both", body).status == 201
        stored = {"both/summer/1": LONG_FILE, "both/summer/2": SMALL_FILE}
        assert visible(p) == stored and len(up.store) == 1, list(p.files())
        refusing = True
        assert post(p.port, "/both", body.replace(b"summer", b"winter")).status == 502
        assert visible(p) == stored, list(p.files())
        wait_for(lambda: p.files() == stored, "the folder's journals are removed")  # of a commit that spans more, behind the answer
