# SPDX-License-Identifier: MIT
"""Real stores, each in one process with its files in a folder of its own: SeaweedFS of PyPI, and Ceph's radosgw in a chroot of
Debian trixie (root only). Whoever is not installed raises Skip."""
import atexit
import json

from s3 import *

WEED = os.path.join(os.environ.get("PENSTOCK_VENV", ""), "bin", "weed")
CHROOT = os.environ.get("S3_RGW_CHROOT", "")
RGW_CONF = """[global]
mon_host = 127.0.0.1
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
rgw_backend_store = dbstore
rgw_config_store = dbstore
dbstore_db_dir = {dir}
dbstore_db_name_prefix = pen
dbstore_config_uri = file:{dir}/config.db
rgw_frontends = beast endpoint=127.0.0.1:{port}
rgw_data = {dir}
run_dir = {dir}
"""


class RealStore:
    """`port` is where it listens, `client` is boto3's."""
    keeps_slashes = keeps_conditions = joins_parts = gives_checksums = keeps_tags_of_uploads = True
    makes_buckets = False
    keeps_ends, longest_segment = True, 1024
    lists_uploads = takes_parts_at_once = True
    patience = 30  # seconds that Kubernetes leaves between SIGTERM and SIGKILL; SeaweedFS, which waits for one thing after the other, takes 16

    def __init__(self, name):
        self.dir, self.port, self.name, self.process = tempfile.mkdtemp(prefix="penstock-s3-"), free_port(), name, None
        self.client = boto_client(self.port)

    def begin(self):
        try:
            self.start()
            self.client.create_bucket(Bucket="bkt")
        except BaseException:
            self.close()
            raise

    def start(self):
        with open(self.dir + "/out", "ab") as out:
            command = ["setpriv", "--pdeathsig", "KILL", *self.command()]  # a suite may be killed
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=dict(os.environ, HOME=self.dir, TMPDIR=self.dir))
        wait_for(self.is_up, f"{self.name} answers: " + self.log())

    def is_up(self):
        """It takes objects."""
        assert self.process.poll() is None, self.log()
        return self.takes_objects()

    def takes_objects(self):
        with contextlib.suppress(Exception):
            if "ready" not in [b["Name"] for b in self.client.list_buckets()["Buckets"]]:
                self.client.create_bucket(Bucket="ready")
            return bool(self.client.put_object(Bucket="ready", Key="k"))
        return False

    def log(self):
        with open(self.dir + "/out", encoding="utf-8", errors="replace") as f:
            return f.read()[-3000:]

    def kill(self, how=signal.SIGKILL):
        """As an operator's tools do it: what does not end in time is killed. SeaweedFS waits for connections and calls of its own parts,
        for some of them without a bound."""
        self.process.send_signal(how)
        if how != signal.SIGKILL:
            try:
                self.process.wait(self.patience)
                return
            except subprocess.TimeoutExpired:
                print(f"# {self.name} has not ended {self.patience} s after {how.name}, and is killed", flush=True)
                self.process.kill()
        self.process.wait(DEADLINE)

    def name_of(self, key):
        """As it stands in a list."""
        return key

    def keys(self):
        found = []
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket="bkt"):
            found += [item["Key"] for item in page.get("Contents", [])]
        return found

    def get(self, key):
        return self.client.get_object(Bucket="bkt", Key=key)

    def unfinished(self):
        return self.client.list_multipart_uploads(Bucket="bkt").get("Uploads", [])

    def empty(self):
        for key in self.keys():
            self.client.delete_object(Bucket="bkt", Key=key)
        for upload in self.unfinished():
            self.client.abort_multipart_upload(Bucket="bkt", Key=upload["Key"], UploadId=upload["UploadId"])

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class SeaweedFS(RealStore):
    NAMES = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port.grpc")
    keeps_slashes = False  # of two in a row it keeps one
    makes_buckets = True  # of whatever name somebody stores to
    keeps_ends, longest_segment = False, 255  # a key that ends in a slash is a folder without bytes

    def __init__(self):
        if not os.path.exists(WEED):
            raise Skip("SeaweedFS is not here")
        super().__init__("SeaweedFS")
        self.ports = {"s3.port": self.port, **{name: free_port() for name in self.NAMES}}
        self.claims = list(CLAIMS)  # kept for as long as it may start again
        who = {"name": "test", "credentials": [{"accessKey": "AKTEST", "secretKey": "SKTESTSECRET"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        with open(self.dir + "/s3.json", "w", encoding="ascii") as f:
            json.dump({"identities": [who]}, f)
        self.begin()

    def name_of(self, key):
        """A key is a path of its own file system, and a backslash is a slash there."""
        return re.sub("//+", "/", key.replace("\\", "/"))

    def command(self):
        return [WEED, "server", f"-dir={self.dir}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", f"-filer.localSocket={self.dir}/filer.sock",
                "-s3", f"-s3.config={self.dir}/s3.json", f"-s3.localSocket={self.dir}/s3.sock", "-s3.port.iceberg=0", "-s3.port.lance=0",
                "-master.volumeSizeLimitMB=64", "-volume.max=20", "-master.telemetry=false", "-master.electionTimeout=1s", "-volume.preStopSeconds=1",
                *(f"-{name}={port}" for name, port in self.ports.items())]

    def close(self):
        super().close()
        for name, port in self.ports.items():  # it puts these nowhere else
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"/tmp/seaweedfs-{name.split('.')[0]}-grpc-{port}.sock")


class RadosGW(RealStore):
    keeps_conditions = gives_checksums = keeps_tags_of_uploads = False  # it takes them and does not look
    joins_parts = False  # with this backend, 18.2.7 gives back other bytes of what had several parts, boto3's as well, and of versions none
    lists_uploads = False
    takes_parts_at_once = False  # of those that it is writing at the same time it may forget one

    def __init__(self):
        if not CHROOT:
            raise Skip("radosgw is not here")
        super().__init__("radosgw")
        shutil.rmtree(self.dir)
        self.dir = tempfile.mkdtemp(prefix="penstock-s3-", dir=CHROOT + "/srv")
        self.inside, self.claims = self.dir[len(CHROOT):], list(CLAIMS)
        with open(self.dir + "/ceph.conf", "w", encoding="ascii") as f:
            f.write(RGW_CONF.format(dir=self.inside, port=self.port))
        subprocess.run(["timeout", "20", *self.chrooted("radosgw-admin", "--no-mon-config", "user", "create", "--uid=test", "--display-name=test", "--access-key=AKTEST",
                        "--secret-key=SKTESTSECRET")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)  # it may not end by itself
        self.begin()

    def listed(self):
        """What is unfinished stands in its list of objects, as KEY.ID, and in no list of its own. Its database is not to be asked: it
        refuses whatever it was about to write while another process reads there (403 AccessDenied), such as an abort."""
        found = [(key, re.fullmatch(r"(.+)\.(2~[\w-]{31})", key)) for key in super().keys()]
        return [key for key, upload in found if not upload], [{"Key": upload[1], "UploadId": upload[2]} for _, upload in found if upload]

    def keys(self):
        return self.listed()[0]

    def unfinished(self):
        return self.listed()[1]

    def chrooted(self, program, *words):
        return ["chroot", CHROOT, program, "-c", self.inside + "/ceph.conf", *words]

    def command(self):
        return self.chrooted("radosgw", "-n", "client.rgw", "--no-mon-config", "-d")


class Shared:
    """One store for all tests of a module that leave it whole; each gets it with an empty bucket. After a test that failed, or one after
    which it takes no objects, the next gets another one: whatever was done to it then is no other test's affair."""

    def __init__(self, kind):
        self.kind, self.store = kind, None
        atexit.register(self.close)

    @contextlib.contextmanager
    def given(self):
        if self.store is not None and not self.is_whole():
            print(f"# {self.store.name} takes no objects any more, and another one is started", flush=True)
            self.close()
        try:
            self.store = self.store or self.kind()
            self.store.empty()
            yield self.store
        except Skip:
            raise
        except BaseException:
            self.close()
            raise

    def is_whole(self):
        return self.store.process.poll() is None and self.store.takes_objects()

    def test(self, check):
        """A test of what is checked with the store."""
        def checked():
            with self.given() as store:
                check(store)
        return checked

    def close(self):
        if self.store is not None:
            self.store.close()
        self.store = None
