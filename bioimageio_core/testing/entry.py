"""What holds for entries of every kind: they are collected under their names, and importing them is light."""

from __future__ import annotations

import warnings
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from ..registry import GROUP, HOOKS, Registry, collect, missing_requirements
from .processes import import_times, imported_by

__all__ = ["FRAMEWORKS", "EntryConformance", "one_sentence"]

FRAMEWORKS = ("jax", "keras", "onnxruntime", "tensorflow", "torch")
"""Frameworks that no plugin may import when its entries are listed, whatever its requirements."""

LISTING = """
from importlib.metadata import EntryPoint
from bioimageio_core.registry import collect
collect([EntryPoint(name="checked", value={module!r}, group={group!r})])
"""


class EntryConformance:
    """The base of all conformance classes; a subclass is named ``Test...`` and sets ``entry``."""

    kind: str
    """Field of the registry."""

    entry: Any
    """The entry to test."""

    plugin: str = ""
    """Name of the module that has the hooks; found by itself if the plugin is installed, or if ``load`` is defined in it."""

    import_limit: float = 1.0
    """Seconds that importing the module may take."""

    def test_is_collected(self) -> None:
        """The entry is collected under its name, and its module registers without any failure."""
        registry = self.collected()
        assert not registry.failures, "; ".join(f.message for f in registry.failures)
        found = getattr(registry, self.kind)
        assert self.entry.name in found, f"the module {self.module()} yields no {self.kind} of the name {self.entry.name!r}"
        expected = HOOKS[self.kind].entry
        assert isinstance(found[self.entry.name], expected), f"expected {expected}, found {type(found[self.entry.name])}"

    def test_import_is_light(self) -> None:
        """Importing the plugin and building its entries imports no framework."""
        frameworks = {*FRAMEWORKS, *(name.partition(".")[0] for name in getattr(self.entry, "requires", ()))}
        modules = imported_by(LISTING.format(module=self.module(), group=GROUP))
        early = sorted(frameworks & {name.partition(".")[0] for name in modules})
        assert not early, f"listing the entries of {self.module()} imports {', '.join(early)}: import them within the function `load`"

    def test_import_is_fast(self) -> None:
        """Importing the plugin takes less than a second (`import_limit`), beside what the library itself imports."""
        module = self.module()
        seconds = min(import_times(module, self.import_limit))
        assert seconds <= self.import_limit, (
            f"importing {module} takes {seconds:.1f} s, expected at most {self.import_limit:g} s: every command waits for it; "
            "import what is slow within the function `load`"
        )

    def module(self) -> str:
        """Return the name of the module that has the hooks."""
        if self.plugin:
            return self.plugin
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other plugins
            plugin = collect().provenance.get((self.kind, self.entry.name))
        if plugin is not None:
            return plugin.module
        load = getattr(self.entry, "load", None) or getattr(self.entry, "descr", {}).get("0.5")
        name = getattr(getattr(load, "func", load), "__module__", None)
        if name is None:
            pytest.fail(f"it is not known which module yields {self.entry.name!r}: set the class attribute `plugin` to its name")
        return str(name)

    def collected(self) -> Registry:
        """Return the registry of this plugin's module alone."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # failures are asserted on
            return collect([EntryPoint(name="checked", value=self.module(), group=GROUP)])

    def needs_installed(self) -> None:
        """Skip the test where something that the entry requires is not installed."""
        missing = missing_requirements(getattr(self.entry, "requires", ()))
        if missing:
            pytest.skip(f"{self.entry.name} needs {', '.join(missing)}, which is not installed")


def one_sentence(message: str) -> None:
    """Assert that a message can be shown to a user as it is: some words in one line."""
    assert message.strip(), "expected an error with a message, found an empty one"
    assert "\n" not in message.strip(), f"expected an error message in one line, found {len(message.splitlines())}: {message}"
    assert len(message) <= 1000, f"expected an error message of at most 1000 characters, found {len(message)}"
