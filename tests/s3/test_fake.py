# SPDX-License-Identifier: MIT
"""The fake S3 is right before anything is judged by it: what it must refuse it refuses, and boto3 is content with it."""
import http.client
import io

import checksums
import misbehave
import sigv4
from fake_s3 import EVERY, FakeS3
from s3 import *

KEYS = sigv4.Keys()
EXAMPLE = sigv4.Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")  # of S3's documentation
THEN = sigv4.seconds_of("20130524T000000Z")


def ask(fake, method, path, query="", body=b"", headers=(), keys=KEYS, spoil=None, **how):
    headers = sigv4.sign(keys, method, path, query, [("host", f"127.0.0.1:{fake.port}"), *headers], **how)
    if spoil:
        headers = spoil(headers)
    c = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=DEADLINE)
    c.putrequest(method, path + ("?" + query if query else ""), skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        c.putheader(name, value)
    if method in ("PUT", "POST") and not any(name == "transfer-encoding" for name, _ in headers):
        c.putheader("content-length", str(len(body)))
    c.endheaders(body)
    answer = c.getresponse()
    return answer.status, answer.read().decode(), answer.headers


def refused(code, answer):
    assert f"<Code>{code}</Code>" in answer[1], (code, answer)


def test_the_documented_signatures():
    host = ("host", "examplebucket.s3.amazonaws.com")
    cases = [("GET", "/test.txt", "", [("range", "bytes=0-9")], b"", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
             ("PUT", "/test$file.text", "", [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
              b"Welcome to Amazon S3.", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
             ("GET", "/", "lifecycle", [], b"", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
             ("GET", "/", "max-keys=2&prefix=J", [], b"", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")]
    for method, path, query, lines, body, want in cases:
        headers = sigv4.sign(EXAMPLE, method, path, query, [host, *lines], sha256(body), THEN)
        assert headers[-1][1].endswith("Signature=" + want), (method, path, headers[-1])
        assert sigv4.check([EXAMPLE], method, path, query, headers, THEN + 60) == sha256(body)
    query = ("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
             "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    assert sigv4.check([EXAMPLE], "GET", "/test.txt", query, [host], THEN + 86_000) == sigv4.UNSIGNED
    for late, spoiled in ((86_401, query), (60, query.replace("d404", "d405"))):
        try:
            sigv4.check([EXAMPLE], "GET", "/test.txt", spoiled, [host], THEN + late)
            raise AssertionError("it was taken")
        except sigv4.Refused:
            pass


def test_known_checksums():
    assert checksums.digest("crc32c", b"123456789").hex() == "e3069283"
    assert checksums.digest("crc64nvme", b"123456789").hex() == "ae8b14860a799888"


def test_a_wrong_signature_is_refused_whatever_is_wrong():
    def change(name, value):
        return lambda headers: [(n, value(v) if n == name else v) for n, v in headers]
    with FakeS3() as fake:
        assert ask(fake, "PUT", "/bkt/a%20b", body=b"x")[0] == 200 and fake.store.objects() == {"a b": b"x"}
        refused("SignatureDoesNotMatch", ask(fake, "PUT", "/bkt/k", keys=sigv4.Keys(secret="wrong")))
        refused("SignatureDoesNotMatch", ask(fake, "PUT", "/bkt/k", headers=[("x-amz-meta-a", "1")], spoil=change("x-amz-meta-a", lambda _: "2")))
        refused("SignatureDoesNotMatch", ask(fake, "PUT", "/bkt/k", spoil=change("x-amz-date", lambda v: v[:-2] + ("1Z" if v[-2] != "1" else "2Z"))))
        refused("InvalidAccessKeyId", ask(fake, "PUT", "/bkt/k", keys=sigv4.Keys("OTHER")))
        refused("InvalidToken", ask(fake, "PUT", "/bkt/k", keys=sigv4.Keys(token="t")))
        refused("AuthorizationHeaderMalformed", ask(fake, "PUT", "/bkt/k", keys=sigv4.Keys(region="eu-west-1")))
        refused("AccessDenied", ask(fake, "PUT", "/bkt/k", spoil=lambda headers: headers[:-1]))
        refused("AccessDenied", ask(fake, "PUT", "/bkt/k", spoil=lambda headers: headers + [("x-amz-meta-late", "1")]))
        refused("RequestTimeTooSkewed", ask(fake, "PUT", "/bkt/k", now=time.time() - 3600))
        refused("XAmzContentSHA256Mismatch", ask(fake, "PUT", "/bkt/k", body=b"x", payload=sha256(b"y")))
        refused("MissingContentLength", ask(fake, "PUT", "/bkt/k", headers=[("transfer-encoding", "chunked")], body=b"0\r\n\r\n"))
        refused("NoSuchBucket", ask(fake, "PUT", "/other/k"))
        assert list(fake.store.objects()) == ["a b"] and len(fake.refused()) == 12


def test_checksums_conditions_and_limits_are_kept():
    def create(key, *lines):
        answer = ask(fake, "POST", f"/bkt/{key}", "uploads=", headers=lines)[1]
        return f"uploadId={sigv4.escape(re.search('<UploadId>(.*)</UploadId>', answer)[1].replace('&amp;', '&'))}"

    def complete(key, upload, *parts, headers=()):
        items = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag>{more}</Part>" for n, etag, more in parts)
        return ask(fake, "POST", f"/bkt/{key}", upload, f"<CompleteMultipartUpload>{items}</CompleteMultipartUpload>".encode(), headers)
    with FakeS3() as fake:
        for kind in checksums.KINDS:
            line = ("x-amz-checksum-" + kind, checksums.of(kind, b"x"))
            assert ask(fake, "PUT", "/bkt/k", body=b"x", headers=[line])[0] == 200
            refused("BadDigest", ask(fake, "PUT", "/bkt/k", body=b"y", headers=[line]))
        refused("PreconditionFailed", ask(fake, "PUT", "/bkt/k", headers=[("if-none-match", "*")]))
        refused("KeyTooLongError", ask(fake, "PUT", "/bkt/" + "k" * 1025))
        refused("MetadataTooLarge", ask(fake, "PUT", "/bkt/m", headers=[("x-amz-meta-a", "1" * 2048)]))
        upload = create("k", ("x-amz-checksum-algorithm", "CRC32C"))
        refused("InvalidRequest", ask(fake, "PUT", "/bkt/k", f"partNumber=1&{upload}", b"x"))
        crc = checksums.of("crc32c", b"x")
        etags = [ask(fake, "PUT", "/bkt/k", f"partNumber={n}&{upload}", b"x", [("x-amz-checksum-crc32c", crc)])[2]["etag"] for n in (1, 2)]
        with_sum = f"<ChecksumCRC32C>{crc}</ChecksumCRC32C>"
        refused("InvalidRequest", complete("k", upload, (1, etags[0], "")))
        refused("EntityTooSmall", complete("k", upload, (1, etags[0], with_sum), (2, etags[1], with_sum)))
        refused("InvalidPartOrder", complete("k", upload, (2, etags[0], with_sum), (1, etags[1], with_sum)))
        refused("InvalidPart", complete("k", upload, (1, '"other"', with_sum)))
        refused("PreconditionFailed", complete("k", upload, (1, etags[0], with_sum), headers=[("if-none-match", "*")]))
        assert [u.key for u in fake.store.unfinished()] == ["k"]
        assert complete("k", upload, (1, etags[0], with_sum))[0] == 200 and fake.store.unfinished() == []
        refused("NoSuchUpload", complete("k", upload, (1, etags[0], with_sum)))
        assert fake.store.objects() == {"k": b"x"}


def test_a_part_that_comes_after_the_abort_stays_until_it_is_aborted_again():
    go = threading.Event()
    with FakeS3() as fake:
        ask(fake, "POST", "/bkt/k", "uploads=")
        upload = "uploadId=" + sigv4.escape(next(iter(fake.store.uploads)))
        fake.on("part", 1, misbehave.then_normal(go))
        late = threading.Thread(target=ask, args=(fake, "PUT", "/bkt/k", f"partNumber=1&{upload}", b"x"))
        late.start()
        wait_for(lambda: fake.of("part"), "the part has begun")
        assert ask(fake, "DELETE", "/bkt/k", upload)[0] == 204 and fake.store.unfinished() == []
        go.set()
        late.join(DEADLINE)
        assert len(fake.store.unfinished()) == 1
        assert ask(fake, "DELETE", "/bkt/k", upload)[0] == 204 and fake.store.unfinished() == []
        assert ask(fake, "DELETE", "/bkt/k", upload)[0] == 404


def test_behaviours_hit_the_call_that_they_are_meant_for():
    with FakeS3() as fake:
        fake.on("put", 2, misbehave.status(503, "SlowDown"))
        fake.on("head", EVERY, misbehave.status(403, None))
        assert [ask(fake, "PUT", "/bkt/k")[0] for _ in range(3)] == [200, 503, 200] and ask(fake, "HEAD", "/bkt/k")[0] == 403
        fake.on("put", 1, misbehave.lost_after)
        try:
            ask(fake, "PUT", "/bkt/lost", body=b"x")
            raise AssertionError("an answer came")
        except (http.client.HTTPException, OSError):
            assert "lost" in fake.store.objects()


def test_boto3_is_content():
    for versioning, tls in ((False, False), (True, True)):
        folder = tempfile.mkdtemp(prefix="penstock-s3-")
        with FakeS3(versioning=versioning, tls=certificate(folder) if tls else None) as fake:
            client = boto_client(fake.port, verify=folder + "/cert.pem" if tls else None, scheme="https" if tls else "http")
            for key in ("plain", "sp ace/+%2F//\u2603\U0001f600~!*'()", "k" * 1024):
                client.put_object(Bucket="bkt", Key=key, Body=b"x" + key.encode(), Metadata={"a": "b"}, ContentType="image/png")
                got = client.get_object(Bucket="bkt", Key=key, ChecksumMode="ENABLED")
                assert got["Body"].read() == b"x" + key.encode() and got["Metadata"] == {"a": "b"} and got["ContentType"] == "image/png"
            data = noise(12_000_000)
            client.upload_fileobj(io.BytesIO(data), "bkt", "big")
            assert client.get_object(Bucket="bkt", Key="big")["Body"].read() == data
            open_one = client.create_multipart_upload(Bucket="bkt", Key="open/\u2603")["UploadId"]
            assert [(u["Key"], u["UploadId"]) for u in client.list_multipart_uploads(Bucket="bkt")["Uploads"]] == [("open/\u2603", open_one)]
            client.abort_multipart_upload(Bucket="bkt", Key="open/\u2603", UploadId=open_one)
            assert "Uploads" not in client.list_multipart_uploads(Bucket="bkt") and fake.refused() == []
            client.delete_object(Bucket="bkt", Key="big")
            assert len(client.list_objects_v2(Bucket="bkt")["Contents"]) == 3
        shutil.rmtree(folder)
