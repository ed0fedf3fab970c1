"""Updates to the newest version, beside those of the reference implementation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus import built_in_registry, read_verdicts
from judge import Judge

from bioimageio_core.spec.updating import update_tree
from bioimageio_core.structuring.converter import unstructure

REGISTRY = built_in_registry()
ABSENT = "(absent)"

KEPT = {
    r"weights\.\w+\.sha256": "the reference drops hashes of weights",
    r"(inputs|outputs)\.\d+\.data(\.range)?": "the reference drops ranges of data",
    r"(inputs|outputs)\.\d+\.description": "the reference drops descriptions of tensors",
    r"attachments": "the reference drops attachments of weights",
    r"config\.model_0_3": "the reference drops the architecture of models of format 0.3 without state dict",
    r"id_emoji": "the reference drops the emoji of what is no model",
}
"""Where an update keeps what the reference drops."""


class TestCorpus:
    def test_field_by_field(self, shared: Path, judge: Judge) -> None:
        """Whatever the reference can update is updated, valid there, and equal in every field, but for what only we keep."""
        compared = 0
        for verdict in read_verdicts(shared):
            theirs = judge.opinion(verdict.tree, format_version="latest", dump=True)
            assert theirs.is_valid is verdict.is_valid_updated, verdict.sha
            if not theirs.is_valid:
                continue
            descr, _ = update_tree(verdict.tree, REGISTRY)
            ours = judge.opinion(unstructure(descr), dump=True)
            assert ours.is_valid, verdict.sha
            compared += 1
            for path, their_value, our_value in _differences(theirs.dump, ours.dump):
                if path == "timestamp" and "timestamp" not in verdict.tree:
                    continue  # the time of reading
                assert any(re.fullmatch(pattern, path) for pattern in KEPT), (verdict.sha, path, their_value, our_value)
                assert their_value == ABSENT or set(map(str, their_value)) < set(map(str, our_value)), (verdict.sha, path)
        assert compared == 281


def _differences(theirs: Any, ours: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in {**theirs, **ours}:
            yield from _differences(theirs.get(key, ABSENT), ours.get(key, ABSENT), f"{path}.{key}".removeprefix("."))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, (their_item, our_item) in enumerate(zip(theirs, ours, strict=True)):
            yield from _differences(their_item, our_item, f"{path}.{index}")
    elif theirs != ours:
        yield path, theirs, ours
