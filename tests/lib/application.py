# SPDX-License-Identifier: MIT
"""A small application for tests, written as an operator would write one: it may read a cookie, verify Penstock-Signature, and say who
may upload. Standard library only."""
import hashlib
import hmac
import http.server
import threading


def signature(key, purpose, t, method, target, request_id, body):
    text = "\n".join([purpose, t, method, target, request_id, hashlib.sha256(body).hexdigest()])
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def is_signed(key, handler, purpose, body=b""):
    """Whether a line Penstock-Signature is there, once, and is good for this request."""
    lines = handler.headers.get_all("Penstock-Signature") or []
    if len(lines) != 1:
        return False
    pairs = [pair.split("=", 1) for pair in lines[0].split(",")]
    said = dict(pairs)
    good = signature(key, purpose, said["t"], handler.command, handler.path, handler.headers["X-Request-Id"], body)
    return said["p"] == purpose and any(k == "v1" and hmac.compare_digest(v, good) for k, v in pairs)


class Application:
    """`decide(handler)` returns (status, [(name, value)], body) for each question. `asked` has what was asked: method, path, and the
    header lines in order."""

    def __init__(self, decide):
        self.asked, self.lock = [], threading.Lock()
        application = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                with application.lock:
                    application.asked.append((self.command, self.path, self.headers.items()))
                status, lines, body = decide(self)
                self.send_response(status)
                for name, value in lines:
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 2048

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
