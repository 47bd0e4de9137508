# SPDX-License-Identifier: MIT
"""Real HTTP stores to upload to: Debian's nginx, Apache and lighttpd with their DAV modules, each on a port of its own with
its files below a folder of its own. A server that is not installed raises Skip."""
from lib import *

REPO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

NGINX = """daemon off; worker_processes 1; pid {dir}/pid; error_log stderr warn;
events {{ worker_connections 256; }}
http {{
  access_log {dir}/access.log; client_max_body_size 0; client_body_temp_path {dir}/tmp; proxy_temp_path {dir}/tmp2;
  fastcgi_temp_path {dir}/tmp3; uwsgi_temp_path {dir}/tmp4; scgi_temp_path {dir}/tmp5;
  server {{
    listen 127.0.0.1:{port};
    location / {{ root {root}; dav_methods PUT DELETE; create_full_put_path on; }}
  }}
  # What it passes on has been decoded once, and the server above decodes it again.
  server {{
    listen 127.0.0.1:{port_twice};
    merge_slashes off;
    location / {{ proxy_pass http://127.0.0.1:{port}$uri; }}
  }}
}}
"""

APACHE = """ServerRoot {dir}
ServerName test
Listen 127.0.0.1:{port}
PidFile {dir}/pid
ErrorLog {dir}/error.log
DefaultRuntimeDir {dir}
{modules}
User www-data
Group www-data
DocumentRoot {root}
DavLockDB {dir}/locks
AllowEncodedSlashes On
<Directory {root}>
  Dav On
  Require all granted
</Directory>
"""

LIGHTTPD = """server.modules = ("mod_webdav")
server.document-root = "{root}"
server.port = {port}
server.bind = "127.0.0.1"
server.upload-dirs = ("{dir}/tmp")
server.http-parseopts = ("header-strict" => "enable", "url-normalize-unreserved" => "enable", "url-normalize-required" => "enable",
  "url-path-2f-decode" => "enable", "url-path-dotseg-remove" => "enable")
webdav.activate = "enable"
webdav.is-readonly = "disable"
"""


class Store:
    """One such server. `root` has its files, `port` is where it listens."""

    def __init__(self, config, command, needs=()):
        missing = [path for path in needs if not os.path.exists(path)]
        if shutil.which(command[0]) is None or missing:
            raise Skip(f"{command[0]} is not here" if not missing else f"{missing[0]} is not here")
        self.dir = tempfile.mkdtemp(prefix="penstock-store-")
        self.root, self.port, self.port_twice = os.path.join(self.dir, "root"), free_port(), free_port()
        for folder in ("root", "tmp", "root/files"):
            os.mkdir(os.path.join(self.dir, folder))
        for folder in ("", "root", "tmp", "root/files"):
            os.chmod(os.path.join(self.dir, folder), 0o777)
        self.config = os.path.join(self.dir, "config")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(config(self))
        with open(os.path.join(self.dir, "out"), "wb") as out:
            self.process = subprocess.Popen([word.format(dir=self.dir) for word in command], stdout=out, stderr=out, cwd=self.dir)
        wait_for(self.is_up, f"{command[0]} listens")

    def is_up(self):
        with open(os.path.join(self.dir, "out"), encoding="utf-8", errors="replace") as f:
            assert self.process.poll() is None, f.read()
        return can_connect(self.port)

    def make(self, path, data=b""):
        """A file with that content, or with None a folder, that the server may write to."""
        path = os.path.join(self.root, path)
        if data is None:
            os.makedirs(path)
            os.chmod(path, 0o777)
            return
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o666)

    def files(self):
        found = {}
        for at, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(at, name)
                with open(path, "rb") as f:
                    found[os.path.relpath(path, self.root)] = f.read()
        return found

    def close(self):
        self.process.terminate()
        self.process.wait(DEADLINE)
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def as_root():
    return ["-g", "user root;"] if os.geteuid() == 0 else []


def filled(text, **more):
    return lambda store: text.format(dir=store.dir, root=store.root, port=store.port, port_twice=store.port_twice, **more)


def nginx():
    return Store(filled(NGINX), ["nginx", "-c", "{dir}/config", "-p", "{dir}", *as_root()])


def nginx_that_decodes_twice():
    store = nginx()
    store.port = store.port_twice
    return store


def docker_nginx():
    """With docker/nginx.conf as it is, but for its port and its folders."""
    def config(store):
        with open(os.path.join(REPO, "docker", "nginx.conf"), encoding="utf-8") as f:
            text = f.read()
        text = text.replace(" /tmp/", f" {store.dir}/").replace("/srv/store/tmp", f"{store.dir}/tmp")
        return text.replace("/srv/store", store.root).replace("listen 9000", f"listen 127.0.0.1:{store.port}")
    return Store(config, ["nginx", "-c", "{dir}/config", "-p", "{dir}", *as_root()])


def apache():
    folder = "/usr/lib/apache2/modules"
    wanted = [(name, f"{folder}/mod_{name}.so") for name in ("mpm_event", "authz_core", "dav", "dav_fs")]
    modules = "\n".join(f"LoadModule {name}_module {path}" for name, path in wanted)
    return Store(filled(APACHE, modules=modules), ["apache2", "-f", "{dir}/config", "-D", "FOREGROUND"], [path for _, path in wanted])


def lighttpd():
    return Store(filled(LIGHTTPD), ["lighttpd", "-D", "-f", "{dir}/config"], ["/usr/lib/lighttpd/mod_webdav.so"])
