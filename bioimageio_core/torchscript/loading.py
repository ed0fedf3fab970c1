"""Loops in the methods of a TorchScript program that PyTorch runs while it loads the file.

Nothing can interrupt them: PyTorch holds Python's lock meanwhile, so that neither Ctrl-C nor a thread ends a loop without an end.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

__all__ = ["loops_while_loading"]

_METHOD = re.compile(rb"^\s*(?:def\s+(\w+)|class\b)", re.MULTILINE)
_NAME = re.compile(rb"[A-Za-z_]\w*")
_LOOP = re.compile(rb"\b(?:while|for)\b")
"""Of statements and of comprehensions."""

_HIDES_LINES = re.compile(rb"\"\"\"|'''|\\\r?\n")
"""Texts and continued lines in which a line may begin with a word that does not count; PyTorch does not write any."""


def loops_while_loading(texts: Sequence[bytes]) -> bool:
    """Return whether ``__setstate__``, a method that it may call, or a method that is called without its name, has a loop.

    A program that could hide where its methods begin counts as one with loops.
    """
    methods = defaultdict[bytes, list[bytes]](list)
    for text in texts:
        begins = [*_METHOD.finditer(text)]
        for found, end in zip(begins, [following.start() for following in begins[1:]] + [len(text)], strict=False):
            if found[1] is not None:
                methods[found[1]].append(text[found.end() : end])
    if b"__setstate__" not in methods:
        return False
    if any(_HIDES_LINES.search(text) for text in texts):
        return True
    called, waiting = set[bytes](), [name for name in methods if name.startswith(b"__") and name != b"__getstate__"]
    while waiting:
        name = waiting.pop()
        if name not in called:
            called.add(name)
            waiting.extend(methods.keys() & {*_NAME.findall(b" ".join(methods[name]))})
    return any(_LOOP.search(body) for name in called for body in methods[name])
