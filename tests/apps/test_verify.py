# SPDX-License-Identifier: MIT
"""The snippets that the documentation shows (verify/): each language says the same of the same request."""
import hmac

from apps import *

NOW = int(time.time())
GOOD = {"keys": ["old", KEY], "purpose": "form", "method": "POST", "target": "/albums/7?a=%C3%BC", "id": "r-1", "body": "title=x&photo%5B%5D=%7B%7D"}
RUN = {
    "python": [sys.executable, "-c", f"""
import json, sys
sys.path.append({HERE + '/verify'!r})
from penstock_signature import is_signed
for r in json.load(sys.stdin):
    print(int(is_signed([k.encode() for k in r["keys"]], r["purpose"], r["method"], r["target"], r["id"], r["body"].encode(), r["header"])))"""],
    "php": ["php", "-r", f"""
require '{HERE}/verify/penstock_signature.php';
foreach (json_decode(stream_get_contents(STDIN), true) as $r)
    echo (int)penstock_is_signed($r['keys'], $r['purpose'], $r['method'], $r['target'], $r['id'], $r['body'], $r['header'] ?? ''), "\\n";"""],
    "node": ["node", "-e", f"""
const {{ isSigned }} = require('{HERE}/verify/penstock_signature.js');
for (const r of JSON.parse(require('fs').readFileSync(0)))
    console.log(Number(isSigned(r.keys, r.purpose, r.method, r.target, r.id, Buffer.from(r.body), r.header ?? undefined)));"""],
    "ruby": ["ruby", "-e", f"""
require 'json'
require '{HERE}/verify/penstock_signature.rb'
JSON.parse($stdin.read).each do |r|
  puts penstock_signed?(r['keys'], r['purpose'], r['method'], r['target'], r['id'], r['body'], r['header']) ? 1 : 0
end"""],
}
NEEDS = {"ruby": ["ruby", "-e", "require 'rack/utils'"]}


def signature(key=KEY, t=NOW, **changed):
    r = {**GOOD, **changed}
    text = "\n".join((r["purpose"], str(t), r["method"], r["target"], r["id"], sha256(r["body"].encode()))).encode()
    return f"t={t},p={r['purpose']},v1={hmac.new(key.encode(), text, 'sha256').hexdigest()}"


def rows():
    """(expected, request)"""
    one = signature()
    other = signature(key="unknown").partition("v1=")[2]
    for header in (one, one + ",v1=" + other, one.replace("v1=", f"v1={other},v1="), signature(key="old"), signature(t=NOW - 200)):
        yield 1, {**GOOD, "header": header}
    for header in (None, "", "v1=", "x", "=", ",,", "t=,p=form,v1=", one[:-1], one + "0", one.replace("v1", "v2"), one.replace("p=form", "p=failed"), one.replace("t=", "t=-"),
                   one.replace("t=", "t= "), signature(t=NOW - 1000), signature(t=NOW + 1000), signature(key="unknown"), signature(key=""), one.upper()):
        yield 0, {**GOOD, "header": header}
    for key, value in (("purpose", "failed"), ("method", "PUT"), ("target", "/albums/7?a=ü"), ("target", "/albums/7"), ("id", "r-2"), ("body", "title=y"), ("body", ""), ("keys", ["old"])):
        yield 0, {**GOOD, key: value, "header": one}
    yield 1, {**GOOD, "body": "", "header": signature(body="")}


def test_each_language_says_the_same():
    wanted, requests = zip(*rows())
    ran = 0
    for name, command in RUN.items():
        if shutil.which(command[0]) is None or not has(NEEDS.get(name)):
            continue
        told = subprocess.run(command, input=json.dumps(requests), capture_output=True, text=True, env=environment(), check=True).stdout.split()
        assert [int(word) for word in told] == list(wanted), (name, [(r, w, t) for r, w, t in zip(requests, wanted, told) if int(t) != w])
        ran += 1
    if ran < len(RUN):
        raise Skip(f"{len(RUN) - ran} of {len(RUN)} languages are not here")
