"""The folder of a module."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import bioimageio_core as bc

from .reading import MODEL, SPECIFICATION
from .specification import specification_of

__all__ = ["write_apeer"]

ENTRY, SETTINGS, REQUIREMENTS = "run.py", "settings.json", "requirements.txt"
IMAGES = "bioimageio-runtime[images]"
"""What reads and writes the files that come and go."""


def write_apeer(
    descr: Any,
    folder: Path,
    path: Path,
    *,
    weights_formats: Any = None,
    base_image: str = "python:3.12-slim",
    gpu: bool = False,
    trust: bool = False,
) -> tuple[str, ...]:
    """Write the folder; see `bioimageio_core.registry.ForeignFormatWriter`.

    Args:
        descr: A model.
        folder: The files that it names.
        path: The folder to write.
        weights_formats: The weights to put into it; None: those that run fastest.
        base_image: What the container is built on.
        gpu: Whether the module asks for a GPU, and runs on it.
        trust: Whether code that comes with the model runs, and packages that the model names are installed.

    Raises:
        ValueError: An option is wrong, or the model has no such weights.

    """
    for name, value in (("gpu", gpu), ("trust", trust)):
        if not isinstance(value, bool):
            raise ValueError(f"{name}: expected true or false, found {value!r}")
    if not isinstance(base_image, str) or not base_image or any(c.isspace() for c in base_image):
        raise ValueError(f"base_image: expected the name of an image, found {base_image!r}")
    chosen = _chosen(descr, folder, weights_formats)
    environments = [bc.environment_of(folder, name, trust=trust) for name in chosen]
    path.mkdir()
    bc.save_package(folder, path / MODEL, weights_formats=chosen)
    needed = dict.fromkeys([IMAGES, *(r for environment in environments for r in (*environment.requirements, *environment.own.pip))])
    texts = {
        "Dockerfile": _dockerfile(base_image),
        REQUIREMENTS: "".join(f"{requirement}\n" for requirement in needed),
        SPECIFICATION: _json(specification_of(descr, chosen, gpu=gpu)),
        SETTINGS: _json({"device": "cuda" if gpu else "cpu", "trust": trust}),
        ENTRY: files(__package__).joinpath("entry.py").read_text(encoding="utf-8"),
    }
    for name, text in texts.items():
        (path / name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(_lost(descr, chosen, environments))


def _chosen(descr: Any, folder: Path, given: Any) -> list[str]:
    """Return the weights that go into the module."""
    if given is None:
        return [bc.environment_of(folder).weights_format]
    names = [given] if isinstance(given, str) else [*given] if isinstance(given, Sequence) else []
    unknown = [name for name in names if name not in descr.weights]
    if not names or unknown:
        raise ValueError(f"weights_formats: expected some of {', '.join(descr.weights)}, found {given!r}")
    return list(dict.fromkeys(names))


def _lost(descr: Any, chosen: Sequence[str], environments: Sequence[Any]) -> Iterator[str]:
    left = [name for name in descr.weights if name not in chosen]
    if left:
        given = ", ".join(descr.weights)
        yield (
            f"the weights {', '.join(left)} are not part of the module: give weights_formats=[{given}] (--option weights_formats=[{given}])"
        )
    conda = dict.fromkeys(package for environment in environments for package in environment.own.conda)
    yield from (note for environment in environments for note in environment.notes if note.startswith("without "))
    if conda:
        yield f"conda packages that the model asks for are not installed in the container: {', '.join(map(str, conda))}"


def _dockerfile(base_image: str) -> str:
    return f"""FROM {base_image}
WORKDIR /module
COPY {REQUIREMENTS} ./
RUN pip install --no-cache-dir --requirement {REQUIREMENTS}
COPY {SPECIFICATION} {SETTINGS} {ENTRY} ./
COPY {MODEL} ./{MODEL}
ENTRYPOINT ["python", "/module/{ENTRY}"]
"""


def _json(tree: Any) -> str:
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
