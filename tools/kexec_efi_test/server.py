# SPDX-License-Identifier: BSD-2-Clause
"""A web server on the loopback address for QEMU's guests. It makes mistakes on demand."""

import contextlib
import email.utils
import http.server
import pathlib
import re
import socket
import struct
import threading

# The guest's address of the host.
HOST_ADDRESS = "10.0.2.2"

HALF, ALL = "half", "all"


class Fault:
    """A way to serve a file. `times`: the number of bad answers among those with a body, None for all of them.

    `sends`: how much of the body is sent before the connection ends as `ends` says: "close", "reset", or "stall".
    `status`: the status to send instead. `tag`: the ETags of successive answers. `extra`: so many more bytes are
    announced and sent by GET. `surplus`: so many bytes are sent by GET behind the announced ones. `chunked`: sends no
    length. `ranges`: whether the server supports ranges. `head`: whether it supports HEAD.
    """

    def __init__(self, times=None, sends=ALL, ends="close", status=None, tag=None, extra=0, surplus=0, chunked=False,
                 ranges=True, head=True):
        self.times, self.sends, self.ends, self.status, self.tag = times, sends, ends, status, tag
        self.extra, self.surplus, self.chunked, self.ranges, self.head = extra, surplus, chunked, ranges, head


GOOD = Fault(times=0)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer(with_body=False)

    def do_GET(self):
        self._answer(with_body=True)

    def _answer(self, with_body):
        files = self.server.files
        content, fault = files.get(self.path, (None, GOOD))
        self.server.requests.append((self.command, self.path, self.headers.get("Range")))
        if content is None:
            self._refuse(404)
            return
        is_bad = fault.times is None or self.server.answered.get(self.path, 0) < fault.times
        if with_body:
            self.server.answered[self.path] = self.server.answered.get(self.path, 0) + 1
        if not with_body and not fault.head:
            self._refuse(501)
        elif is_bad and fault.status:
            self._refuse(fault.status)
        else:
            self._serve(content, fault if is_bad else GOOD, fault, with_body)

    def _refuse(self, status):
        self.send_response(status)
        if status // 100 == 3:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _serve(self, content, bad, fault, with_body):
        body = content if isinstance(content, bytes) else pathlib.Path(content).read_bytes()
        total = len(body)
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        ranged = wanted and fault.ranges
        start = int(wanted[1]) if ranged else 0
        body = body[start:]
        if with_body:
            body += bytes(bad.extra)
        tag = fault.tag[min(self.server.answered.get(self.path, 0), len(fault.tag) - 1)] if fault.tag else "same"
        self.send_response(206 if ranged else 200)
        if ranged:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if bad.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{tag}"')
        self.send_header("Last-Modified", email.utils.formatdate(0, usegmt=True))
        self.end_headers()
        if with_body:
            self._send(body + bytes(bad.surplus), bad)

    def _send(self, body, bad):
        if bad.chunked:
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        with contextlib.suppress(OSError):
            self.wfile.write(body[:len(body) // 2] if bad.sends == HALF else body)
            self.wfile.flush()
        if bad.sends == ALL:
            return
        if bad.ends == "stall":
            self.server.end.wait()
        if bad.ends == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        """The guest ends connections as it likes."""


@contextlib.contextmanager
def serving(files):
    """Serves `files`, a dict from path to (bytes or a file's path, Fault). Yields the server; `url` is its URL for the
    guest, and `requests` has (method, path, range) of each request."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.files, server.requests, server.answered, server.end = files, [], {}, threading.Event()
    server.url = f"http://{HOST_ADDRESS}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.end.set()
        server.shutdown()
        thread.join()
        server.server_close()
