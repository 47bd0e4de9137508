#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""slow_client.py PORT PATH - an upload that stops in the middle: waits for 100 Continue, sends half, says "half", waits for
a line on stdin, sends the rest, prints the status. Says "refused STATUS" where there is no 100."""
import socket
import sys

BODY = (b'--x\r\nContent-Disposition: form-data; name="file"; filename="slow.bin"\r\n\r\n' + b"s" * 200000 + b"\r\n--x--\r\n")


def status(stream):
    line = stream.readline().split()
    while stream.readline() not in (b"\r\n", b""):
        pass
    return int(line[1]) if len(line) > 1 else 0


with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60) as s, s.makefile("rb") as stream:
    s.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n"
              b"Expect: 100-continue\r\nConnection: close\r\n\r\n" % (sys.argv[2].encode(), len(BODY)))
    first = status(stream)
    if first != 100:
        sys.exit(f"refused {first}")
    s.sendall(BODY[:100000])
    print("half", flush=True)
    sys.stdin.readline()
    s.sendall(BODY[100000:])
    print(status(stream), flush=True)
