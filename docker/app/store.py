# SPDX-License-Identifier: MIT
"""What the demo's store holds, form by form: an nginx that lists its folders, or a bucket that anybody here may list."""
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from datetime import datetime
from email.utils import parsedate_to_datetime

S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class StoreIsGone(Exception):
    """It does not answer, or not to the end, or not with a list."""


def ask(url, read):
    """What `read` makes of the answer; None where nothing is of that name."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return read(answer)
    except urllib.error.HTTPError as e:
        if e.code == 404:
            return None
        raise StoreIsGone from e
    except (OSError, http.client.HTTPException, ValueError, ElementTree.ParseError) as e:
        raise StoreIsGone from e


def part(folder, name, size):
    """An object's name is `NUMBER-REST`; below /files/ the gateway reads it back."""
    number, _, rest = name.partition("-")
    return {"number": int(number) if number.isdigit() else 0, "name": rest, "size": size,
            "url": f"/files/{urllib.parse.quote(folder)}/{urllib.parse.quote(name)}"}


def by_number(parts):
    return sorted(parts, key=lambda p: p["number"])


def newest(forms, most):
    return sorted(forms, key=lambda form: form["when"], reverse=True)[:most]


class Folders:
    """nginx: /index/ has a folder for each form."""

    def __init__(self, url):
        self.url = url

    def listing(self, path):
        return ask(f"{self.url}/index/{path}", json.load) or []

    def parts(self, form):
        return by_number(part(form, e["name"], e.get("size", 0)) for e in self.listing(urllib.parse.quote(form) + "/"))

    def forms(self, most):
        """The last forms that were stored, the newest first, each with its parts."""
        found = [{"id": e["name"], "when": parsedate_to_datetime(e["mtime"])} for e in self.listing("") if e["type"] == "directory"]
        return [{**form, "parts": self.parts(form["id"])} for form in newest(found, most)]


class Bucket:
    """S3: keys are PREFIX FORM/NAME. A bucket lists by key and not by date, so all of it is read to find the newest."""

    def __init__(self, url, prefix=""):
        self.url, self.prefix = url, prefix

    def page(self, below, after):
        query = {"list-type": 2, "prefix": self.prefix + below, **({"continuation-token": after} if after else {})}
        found = ask(f"{self.url}/?{urllib.parse.urlencode(query, quote_via=urllib.parse.quote)}", ElementTree.parse)
        if found is None or found.getroot().tag != S3 + "ListBucketResult":
            raise StoreIsGone
        return found.getroot()

    def objects(self, below):
        """(form, name, size, when) of each."""
        after = None
        while True:
            page = self.page(below, after)
            for item in page.iter(S3 + "Contents"):
                form, _, name = item.findtext(S3 + "Key").removeprefix(self.prefix).partition("/")
                yield form, name, int(item.findtext(S3 + "Size")), datetime.fromisoformat(item.findtext(S3 + "LastModified"))
            after = page.findtext(S3 + "NextContinuationToken")
            if not after:
                return

    def parts(self, form):
        return by_number(part(self.prefix + form, name, size) for form, name, size, _ in self.objects(form + "/"))

    def forms(self, most):
        """As of Folders; a form is as old as its last object."""
        found = {}
        for form, name, size, when in self.objects(""):
            entry = found.setdefault(form, {"id": form, "when": when, "parts": []})
            entry["when"] = max(entry["when"], when)
            entry["parts"].append(part(self.prefix + form, name, size))
        return [{**form, "parts": by_number(form["parts"])} for form in newest(found.values(), most)]


def of(environment):
    """BUCKET is the URL of one, PREFIX what its keys begin with; else STORE is that of an nginx."""
    if "BUCKET" in environment:
        return Bucket(environment["BUCKET"], environment.get("PREFIX", ""))
    return Folders(environment.get("STORE", "http://storage:9000"))
