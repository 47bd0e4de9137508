# SPDX-License-Identifier: MIT
"""A real Ceph radosgw: see real_checks.py."""
from real import RadosGW, Shared
from real_checks import tests_of

shared = Shared(RadosGW)
globals().update(tests_of(shared))


@shared.test
def test_its_witness_sees_what_is_unfinished(store):
    upload = store.client.create_multipart_upload(Bucket="bkt", Key="a.b")["UploadId"]
    store.client.put_object(Bucket="bkt", Key="a.2~b")
    assert store.unfinished() == [{"Key": "a.b", "UploadId": upload}] and store.keys() == ["a.2~b"], store.listed()
    store.empty()
    assert store.unfinished() == [] and store.keys() == []
