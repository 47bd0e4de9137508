# SPDX-License-Identifier: MIT
"""What the fake S3 does with a request that is whole and signed: one bucket in memory, its versions, its unfinished uploads.
It is as strict as AWS where penstock could get it wrong: checksums, ETags, the order and the size of parts, conditions."""
import hashlib
import re
import time
import uuid
from xml.etree import ElementTree
from xml.sax.saxutils import escape as xml

import checksums
from sigv4 import UNSIGNED, Refused, escape

MIB = 1 << 20
XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
KEPT = re.compile("x-amz-(meta-.*|storage-class|acl|tagging|server-side-encryption.*|website-redirect-location)|content-(type|disposition|encoding|language)|cache-control|expires")


class Reply:
    def __init__(self, status, headers=None, body=b""):
        self.status, self.headers, self.body = status, dict(headers or {}), body if isinstance(body, bytes) else body.encode()


class Object:
    """One version of a key. `data` is None if the store keeps no bytes; `pieces` are then the SHA-256 of each part."""

    def __init__(self, data, length, headers, etag, pieces, sums=None, is_marker=False):
        self.data, self.length, self.headers, self.etag, self.pieces = data, length, headers, etag, pieces
        self.sums, self.is_marker, self.version = sums or {}, is_marker, None

    def meta(self, name):
        return self.headers.get("x-amz-meta-" + name)


class Upload:
    def __init__(self, key, headers, kind, type, when):
        self.key, self.headers, self.kind, self.type, self.when = key, headers, kind, type, when
        self.parts, self.is_aborted, self.done = {}, False, None


