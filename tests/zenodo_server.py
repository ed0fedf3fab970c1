"""A server on this machine that speaks the part of Zenodo's API that reading of records uses."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import threading
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

__all__ = ["Zenodo"]


class Zenodo:
    """Serves folders as records: ``folder/NUMBER/...``.

    Record 404 is missing, 500 answers with an error, 600 nothing until the server is closed, 700 a web page;
    files whose names begin with ``changed`` are other than their checksums say.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: Counter[str] = Counter()
        self.closed = threading.Event()
        self.elsewhere = ""
        """Address that records name for their files in place of this server."""
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

    def record(self, number: str) -> dict[str, Any]:
        """Return what the server says of a record."""
        files = [
            {
                "key": path.name,
                "size": path.stat().st_size,
                "checksum": f"md5:{hashlib.md5(b'x' if path.name.startswith('changed') else path.read_bytes()).hexdigest()}",
                "links": {"self": f"{self.elsewhere or self.url}/api/records/{number}/files/{path.name}/content"},
            }
            for path in sorted((self.folder / number).iterdir())
        ]
        return {"id": int(number), "doi": f"10.5281/zenodo.{number}", "files": files}


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, zenodo: Zenodo, *args: Any) -> None:
        self.zenodo = zenodo
        super().__init__(*args)

    def do_GET(self) -> None:
        self.answer()

    def do_HEAD(self) -> None:
        self.answer()

    def answer(self) -> None:
        path = self.path.strip("/")
        self.zenodo.asked[path] += 1
        parts = path.split("/")
        number = parts[2] if parts[:2] == ["api", "records"] and len(parts) > 2 else ""
        if number == "600":
            self.zenodo.closed.wait(60)
        if number == "700":
            self.send(200, b"<html></html>")
        elif number == "500":
            self.send(500, b"")
        elif len(parts) == 3 and (self.zenodo.folder / number).is_dir():
            self.send(200, json.dumps(self.zenodo.record(number)).encode())
        elif len(parts) == 6 and (self.zenodo.folder / number / parts[4]).is_file():
            self.send(200, (self.zenodo.folder / number / parts[4]).read_bytes())
        else:
            self.send(404, b"{}")

    def send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""
