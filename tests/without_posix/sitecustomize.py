"""Hides what only POSIX systems have, in each Python process that has this folder on its path: a stand-in for another system."""

from __future__ import annotations

import os
import sys

for module in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[module] = None  # type: ignore[assignment]
for name in ("fork", "forkpty", "sched_getaffinity", "sched_setaffinity"):
    if hasattr(os, name):
        delattr(os, name)
