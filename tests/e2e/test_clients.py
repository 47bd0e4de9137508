# SPDX-License-Identifier: MIT
"""Real clients upload the same mixed form; what arrives is what they were told to send."""
from lib import *

ROUTES = """destinations:
  files: { type: directory, path: "{dir}/out" }
routes:
  - { id: c, match: { path: /c }, fields: [ { name: "*", store: { to: files, key: "{part}-{field}" } } ] }
"""
BIG = noise(5_000_000)
VALUE = "va\u00fcl\u2603"


def expect(p):
    files = p.files()
    by_field = {name.split("-", 1)[1]: data for name, data in files.items()}
    assert by_field["text"] == VALUE.encode(), by_field.get("text")
    assert by_field["empty"] == b"" and by_field["small"] == b"small file\r\n--not a boundary" and by_field["big"] == BIG
    assert len(files) == 4, files.keys()


def with_client(send):
    with Penstock(ROUTES) as p:
        small, big, empty = (os.path.join(p.dir, n) for n in ("sm\u00e4ll.txt", "big.bin", "empty.bin"))
        for path, data in ((small, b"small file\r\n--not a boundary"), (big, BIG), (empty, b"")):
            with open(path, "wb") as f:
                f.write(data)
        send(f"http://127.0.0.1:{p.port}/c", small, big, empty)
        expect(p)


def command(*args):
    result = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=DEADLINE)
    assert result.returncode == 0, result
    return result.stdout


def test_curl():
    def send(url, small, big, empty):
        out = command("curl", "-sS", "-w", "%{http_code}", "-o", "/dev/null", "-F", f"text={VALUE}", "-F", f"small=@{small};type=text/plain",
                      "-F", f"big=@{big}", "-F", f"empty=@{empty}", url)
        assert out == b"201", out
    with_client(send)


def test_curl_chunked():
    def send(url, small, big, empty):
        out = command("curl", "-sS", "-w", "%{http_code}", "-o", "/dev/null", "-H", "Transfer-Encoding: chunked", "-F", f"text={VALUE}",
                      "-F", f"small=@{small}", "-F", f"big=@{big}", "-F", f"empty=@{empty}", url)
        assert out == b"201", out
    with_client(send)


def python_client(module, code):
    python = os.path.join(os.environ.get("PENSTOCK_VENV", "/nonexistent"), "bin/python")
    if subprocess.run([python, "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode if os.path.exists(python) else True:
        raise Skip(f"{module} is not here (no PyPI?)")

    def send(*args):
        assert command(python, "-c", code, *args).strip() == b"201"
    with_client(send)


def test_python_requests():
    python_client("requests", f"""
import sys, requests
url, small, big, empty = sys.argv[1:]
r = requests.post(url, data={{"text": {VALUE!r}}}, files={{"small": open(small, "rb"), "big": open(big, "rb"), "empty": ("empty.bin", b"")}})
print(r.status_code)""")


def test_python_httpx():
    python_client("httpx", f"""
import sys, httpx
url, small, big, empty = sys.argv[1:]
r = httpx.post(url, data={{"text": {VALUE!r}}}, files={{"small": open(small, "rb"), "big": open(big, "rb"), "empty": ("empty.bin", b"")}})
print(r.status_code)""")


def test_python_aiohttp():
    python_client("aiohttp", f"""
import sys, asyncio, aiohttp
url, small, big, empty = sys.argv[1:]
async def main():
    form = aiohttp.FormData()
    form.add_field("text", {VALUE!r})
    for name, path in (("small", small), ("big", big), ("empty", empty)):
        form.add_field(name, open(path, "rb"), filename=path.rsplit("/", 1)[1])
    async with aiohttp.ClientSession() as session:
        async with session.post(url, data=form) as r:
            print(r.status)
asyncio.run(main())""")


def test_node_fetch():
    if shutil.which("node") is None:
        raise Skip("node is not here")
    code = f"""
const fs = require("fs");
let {{ fetch: f, FormData: F, Blob: B }} = globalThis;
if (!f) ({{ fetch: f, FormData: F }} = require("undici"), B = require("buffer").Blob);
const [url, small, big, empty] = process.argv.slice(1);
const form = new F();
form.append("text", {json.dumps(VALUE)});
for (const [name, path] of [["small", small], ["big", big], ["empty", empty]])
  form.append(name, new B([fs.readFileSync(path)]), path.split("/").pop());
f(url, {{ method: "POST", body: form }}).then(r => console.log(r.status));
"""

    def send(*args):
        assert command("node", "-e", code, *args).strip() == b"201"
    with_client(send)