def error(status, code, message="refused", **more):
    elements = "".join(f"<{name}>{xml(str(value))}</{name}>" for name, value in {"Code": code, "Message": message, **more}.items())
    return Reply(status, {"content-type": "application/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{elements}</Error>')


def document(name, inside, headers=None):
    return Reply(200, {"content-type": "application/xml", **(headers or {})}, f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} {XMLNS}>{inside}</{name}>')


def kept(headers):
    return {name: value for name, value in headers if KEPT.fullmatch(name)}


class Store:
    def __init__(self, bucket="bkt", versioning=False, conditions=True, keep=True, min_part=5 * MIB, forgets=True):
        """forgets: Complete of an upload that is complete already is 404 as with AWS's rivals, else it is told again."""
        self.bucket, self.versioning, self.conditions, self.keep, self.min_part, self.forgets = bucket, versioning, conditions, keep, min_part, forgets
        self.versions, self.uploads = {}, {}

    # -- what tests look at ---------------------------------------------------------------------------------------

    def object(self, key):
        found = self.versions.get(key, [])
        return found[-1] if found and not found[-1].is_marker else None

    def objects(self):
        """Everything visible: key -> bytes."""
        return {key: self.object(key).data for key in list(self.versions) if self.object(key)}

    def unfinished(self):
        return [u for u in list(self.uploads.values()) if not u.done]

    # -- one object -----------------------------------------------------------------------------------------------

    def put(self, call):
        self.check_name_and_metadata(call)
        sums = self.check_body(call)
        self.check_condition(call)
        etag = hashlib.md5(call.body).hexdigest()
        return self.store(call.key, Object(call.body if self.keep else None, len(call.body), kept(call.headers), etag,
                                           [hashlib.sha256(call.body).hexdigest()], sums))

    def store(self, key, new):
        headers = {"etag": f'"{new.etag}"', **{"x-amz-checksum-" + kind: value for kind, value in new.sums.items()}}
        if self.versioning:
            headers["x-amz-version-id"] = new.version = uuid.uuid4().hex
            self.versions.setdefault(key, []).append(new)
        else:
            self.versions[key] = [new]
        return Reply(200, headers)

    def head(self, call):
        found = self.find(call)
        headers = {"etag": f'"{found.etag}"', **found.headers, **({"x-amz-version-id": found.version} if found.version else {})}
        if call.find("x-amz-checksum-mode") == "ENABLED":
            headers.update({"x-amz-checksum-" + kind: value for kind, value in found.sums.items()})
        return Reply(200, headers, found.data if found.data is not None else b"\0" * found.length)

    def get(self, call):
        """With what the query says of the answer's head."""
        reply = self.head(call)
        reply.headers.update({name[len("response-"):]: value for name, value in call.query.items() if name.startswith("response-")})
        return reply

    def find(self, call):
        wanted = call.query.get("versionId")
        for found in reversed(self.versions.get(call.key, [])):
            if wanted in (None, found.version):
                if found.is_marker:
                    break
                return found
        raise Refused(404, "NoSuchKey", "The specified key does not exist.")

    def delete(self, call):
        wanted, found = call.query.get("versionId"), self.versions.get(call.key, [])
        if wanted is not None:
            self.versions[call.key] = [v for v in found if v.version != wanted]
            return Reply(204, {"x-amz-version-id": wanted})
        if self.versioning:
            marker = Object(b"", 0, {}, "", [], is_marker=True)
            self.store(call.key, marker)
            return Reply(204, {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version})
        self.versions.pop(call.key, None)
        return Reply(204)

    # -- an upload of parts ---------------------------------------------------------------------------------------

    def create(self, call):
        self.check_name_and_metadata(call)
        kind = (call.find("x-amz-checksum-algorithm") or "").lower() or None
        if kind not in (None, *checksums.KINDS):
            raise Refused(400, "InvalidRequest", "Checksum algorithm provided is unsupported.")
        type = call.find("x-amz-checksum-type") or ("FULL_OBJECT" if kind in checksums.WHOLE_ONLY else "COMPOSITE")
        if (type == "FULL_OBJECT" and kind in checksums.PARTS_ONLY) or (type == "COMPOSITE" and kind in checksums.WHOLE_ONLY):
            raise Refused(400, "InvalidRequest", f"The {type} checksum type cannot be used with the {kind} checksum algorithm.")
        name = uuid.uuid4().hex + "+/=~&"  # AWS's are of one alphabet, others' are not
        self.uploads[name] = Upload(call.key, kept(call.headers), kind, type, time.time())
        return document("InitiateMultipartUploadResult", f"<Bucket>{self.bucket}</Bucket><Key>{xml(call.key)}</Key><UploadId>{xml(name)}</UploadId>")

    def upload(self, call):
        found = self.uploads.get(call.query.get("uploadId"))
        if found is None or found.key != call.key or found.is_aborted or found.done:
            raise Refused(404, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
        return found

    def part(self, call):
        """May have begun before an abort: then it is kept, as AWS may do, and costs money until it is aborted once more."""
        number = int(call.query["partNumber"])
        if not 1 <= number <= 10_000:
            raise Refused(400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
        sums = self.check_body(call)
        upload = call.began_in if call.began_in and call.began_in.is_aborted else self.upload(call)
        if list(sums) != ([upload.kind] if upload.kind else []):
            raise Refused(400, "InvalidRequest", f"Checksum Type mismatch occurred, expected checksum Type: {upload.kind}, actual checksum Type: {list(sums)}")
        upload.parts[number] = Object(call.body if self.keep else None, len(call.body), {}, hashlib.md5(call.body).hexdigest(),
                                      [hashlib.sha256(call.body).hexdigest()], sums)
        self.uploads[call.query["uploadId"]] = upload
        return Reply(200, {"etag": f'"{upload.parts[number].etag}"', **{"x-amz-checksum-" + k: v for k, v in sums.items()}})

    def abort(self, call):
        name, upload = call.query["uploadId"], self.uploads.get(call.query["uploadId"])
        if upload is None or upload.done or upload.key != call.key:
            raise Refused(404, "NoSuchUpload", "The specified upload does not exist.")
        upload.is_aborted, upload.parts = True, {}
        del self.uploads[name]
        return Reply(204)

    def complete(self, call):
        told = self.uploads.get(call.query["uploadId"])
        if told and told.done and not self.forgets:
            return told.done
        upload = self.upload(call)
        parts = self.listed(call, upload)
        self.check_condition(call)
        sums = {upload.kind: self.sum_of(upload, parts)} if upload.kind and self.keep else {}
        wanted = upload.kind and call.find("x-amz-checksum-" + upload.kind)
        if wanted and wanted != sums.get(upload.kind, wanted):
            raise Refused(400, "BadDigest", "The checksum you specified did not match the calculated checksum.")
        etag = f"{hashlib.md5(b''.join(bytes.fromhex(p.etag) for p in parts)).hexdigest()}-{len(parts)}"
        new = Object(b"".join(p.data for p in parts) if self.keep else None, sum(p.length for p in parts), upload.headers, etag, [p.pieces[0] for p in parts], sums)
        headers = self.store(upload.key, new).headers
        elements = "".join(f"<Checksum{kind.upper()}>{value}</Checksum{kind.upper()}><ChecksumType>{upload.type}</ChecksumType>" for kind, value in sums.items())
        upload.done = document("CompleteMultipartUploadResult", f"<Location>x</Location><Bucket>{self.bucket}</Bucket><Key>{xml(upload.key)}</Key><ETag>&quot;{etag}&quot;</ETag>{elements}",
                               {"x-amz-version-id": headers["x-amz-version-id"]} if self.versioning else {})
        upload.parts = {}
        return upload.done

    def sum_of(self, upload, parts):
        if upload.type == "COMPOSITE":
            return checksums.of_parts(upload.kind, [p.sums[upload.kind] for p in parts])
        return checksums.of(upload.kind, b"".join(p.data for p in parts))

    def listed(self, call, upload):
        """The parts that Complete names, each as it must be named."""
        root, parts = parse(call.body), []
        numbers = [int(text_of(item, "PartNumber") or 0) for item in root]
        if not numbers or numbers != sorted(set(numbers)):
            raise Refused(400, "InvalidPartOrder" if numbers else "MalformedXML", "The list of parts was not in ascending order.")
        for number, item in zip(numbers, root):
            found = upload.parts.get(number)
            if found is None or (text_of(item, "ETag") or "").strip('"') != found.etag:
                raise Refused(400, "InvalidPart", "One or more of the specified parts could not be found.", PartNumber=number)
            told = upload.kind and text_of(item, "Checksum" + upload.kind.upper())
            if upload.kind and told != found.sums[upload.kind] and (told or upload.type == "COMPOSITE"):
                raise Refused(400, "InvalidPart" if told else "InvalidRequest", f"The complete request must include the checksum for each part: part {number}")
            parts.append(found)
        if any(p.length < self.min_part for p in parts[:-1]):
            raise Refused(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        return parts

    def list_uploads(self, call):
        """In the order of keys, then of age, after the two markers."""
        after = (call.query.get("key-marker", ""), call.query.get("upload-id-marker", ""))
        most = int(call.query.get("max-uploads") or 1000)
        found = sorted(((u.key, u.when, name) for name, u in self.uploads.items() if not u.done and u.key.startswith(call.query.get("prefix", ""))))
        if after[0]:
            at = next((i + 1 for i, (key, _, name) in enumerate(found) if (key, name) == after), None)
            found = found[at:] if at is not None else [f for f in found if f[0] > after[0]]
        shown, rest = found[:most], found[most:]
        key = (lambda k: escape(k, "/-_.~").replace("%20", "+")) if call.query.get("encoding-type") == "url" else xml
        inside = f"<Bucket>{self.bucket}</Bucket><MaxUploads>{most}</MaxUploads><IsTruncated>{'true' if rest else 'false'}</IsTruncated>"
        if rest:
            inside += f"<NextKeyMarker>{key(shown[-1][0])}</NextKeyMarker><NextUploadIdMarker>{xml(shown[-1][2])}</NextUploadIdMarker>"
        for name, when, upload in shown:
            inside += f"<Upload><Key>{key(name)}</Key><UploadId>{xml(upload)}</UploadId><Initiated>{time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(when))}</Initiated></Upload>"
        return document("ListMultipartUploadsResult", inside)

    def list(self, call):
        del call
        inside = "".join(f"<Contents><Key>{escape(k, '/-_.~').replace('%20', '+')}</Key><Size>{self.object(k).length}</Size></Contents>" for k in sorted(self.objects()))
        return document("ListBucketResult", f"<Name>{self.bucket}</Name><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>{inside}")

    def bucket_head(self, call):
        del call
        return Reply(200)

    # -- checks ---------------------------------------------------------------------------------------------------

    def check_name_and_metadata(self, call):
        if len(call.key.encode()) > 1024:
            raise Refused(400, "KeyTooLongError", "Your key is too long")
        if any(segment in (".", "..") for segment in call.key.split("/")):
            raise Refused(400, "InvalidURI", "Couldn't parse the specified URI.")
        if sum(len(name) - 11 + len(value) for name, value in call.headers if name.startswith("x-amz-meta-")) > 2048:
            raise Refused(400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")

    def check_body(self, call):
        """Gives the checksums that came with it."""
        if call.payload != UNSIGNED and call.payload != hashlib.sha256(call.body).hexdigest():
            raise Refused(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
        sums = {kind: call.find("x-amz-checksum-" + kind) for kind in checksums.KINDS if call.find("x-amz-checksum-" + kind)}
        for kind, value in sums.items():
            if value != checksums.of(kind, call.body):
                raise Refused(400, "BadDigest", f"The {kind} you specified did not match the calculated checksum.")
        return sums

    def check_condition(self, call):
        condition = call.find("if-none-match")
        if condition not in (None, "*"):
            raise Refused(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
        if condition and self.conditions and self.object(call.key):
            raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", Condition="If-None-Match")


def parse(body):
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise Refused(400, "MalformedXML", "The XML you provided was not well-formed") from None
    if root.tag.rpartition("}")[2] != "CompleteMultipartUpload":
        raise Refused(400, "MalformedXML", "The XML you provided did not validate against our published schema")
    return list(root)


def text_of(item, name):
    return next((child.text for child in item if child.tag.rpartition("}")[2] == name), None)
