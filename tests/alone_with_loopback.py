"""Runs a command where there is no network but loopback, and prints the names that it looked up, one a line.

Usage: ``unshare -rnm python alone_with_loopback.py FOLDER COMMAND ...``; the folder is for a file of settings.
The command `lookup NAME` stands for looking up a name.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

SET_FLAGS, UP = 0x8914, 1
"""SIOCSIFFLAGS and IFF_UP of Linux."""


def loopback_up() -> None:
    """Switch on the only interface of the new namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", UP))


def name_in(query: bytes) -> str:
    """Return the name that a query of the Domain Name System asks for."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels)


def main() -> None:
    """Answer each query with "no such name", and collect the names."""
    folder, *command = sys.argv[1:]
    loopback_up()
    settings = Path(folder) / "resolv.conf"
    settings.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    subprocess.run(["mount", "--bind", str(settings), "/etc/resolv.conf"], check=True)
    asked: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))

        def serve() -> None:
            while True:
                query, client = server.recvfrom(512)
                asked.append(name_in(query))
                server.sendto(query[:2] + b"\x81\x83" + query[4:], client)

        threading.Thread(target=serve, daemon=True).start()
        if command[0] == "lookup":
            command = [sys.executable, "-c", f"import socket; socket.gethostbyname({command[1]!r})"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        print("\n".join(asked))
    print(done.stderr, file=sys.stderr)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
