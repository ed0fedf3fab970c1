"""What weights formats have to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ..registry import WeightsFormatEntry
from .descriptions import Case, DescriptionConformance
from .entry import one_sentence
from .fixtures import model_tree

__all__ = ["WeightsFormatConformance"]


class WeightsFormatConformance(DescriptionConformance):
    """The laws of weights formats; a subclass sets ``entry`` to a `WeightsFormatEntry`."""

    kind = "weights_formats"
    entry: WeightsFormatEntry

    weights: Sequence[Mapping[str, Any]] = ()
    """Entries to try, as they are written below ``weights``; none: made up from the classes."""

    def listed(self) -> Sequence[Mapping[str, Any]]:
        """Return the listed entries."""
        return [dict(tree) for tree in self.weights]

    def test_names_a_file(self, case: Case) -> None:
        """Every entry has the file of the weights as ``source``, its hash, and a ``parent``: packages are written from these."""
        names = {a.name for a in self.entry.descr[case.version].__attrs_attrs__}  # type: ignore[attr-defined]
        missing = {"source", "sha256", "parent"} - names
        assert not missing, f"the class for format {case.version} lacks {', '.join(sorted(missing))}: derive it from WeightsEntryV05 or V04"

    def test_aliases(self) -> None:
        """An old spelling of the key is refused with the new one."""
        from ..spec.validation import validate_tree

        if not self.entry.aliases:
            pytest.skip("the entry has no aliases")
        for alias in self.entry.aliases:
            report = validate_tree(model_tree("checked", {alias: {"source": "weights.bin"}}), self.collected())
            found = [issue.message for issue in report.issues if issue.loc == ("weights", alias)]
            assert found, f"expected the old spelling {alias!r} to be refused"
            assert self.entry.name in found[0], f"expected the new spelling {self.entry.name!r} in {found[0]!r}"
            one_sentence(found[0])
