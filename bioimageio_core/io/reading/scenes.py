"""Files and folders that hold several images (scenes): which there are, and which one is meant."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeAlias

import attrs

from ...errors import SourceError
from ...typing import FrozenMapping

__all__ = ["FOR_ALL", "ImagePart", "Scene", "SceneChoice", "check_single", "choose_scene"]

SceneChoice: TypeAlias = int | str | None
"""The number of a scene, counted from 0, or its name; None where the file holds one."""

FOR_ALL = "; for all of them, call predict_many with {scene} in the output (-o)"
"""A way to predict all images of a file, for messages."""

SHOWN = 12
"""Number of scenes that a message lists."""


@attrs.frozen(kw_only=True)
class Scene:
    """One image of several."""

    number: int
    name: str = ""
    summary: str = ""
    """Axes, shape and dtype in words, where known."""

    is_side_image: bool = False
    """Whether it only accompanies another image: the thumbnail, label or overview of a slide."""

    in_batches: bool = True
    """Whether it is predicted when all images of the file are. Side images never are."""

    location: str = ""
    """Path or URL of the image where it has one of its own, such as a field of a plate; empty where its number chooses it."""

    fields: FrozenMapping[str, str] = FrozenMapping()
    """What sets it apart in names of outputs, by the fields of templates; where empty, that is ``scene``, its number."""

    error: SourceError | None = None
    """Why it cannot be opened, where that is known already."""

    @property
    def template_fields(self) -> FrozenMapping[str, str]:
        """What sets it apart in names of outputs, by the fields of templates."""
        return self.fields or FrozenMapping({"scene": str(self.number)})

    def __str__(self) -> str:
        name = f" {self.name!r}" if self.name not in ("", str(self.number)) else ""
        return f"{self.number}{name}" + (f" ({self.summary})" if self.summary else "")


@attrs.frozen(kw_only=True)
class ImagePart(os.PathLike[str]):
    """One of several images in a file or folder, for `open_image` and as the input of a prediction."""

    location: str
    """Path or URL of the image, or of the file that holds it."""

    scene: int | None = None
    """Number of the scene in the file."""

    within: str
    """Path or URL of the file or folder that holds all of the images."""

    fields: FrozenMapping[str, str]
    """What sets it apart, by the fields of templates: ``scene``, or ``plate``, ``row``, ``column`` and ``field``."""

    error: SourceError | None = None
    """Why it cannot be opened, where that is known already; raised when it is opened."""

    def __fspath__(self) -> str:
        return self.location

    def __str__(self) -> str:
        return self.location if self.scene is None else f"{self.location} (scene {self.scene})"


def choose_scene(found: Sequence[Scene], wanted: SceneChoice, location: str, *, other_way: str = "") -> Scene:
    """Return the scene that is wanted, or the only one that is no side image.

    Args:
        found: All scenes, at least one.
        wanted: A number, or a name, which counts before a number that is written as text;
            upper and lower case differ only where that is needed.
        location: Of the file or folder, for messages.
        other_way: Further ways, for messages.

    Raises:
        SourceError: There are several and none is wanted, or not exactly one is as wanted.

    """
    images = [one for one in found if not one.is_side_image]
    if wanted is None and 1 in (len(images), len(found)):
        return (images or found)[0]
    listed = ", ".join(map(str, found[:SHOWN])) + (", ..." if len(found) > SHOWN else "")
    if wanted is None:
        raise SourceError(
            f"{location} holds {len(found)} images ({listed}): choose one with scene={found[-1].number} "
            f"(--scene {found[-1].number}){other_way}"
        )
    same = _matching(found, wanted)
    if len(same) == 1:
        return same[0]
    problem = f"{len(same)} images named {wanted!r}" if same else f"no image {wanted!r}"
    raise SourceError(f"{location} holds {problem} ({listed}): expected the number of one as scene= (--scene)")


def _matching(found: Sequence[Scene], wanted: int | str) -> list[Scene]:
    by_number = [one for one in found if str(one.number) == str(wanted)]
    if not isinstance(wanted, str):
        return by_number
    by_name = [one for one in found if one.name == wanted]
    return by_name or by_number or [one for one in found if one.name.lower() == wanted.lower()]


def check_single(wanted: SceneChoice, level: int | None, location: str) -> None:
    """Refuse to choose from something that holds one image of one resolution.

    Raises:
        SourceError: A scene or level other than the first is wanted.

    """
    if wanted not in (None, 0, "0"):
        raise SourceError(f"{location} holds a single image, found scene {wanted!r}: leave out scene= (--scene)")
    if level:
        raise SourceError(f"{location} is a single array without level {level}: leave out level= (--level), or give the OME-Zarr image")
