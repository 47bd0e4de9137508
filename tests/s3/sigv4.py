# SPDX-License-Identifier: MIT
"""AWS Signature Version 4 as S3 has it, read from its documentation and written without a look at penstock's: a server's
check of a request, and a client's signing. S3 escapes a path once and resolves no dots in it."""
import calendar
import hashlib
import hmac
import re
import time
import urllib.parse

UNSIGNED = "UNSIGNED-PAYLOAD"
SKEW = 15 * 60
EMPTY = hashlib.sha256(b"").hexdigest()


class Refused(Exception):
    """What the store says: status, code, message, and further elements of its <Error>."""

    def __init__(self, status, code, message="refused", **more):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message, self.more = status, code, message, more


def escape(text, safe="-_.~"):
    data = text.encode() if isinstance(text, str) else text
    return urllib.parse.quote_from_bytes(data, safe=safe)


def pairs_of(query):
    """Decoded names and values, as bytes. A `+` is a plus."""
    pairs = []
    for item in query.split("&") if query else []:
        name, _, value = item.partition("=")
        pairs.append((urllib.parse.unquote_to_bytes(name), urllib.parse.unquote_to_bytes(value)))
    return pairs


def canonical_query(pairs):
    return "&".join(f"{name}={value}" for name, value in sorted((escape(n), escape(v)) for n, v in pairs))


def canonical_request(method, path, pairs, headers, signed, payload):
    """`headers` are pairs of lower-case names and values as they came; `path` is as it was sent."""
    lines = []
    for name in signed:
        values = [re.sub(" +", " ", value.strip()) for other, value in headers if other == name]
        lines.append(f"{name}:{','.join(values)}\n")
    path = escape(urllib.parse.unquote_to_bytes(path), "/-_.~")
    return "\n".join([method, path, canonical_query(pairs), "".join(lines), ";".join(signed), payload])


def signature_of(secret, scope, date, canonical):
    key = ("AWS4" + secret).encode()
    for word in scope.split("/"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def stamp(when):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(when))


def seconds_of(date):
    try:
        return calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise Refused(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header") from None


class Keys:
    def __init__(self, access="AKTEST", secret="SKTESTSECRET", token=None, region="us-east-1"):
        self.access, self.secret, self.token, self.region = access, secret, token, region


# -- the server's side ------------------------------------------------------------------------------------------------

def check(keys, method, path, query, headers, now=None):
    """Refused unless one of `keys` signed this request. Gives what the body must be: a hash, or UNSIGNED."""
    now = time.time() if now is None else now
    find = lambda name: next((value for other, value in headers if other == name), None)
    authorization, pairs = find("authorization"), pairs_of(query)
    if authorization is None:
        if any(name == b"X-Amz-Signature" for name, _ in pairs):
            return check_presigned(keys, method, path, pairs, headers, now)
        raise Refused(403, "AccessDenied", "Access Denied")
    m = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})", authorization)
    if not m:
        raise Refused(400, "AuthorizationHeaderMalformed", "the authorization header is malformed")
    date, payload, signed = find("x-amz-date"), find("x-amz-content-sha256"), m[2].split(";")
    if payload is None:
        raise Refused(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    if payload != UNSIGNED and not re.fullmatch("[0-9a-f]{64}", payload):
        raise Refused(400, "InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, or a valid sha256 value")
    who, scope = key_of(keys, m[1], find("x-amz-security-token"))
    check_signed_names(headers, signed)
    if abs(seconds_of(date or "") - now) > SKEW:
        raise Refused(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.",
                      RequestTime=date, ServerTime=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)), MaxAllowedSkewMilliseconds="900000")
    compare(who, scope, date, m[3], canonical_request(method, path, pairs, headers, signed, payload))
    return payload


def check_presigned(keys, method, path, pairs, headers, now):
    given = {name.decode(): value.decode() for name, value in pairs}
    if given.get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256":
        raise Refused(400, "AuthorizationQueryParametersError", "X-Amz-Algorithm only supports AWS4-HMAC-SHA256")
    date, signed = given.get("X-Amz-Date", ""), given.get("X-Amz-SignedHeaders", "").split(";")
    who, scope = key_of(keys, given.get("X-Amz-Credential", ""), given.get("X-Amz-Security-Token"))
    check_signed_names(headers, signed)
    if not re.fullmatch("[0-9]{1,6}", given.get("X-Amz-Expires", "")) or not 1 <= int(given["X-Amz-Expires"]) <= 604800:
        raise Refused(400, "AuthorizationQueryParametersError", "X-Amz-Expires must be between 1 and 604800 seconds")
    if now > seconds_of(date) + int(given["X-Amz-Expires"]):
        raise Refused(403, "AccessDenied", "Request has expired")
    rest = [pair for pair in pairs if pair[0] != b"X-Amz-Signature"]
    compare(who, scope, date, given["X-Amz-Signature"], canonical_request(method, path, rest, headers, signed, UNSIGNED))
    return UNSIGNED


def key_of(keys, credential, token):
    access, _, scope = credential.partition("/")
    who = next((k for k in keys if k.access == access), None)
    if who is None:
        raise Refused(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", AWSAccessKeyId=access)
    if who.token != token:
        raise Refused(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
    words = scope.split("/")
    if len(words) != 4 or words[2:] != ["s3", "aws4_request"]:
        raise Refused(400, "AuthorizationHeaderMalformed", "the credential scope is malformed")
    if words[1] != who.region:
        raise Refused(400, "AuthorizationHeaderMalformed", f"the region '{words[1]}' is wrong; expecting '{who.region}'", Region=who.region)
    return who, scope


def check_signed_names(headers, signed):
    if "host" not in signed or signed != sorted(signed):
        raise Refused(403, "SignatureDoesNotMatch", "host must be signed, and names be sorted")
    loose = sorted({name for name, _ in headers if name.startswith("x-amz-") and name not in signed})
    if loose:
        raise Refused(403, "AccessDenied", "There were headers present in the request which were not signed", HeadersNotSigned=", ".join(loose))


def compare(who, scope, date, given, canonical):
    if scope.split("/")[0] != date[:8]:
        raise Refused(403, "SignatureDoesNotMatch", "the date of the scope is not that of the request")
    if not hmac.compare_digest(given, signature_of(who.secret, scope, date, canonical)):
        raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.",
                      CanonicalRequest=canonical)


# -- the client's side ------------------------------------------------------------------------------------------------

def sign(keys, method, path, query, headers, payload=UNSIGNED, now=None):
    """Headers (pairs) with what S3 wants beside them; `path` and `query` are as they are sent."""
    date = stamp(time.time() if now is None else now)
    headers = [(name.lower(), value) for name, value in headers] + [("x-amz-date", date), ("x-amz-content-sha256", payload)]
    if keys.token:
        headers.append(("x-amz-security-token", keys.token))
    signed = sorted({name for name, _ in headers})
    scope = f"{date[:8]}/{keys.region}/s3/aws4_request"
    signature = signature_of(keys.secret, scope, date, canonical_request(method, path, pairs_of(query), headers, signed, payload))
    return headers + [("authorization", f"AWS4-HMAC-SHA256 Credential={keys.access}/{scope}, SignedHeaders={';'.join(signed)}, Signature={signature}")]
