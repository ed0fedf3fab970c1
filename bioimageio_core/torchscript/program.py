"""The program in a TorchScript file, read before PyTorch loads it: which operators and classes it names.

PyTorch runs parts of a program while it loads the file (``__setstate__``), so that a loaded graph would be checked too late.
A program is text in a subset of Python. It can reach an operator by an attribute alone, as in ``torch.add``, ``ops.prim.data`` or
``x.relu()``, also through other names for ``torch`` and ``ops``; `getattr` takes its name from the text.
So all attributes in the text are compared with all operators that are registered in this process and are not known to compute only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from ..errors import ModelRunError, TrustError
from ..text import in_brief
from .loading import loops_while_loading
from .operators import CLASS_NAMESPACES, is_computing

__all__ = ["check_program"]

_BETWEEN = rb"(?:[\s\\]|#[^\n]*\n)*"
"""What may stand between two words: space, continued lines, comments."""

_ATTRIBUTE = re.compile(rb"(?=\." + _BETWEEN + rb"([A-Za-z_]\w*))")
_GETATTR = re.compile(rb"\bgetattr\b(?:\(\s*[\w.]+\s*,\s*\"([^\"\\]*)\"\s*\))?")
_PRINT = re.compile(rb"(?<![.\w])print\b")
_CLASS = re.compile(rb"\btorch[.\n]classes[.\n](\w+)")
"""In the text and in pickles, which may part a name by a new line."""


def check_program(path: str, name: str, *, libraries: Collection[str] = ()) -> None:
    """Refuse a TorchScript file that uses operators or classes other than those that compute.

    Args:
        path: The file.
        name: How to call it.
        libraries: Names of libraries that the user imports for the weights; operators and classes in a namespace of this name may be used.

    Raises:
        TrustError: Names an operator or a class.
        ModelRunError: The file is not an archive of TorchScript, or one of a format that cannot be checked.

    """
    import torch

    texts, pickles = _records(path, name)
    known = {library.partition(".")[0] for library in libraries}
    attributes = frozenset(attribute for text in texts for attribute in _attributes(text, name))
    for schema in torch._C._jit_get_all_schemas():
        namespace, _, operator = schema.name.partition("::")
        if operator not in attributes or namespace in known or is_computing(namespace, operator):
            continue
        if namespace == "aten" or namespace in attributes:
            raise _no_trust(name, f"the operator {schema.name}")
    if any(_PRINT.search(text) for text in texts):
        raise _no_trust(name, "the operator prim::Print")
    if loops_while_loading(texts):
        raise _no_trust(name, "a loop while it is loaded (__setstate__)")
    for found in _CLASS.finditer(b"\n".join([*texts, *pickles])):
        namespace = found[1].decode()
        if namespace not in CLASS_NAMESPACES and namespace not in known:
            raise _no_trust(name, f"classes of {namespace}")


def _records(path: str, name: str) -> tuple[list[bytes], list[bytes]]:
    """Return the texts and the pickles in a file, by the reader that loads it: others may find different records of one name."""
    import torch

    with Path(path).open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            raise ModelRunError(f"PyTorch cannot load {name} as TorchScript: expected a zip archive, as torch.jit.save writes")
    try:
        reader = torch._C.PyTorchFileReader(path)
        listed = reader.get_all_records()
        records = {record: record.lower() for record in listed}  # the reader finds records whatever their case
        if len(records) < len(listed) or not all(map(reader.has_record, records)):  # it cuts long names short, and finds complete ones
            raise ModelRunError(f"{name} has records of one name, or with names of over 500 characters, so that not all can be checked")
        texts = [bytes(reader.get_record(record)) for record, lower in records.items() if lower.endswith(".py")]
        pickles = [bytes(reader.get_record(record)) for record, lower in records.items() if lower.endswith(".pkl")]
    except (RuntimeError, ValueError) as error:
        raise ModelRunError(f"PyTorch cannot load {name} as TorchScript: {in_brief(error)}") from error
    if "model.json" in records.values():
        raise ModelRunError(
            f"{name} is TorchScript of a version of PyTorch before 1.4, which is not loaded: load and save it again with torch.jit"
        )
    return texts, pickles


def _attributes(text: bytes, name: str) -> Iterator[str]:
    """Yield all attributes that a text names, those in strings and comments among them."""
    for found in _ATTRIBUTE.finditer(text):
        yield found[1].decode()
    for found in _GETATTR.finditer(text):
        if found[1] is None:
            raise _no_trust(name, "getattr with a name that is not plain text")
        yield found[1].decode(errors="replace")


def _no_trust(name: str, what: str) -> TrustError:
    return TrustError(f"the program in {name} uses {what}, which may do more than compute: {TrustError.remedy}")
