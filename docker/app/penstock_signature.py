"""Whether a request to an application comes from penstock: the header Penstock-Signature."""
import hashlib
import hmac
import time


def is_signed(keys, purpose, method, target, request_id, body, header, within=300):
    """`keys`: bytes, one or more. `target`: the path with its query as it was sent. `body`: bytes, before anybody has parsed
    them. `header`: Penstock-Signature, or None. It holds for `within` seconds."""
    fields = [field.partition("=")[::2] for field in (header or "").split(",")]
    said = dict(fields)
    if said.get("p") != purpose or not said.get("t", "").isdecimal() or abs(time.time() - int(said["t"])) > within:
        return False
    text = "\n".join((purpose, said["t"], method, target, request_id, hashlib.sha256(body).hexdigest())).encode()
    signatures = [hmac.new(key, text, "sha256").hexdigest().encode() for key in keys]
    return any(hmac.compare_digest(mine, value.encode()) for name, value in fields if name == "v1" for mine in signatures)
