"""A server on this machine that speaks the part of the Hugging Face Hub's API that reading of repositories uses."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import threading
import urllib.parse
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

__all__ = ["Hub"]


class Hub:
    """Serves folders as repositories of models: ``folder/owner/name/revision/...``.

    A repository ``owner/private`` is there with the token ``hf_right`` only; ``owner/silent`` answers nothing until the server is closed;
    lists of ``owner/slow`` never come; files of ``owner/drip`` come a byte at a time, ten a second;
    files of ``owner/cut`` lack their last half; ``owner/broken`` answers with an error.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: Counter[str] = Counter()
        self.agents: set[str] = set()
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
    def __init__(self, hub: Hub, *args: Any) -> None:
        self.hub = hub
        super().__init__(*args)

    def do_GET(self) -> None:
        self.answer(b"")

    def do_HEAD(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def answer(self, body: bytes) -> None:
        path = urllib.parse.urlsplit(self.path).path.strip("/")
        self.hub.asked[path] += 1
        self.hub.agents.add(self.headers.get("User-Agent", ""))
        parts = [urllib.parse.unquote(part) for part in path.split("/")]
        if parts[:2] == ["api", "models"]:
            repository, rest = "/".join(parts[2:4]), parts[4:]
        else:
            repository, rest = "/".join(parts[:2]), parts[2:]
        way = repository.partition("/")[2]
        if way == "silent" or (way == "slow" and rest[:1] == ["tree"]):
            self.hub.closed.wait(60)
        if way == "broken":
            return self.send(500, b"{}")
        if not (self.hub.folder / repository).is_dir() or (way == "private" and self.headers.get("Authorization") != "Bearer hf_right"):
            return self.refuse("RepoNotFound", 401)
        what = rest[0] if rest else "revision"
        revision = rest[1] if len(rest) > 1 else "main"
        root = self.hub.folder / repository / revision
        if not root.is_dir():
            return self.refuse("RevisionNotFound", 404)
        if what == "revision":
            return self.send_json(
                {"_id": "1", "id": repository, "modelId": repository, "sha": _commit(root), "private": False, "siblings": []}
            )
        if what == "tree":
            folder = root.joinpath(*rest[2:])
            if not folder.is_dir():
                return self.refuse("EntryNotFound", 404)
            return self.send_json([_entry(path, root) for path in sorted(folder.iterdir())])
        if what == "paths-info":
            asked = json.loads(body)["paths"] if body.startswith(b"{") else urllib.parse.parse_qs(body.decode()).get("paths", [])
            return self.send_json([_entry(root / name, root) for name in asked if (root / name).exists()])
        return self.send_file(root.joinpath(*rest[2:]), root, way)

    def send_file(self, path: Path, root: Path, way: str) -> None:
        if not path.is_file():
            return self.refuse("EntryNotFound", 404)
        content = path.read_bytes()
        content = content[: len(content) // 2] if way == "cut" else content
        headers = {"ETag": f'"{_blob(path)}"', "X-Repo-Commit": _commit(root), "Accept-Ranges": "bytes"}
        status, wanted = 200, self.headers.get("Range")
        if wanted:
            begin, _, end = wanted.removeprefix("bytes=").partition("-")
            headers["Content-Range"] = f"bytes {begin}-{end or len(content) - 1}/{len(content)}"
            content, status = content[int(begin) : int(end) + 1 if end else None], 206
        if way != "drip":
            return self.send(status, content, **headers)
        self.send(status, b"", **headers, size=len(content))
        for n in range(len(content)):
            self.wfile.write(content[n : n + 1])
            if self.hub.closed.wait(0.1):
                break
        return None

    def send_json(self, value: Any) -> None:
        self.send(200, json.dumps(value).encode(), **{"Content-Type": "application/json"})

    def refuse(self, code: str, status: int) -> None:
        self.send(status, b'{"error": "no"}', **{"X-Error-Code": code, "X-Error-Message": "no"})

    def send(self, status: int, content: bytes, *, size: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if size is None else size))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def _entry(path: Path, root: Path) -> dict[str, Any]:
    name = path.relative_to(root).as_posix()
    if path.is_dir():
        return {"type": "directory", "oid": "0" * 40, "size": 0, "path": name}
    return {"type": "file", "oid": _blob(path), "size": path.stat().st_size, "path": name}


def _blob(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


def _commit(root: Path) -> str:
    return hashlib.sha1(str(root).encode()).hexdigest()
