"""A web server on this machine that counts what it is asked for, and misbehaves where its URLs say so."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import threading
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

__all__ = ["Served"]

WAYS = ("refuse", "no-head", "no-length", "cut", "hang", "stall", "drip", "endless")


class Served:
    """Serves a folder; the first part of a path may say how.

    ::

        /file             with an ETag; ranges are not supported, queries and a last part ``content`` are ignored
        /redirect/file    by another URL
        /status/500/file  with an error
        /refuse/file      with 403 where there is no file, as S3 does for users who may not list
        /no-head/file     no HEAD
        /no-length/file   neither its length nor its version is told
        /cut/file         half of it, after announcing all
        /hang/file        nothing is said until the server is closed
        /stall/file       half of it to the first who asks, and no more until the server is closed
        /drip/file        a byte at a time, ten a second
        /endless/file     without length and without end
        /other/PORT/file  by the URL of another server of this machine
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetched: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.closed = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        """Stop serving."""
        self.closed.set()
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, served: Served, *args: Any) -> None:
        self.served = served
        super().__init__(*args)

    def do_GET(self) -> None:
        self.served.fetched[self.path] += 1
        self.answer(with_body=True)

    def do_HEAD(self) -> None:
        self.served.asked[self.path] += 1
        self.answer(with_body=False)

    def answer(self, *, with_body: bool) -> None:
        path = self.path.partition("?")[0].strip("/").removesuffix("/content")
        way, _, name = path.partition("/")
        if way == "redirect":
            self.head(302, Location=f"/{name}")
        elif way == "other":
            self.head(302, Location=f"http://127.0.0.1:{name}")
        elif way == "status":
            self.head(int(name.partition("/")[0]))
        elif way == "no-head" and not with_body:
            self.head(405)
        else:
            self.send(way if way in WAYS else "", name if way in WAYS else path, with_body=with_body)

    def send(self, way: str, name: str, *, with_body: bool) -> None:
        if way == "hang":
            self.served.closed.wait(60)
        file = self.served.folder / name
        if not file.is_file():
            return self.head(403 if way == "refuse" else 404)
        content = file.read_bytes()
        known = {"Content-Length": str(len(content)), "ETag": f'"{hashlib.sha256(content).hexdigest()}"'}
        self.head(200, **({} if way in ("no-length", "endless") else known))
        while with_body and way == "endless" and not self.served.closed.is_set():
            self.wfile.write(bytes(1 << 16))
        if with_body and way == "drip":
            for number in range(len(content)):
                self.wfile.write(content[number : number + 1])
                if self.served.closed.wait(0.1):
                    break
            return None
        stalls = way == "stall" and self.served.fetched[self.path] == 1
        if with_body:
            self.wfile.write(content[: len(content) // 2] if stalls or way == "cut" else content)
            self.wfile.flush()
            if stalls:
                self.served.closed.wait(60)
        return None

    def head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # of a process that was killed
            super().handle()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""
