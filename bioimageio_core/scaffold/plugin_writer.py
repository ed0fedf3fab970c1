"""Writes new plugins from templates."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

import attrs

from ..atomic_files import atomic_folder
from ..errors import InputError, OutputError
from ..typing import FrozenMapping
from .naming import PluginNames

__all__ = ["KINDS", "Kind", "rendered", "write_plugin"]


@attrs.frozen(kw_only=True)
class Kind:
    """A kind of plugin that has a template."""

    folder: str
    """Within ``templates``."""

    words: str
    """Its contribution, with an article."""

    example: str
    """The function of the template before its author changes it."""

    modules: tuple[str, ...]
    """The modules beside ``plugin``; the first does the work."""

    requires: tuple[str, ...] = ("numpy>=1.26",)
    """What is installed with it, as pip reads it, beside the library."""

    test_extras: tuple[str, ...] = ("testing",)
    """Extras of the library that its tests need."""

    point: str = ""
    """First part of the name of its entry point."""


KINDS: Mapping[str, Kind] = FrozenMapping(
    {
        "op": Kind(
            folder="op",
            words="a processing op",
            example="raises every pixel to a power",
            modules=("op", "descr"),
        ),
        "weights": Kind(
            folder="weights",
            words="a weights format and its adapter",
            example="multiplies inputs by the number that is its weights",
            modules=("adapter",),
        ),
        "run-mode": Kind(
            folder="run_mode",
            words="a run mode",
            example="returns the mean of the outputs for an image and for its mirror image",
            modules=("mode", "mirrored"),
        ),
        "format": Kind(
            folder="format",
            words="a format of models",
            example="reads zip files that hold an ONNX network and a short description of it",
            modules=("reader", "description"),
        ),
        "image-reader": Kind(
            folder="image_reader",
            words="a reader of image files",
            example="reads files with a line of JSON and then all pixels",
            modules=("reader", "header"),
        ),
        "image-writer": Kind(
            folder="image_writer",
            words="a writer of image files",
            example="writes files with a line of JSON and then all pixels",
            modules=("writer",),
        ),
        "converter": Kind(
            folder="converter",
            words="a converter of weights",
            example="writes the number that is its weights as an ONNX network",
            modules=("convert",),
            requires=("numpy>=1.26", "onnx>=1.16"),
            test_extras=("onnx", "testing"),
        ),
        "consumer": Kind(
            folder="consumer",
            words="rules about a software that runs models",
            example="asks for weights in two formats, and for one input",
            modules=("rules",),
            requires=(),
        ),
        "command": Kind(
            folder="command",
            words="a command of bmz",
            example="lists the weights formats of a model",
            modules=("command",),
            requires=("click>=8.2",),
            point="command.",
        ),
    }
)
"""The kinds, as ``bmz plugins new --kind`` names them."""

COMMON = FrozenMapping(
    {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        ".gitignore": "gitignore",
        ".github/workflows/test.yml": "test.yml",
        "$module/__init__.py": "__init__.py",
        "$module/py.typed": "py.typed",
    }
)
"""Files of every plugin, and their templates."""


def rendered(names: PluginNames, kind: str) -> dict[str, str]:
    """Return the files of a plugin, content by path within its folder.

    Raises:
        InputError: The kind does not exist.

    """
    if kind not in KINDS:
        raise InputError(f"there is no template of the kind {kind!r}: expected one of {', '.join(KINDS)}")
    chosen = KINDS[kind]
    templates = {path: f"common/{name}" for path, name in COMMON.items()}
    templates["$module/plugin.py"] = f"{chosen.folder}/plugin.py"
    templates |= {f"$module/{module}.py": f"{chosen.folder}/{module}.py" for module in chosen.modules}
    templates["tests/test_$entry.py"] = f"{chosen.folder}/test.py"
    point = f"{chosen.point}{names.entry}"
    words = {
        **attrs.asdict(names),
        "words": chosen.words,
        "example": chosen.example,
        "work": f"{names.module}/{chosen.modules[0]}.py",
        "dependencies": ", ".join(f'"{requirement}"' for requirement in ("bioimageio-runtime>=0.1", *chosen.requires)),
        "test_extras": ",".join(chosen.test_extras),
        "point": f'"{point}"' if chosen.point else point,  # in TOML, a dot in a key needs quotes
    }
    folder = files(__package__) / "templates"
    return {
        Template(path).substitute(words): Template((folder / f"{name}.template").read_text(encoding="utf-8")).substitute(words)
        for path, name in templates.items()
    }


def write_plugin(names: PluginNames, kind: str, target: Path) -> tuple[Path, ...]:
    """Write a new plugin; nothing is overwritten.

    Args:
        names: The names of the plugin.
        kind: One of `KINDS`.
        target: The folder, which is new or empty.

    Returns:
        The paths of the files.

    Raises:
        InputError: The kind does not exist.
        OutputError: The folder has content, or cannot be written.

    """
    contents = rendered(names, kind)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OutputError(f"{target} exists already: expected a new or an empty folder; choose another with -o")
    try:
        _write_files(contents, target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}") from error
    return tuple(target / path for path in contents)


def _write_files(contents: Mapping[str, str], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(target, overwrite=False) as folder:
        for path, content in contents.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8", newline="\n")
