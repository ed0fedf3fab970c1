"""Writes a description with copies of all files that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import HashMismatchError, InputError, InvalidDescriptionError
from ..places import check_apart
from ..registry import Registry
from ..sources import Package
from ..spec.converters import unstructured
from ..spec.node import Node
from ..spec.validation import read_tree
from ..spec.yaml import dump_yaml, load_yaml
from ..typing import FrozenMapping
from .file_names import choose_names
from .outside_files import check_inside
from .package_places import package_places
from .package_targets import check_target, open_target
from .references import FileReference, file_references
from .undescribed_data import REMEDY, undescribed_data

__all__ = ["write_package"]


def write_package(
    descr: Node,
    package: Package,
    registry: Registry,
    path: Path,
    *,
    weights_formats: Sequence[str] | None = None,
    added: Mapping[str, Path] = FrozenMapping(),
    overwrite: bool = False,
    include_outside: bool = False,
) -> None:
    """Write a description and copies of all files that it names into a folder or zip.

    Files lie beside the description, under unique names, by which the description names them, with their SHA-256 where the format has a
    field for it. The same description and files give the same bytes.

    Args:
        descr: A valid description.
        package: The package of its files.
        registry: The registry with the classes of processing ops and weights.
        path: A zip if it ends in ``.zip``, else a folder.
        weights_formats: The weights to keep; None keeps all.
        added: Files that are not in ``package``, by the source in the description.
        overwrite: Replace an existing package.
        include_outside: Copy files of this machine from outside of the folder of the description, too.

    Raises:
        InputError: The model lacks one of the weights formats, or names files outside of its folder.
        SourceError: A file is missing.
        HashMismatchError: A file is not the one that the description names.
        OutputError: The target exists, holds files that are read, or cannot be written.
        InvalidDescriptionError: The description would be invalid with these weights alone, or names no file for data of the weights.

    """
    check_target(path, overwrite=overwrite)
    check_apart(path, [("its source", place) for place in package_places(descr, package)])
    tree = unstructured(descr, registry)
    tree.pop("rdf_source", None)  # the place of the original description
    if weights_formats is not None:
        _keep_weights(tree, weights_formats, package.name)
    kept, _ = read_tree(tree, registry, package.name)
    name = "rdf.yaml" if kept.format_version.startswith(("0.2", "0.4")) else "bioimageio.yaml"
    if not include_outside:
        check_inside(file_references(kept), package, added=added)
    files = [
        (reference, (added.get(reference.source) or package.local(reference.source, sha256=reference.sha256)).resolve())
        for reference in file_references(kept)
    ]
    for reference, file in files:
        for data in undescribed_data(reference, file, [r for r, _ in files]):
            what = f"{reference.source} of {package.name} keeps tensors in {data!r}, which the description does not name"
            raise InvalidDescriptionError(f"{what}, so that the package would lack it. {REMEDY}")
    names = choose_names(files, reserved=name)
    with open_target(path, overwrite=overwrite) as target:
        hashes = {file: target.copy(short, file) for file, short in names.items()}
        for reference, file in files:
            _check_hash(reference, hashes[file], package.name)
            _rewrite(tree, reference, names[file], hashes[file])
        text = dump_yaml(tree).encode()
        read_tree(load_yaml(text, source=name), registry, f"the packaged {package.name}")
        target.write(name, text)


def _keep_weights(tree: dict[str, Any], wanted: Sequence[str], name: str) -> None:
    weights = tree.get("weights", {})
    missing = [w for w in wanted if w not in weights]
    if missing or not wanted:
        raise InputError(
            f"{name} has no weights in the format {', '.join(missing) or '(none given)'}: expected some of {', '.join(weights)}"
        )
    tree["weights"] = {key: entry for key, entry in weights.items() if key in wanted}
    for entry in tree["weights"].values():
        if entry.get("parent") not in wanted:
            entry.pop("parent", None)


def _check_hash(reference: FileReference, found: str, name: str) -> None:
    if reference.sha256 is not None and reference.sha256.strip().lower() != found:
        raise HashMismatchError(
            f"{reference.source} of {name} changed while it was copied: expected sha256 {reference.sha256}, found {found}; try again"
        )


def _rewrite(tree: Any, reference: FileReference, name: str, sha256: str) -> None:
    """Put the name of the copy into the tree, followed by its hash."""
    *above, last = reference.loc
    for key in above:
        tree = tree[key]
    tree[last] = f"{reference.before}{name}{reference.after}"
    if reference.sha256_key is not None:
        items = [item for item in tree.items() if item[0] != reference.sha256_key]
        tree.clear()
        for key, value in items:
            tree[key] = value
            if key == last:
                tree[reference.sha256_key] = sha256
