"""The block ``config.deepimagej`` of descriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import attrs

from bioimageio_core.typing import FrozenMapping

from .quantities import absent, format_size, parse_pixel_size, parse_quantity, parse_size

__all__ = ["DeepimagejConfig", "ModelKeys", "PixelSize", "Step", "TestImage", "TestInformation", "read_block"]

T = TypeVar("T")

MACRO = "ij.IJ::runMacroFile"
TAG = "tf.saved_model.tag_constants.SERVING"
SIGNATURE = "tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY"


@attrs.frozen(kw_only=True)
class ModelKeys:
    """What TensorFlow's Java interface needs to load a SavedModel."""

    tag: str = TAG
    signature: str = SIGNATURE

    def as_tree(self) -> dict[str, Any]:
        """Return the keys as deepImageJ spells them."""
        return {"tensorflow_model_tag": self.tag, "tensorflow_siganture_def": self.signature}


@attrs.frozen(kw_only=True)
class PixelSize:
    """Size of a pixel along x, y and z, each with its unit."""

    x: tuple[float, str] = (1.0, "pixel")
    y: tuple[float, str] = (1.0, "pixel")
    z: tuple[float, str] = (1.0, "pixel")

    def as_tree(self) -> dict[str, Any]:
        """Return the sizes as text."""
        return {axis: f"{number!r} {unit or 'pixel'}" for axis, (number, unit) in attrs.asdict(self).items()}


@attrs.frozen(kw_only=True)
class TestImage:
    """An image that the model was tested with, or a result."""

    __test__ = False

    name: str | None = None
    size: tuple[int, ...] | None = None
    """Along x, y, c and z, as far as they are written; rows and columns of tables."""

    pixel_size: PixelSize | None = None
    """Of inputs."""

    type: str | None = None
    """Of outputs: ``image`` or ``ResultsTable``."""

    def as_tree(self) -> dict[str, Any]:
        """Return the keys of deepImageJ."""
        tree: dict[str, Any] = {"name": self.name, "size": None if self.size is None else format_size(self.size)}
        if self.type is not None:
            return {"name": self.name, "type": self.type, "size": tree["size"]}
        return {**tree, "pixel_size": dict.fromkeys("xyz") if self.pixel_size is None else self.pixel_size.as_tree()}


@attrs.frozen(kw_only=True)
class TestInformation:
    """What a run of the model was like."""

    __test__ = False

    inputs: tuple[TestImage, ...] = ()
    outputs: tuple[TestImage, ...] = ()
    memory_peak: tuple[float, str] | None = None
    """Number and unit; units are multiples of 1024."""

    runtime: tuple[float, str] | None = None
    """Number and unit."""

    device: str | None = None

    def as_tree(self) -> dict[str, Any]:
        """Return the keys of deepImageJ."""
        tree: dict[str, Any] = {
            "inputs": [image.as_tree() for image in self.inputs],
            "outputs": [image.as_tree() for image in self.outputs],
            "memory_peak": _as_text(self.memory_peak),
            "runtime": _as_text(self.runtime),
        }
        return tree if self.device is None else {**tree, "device": self.device}


@attrs.frozen(kw_only=True)
class Step:
    """A step of pre- or postprocessing."""

    spec: str | None = None
    """A macro, a Java class in a jar, or None for nothing."""

    kwargs: str | None = None
    """Name of the file of the macro."""

    @classmethod
    def of_macro(cls, name: str) -> Step:
        """Return the step that runs a macro."""
        return cls(spec=MACRO, kwargs=name)

    @property
    def macro(self) -> str | None:
        """Name of the file of the macro; None where the step is none."""
        return self.kwargs if self.spec == MACRO else None

    def as_tree(self) -> dict[str, Any]:
        """Return the keys of deepImageJ."""
        return {"spec": self.spec} if self.kwargs is None else {"spec": self.spec, "kwargs": self.kwargs}


@attrs.frozen(kw_only=True)
class DeepimagejConfig:
    """The complete block."""

    pyramidal_model: bool = False
    allow_tiling: bool = True
    model_keys: ModelKeys | None = None
    test_information: TestInformation = TestInformation()
    preprocess: tuple[Step, ...] = ()
    postprocess: tuple[Step, ...] = ()
    other: Mapping[str, Any] = FrozenMapping()
    """Unknown keys."""

    def as_tree(self) -> dict[str, Any]:
        """Return the block as deepImageJ 2 and 3 read it."""
        return {
            "pyramidal_model": self.pyramidal_model,
            "allow_tiling": self.allow_tiling,
            "model_keys": None if self.model_keys is None else self.model_keys.as_tree(),
            "test_information": self.test_information.as_tree(),
            "prediction": {
                "preprocess": [step.as_tree() for step in self.preprocess] or [{"spec": None}],
                "postprocess": [step.as_tree() for step in self.postprocess] or [{"spec": None}],
            },
            **self.other,
        }


def read_block(tree: Any) -> tuple[DeepimagejConfig, tuple[str, ...]]:
    """Read a block.

    Args:
        tree: What a description holds as ``config.deepimagej``.

    Returns:
        The block, and its problems, each in a sentence; values that cannot be read count as unknown.

    Raises:
        ValueError: It is not a mapping.

    """
    if not isinstance(tree, Mapping):
        raise ValueError(f"expected config.deepimagej to be a mapping, found {type(tree).__name__}")
    return _Reader().block(tree)


@attrs.define
class _Reader:
    """Reads, and notes what cannot be read."""

    notes: list[str] = attrs.Factory(list)

    def block(self, tree: Mapping[str, Any]) -> tuple[DeepimagejConfig, tuple[str, ...]]:
        known = ("pyramidal_model", "allow_tiling", "model_keys", "test_information", "prediction")
        prediction = self._mapping(tree, "prediction")
        config = DeepimagejConfig(
            pyramidal_model=self._flag(tree, "pyramidal_model", default=False),
            allow_tiling=self._flag(tree, "allow_tiling", default=True),
            model_keys=self._keys(tree),
            test_information=self._information(self._mapping(tree, "test_information")),
            preprocess=tuple(self._steps(prediction, "preprocess")),
            postprocess=tuple(self._steps(prediction, "postprocess")),
            other=FrozenMapping({key: value for key, value in tree.items() if key not in known}),
        )
        return config, tuple(self.notes)

    def _note(self, where: str, message: str) -> None:
        self.notes.append(f"config.deepimagej.{where}: {message}")

    def _mapping(self, tree: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        found = tree.get(key)
        if found is None or isinstance(found, Mapping):
            return found or {}
        self._note(key, f"expected a mapping, found {found!r}")
        return {}

    def _flag(self, tree: Mapping[str, Any], key: str, *, default: bool) -> bool:
        found = tree.get(key, default)
        if isinstance(found, bool):
            return found
        if str(found).strip().lower() in ("true", "false"):
            return str(found).strip().lower() == "true"
        self._note(key, f"expected true or false, found {found!r}")
        return default

    def _keys(self, tree: Mapping[str, Any]) -> ModelKeys | None:
        keys = self._mapping(tree, "model_keys")
        if not keys:
            return None
        tag = keys.get("tensorflow_model_tag", keys.get("model_tag", TAG))
        names = ("tensorflow_siganture_def", "tensorflow_signature_def", "signature_definition")
        signature = next((keys[name] for name in names if name in keys), SIGNATURE)
        return ModelKeys(tag=str(tag), signature=str(signature))

    def _information(self, tree: Mapping[str, Any]) -> TestInformation:
        device = tree.get("device")
        return TestInformation(
            inputs=tuple(self._images(tree, "inputs", "input_size")),
            outputs=tuple(self._images(tree, "outputs", "output_size")),
            memory_peak=self._quantity(tree, "memory_peak", "Mb"),
            runtime=self._quantity(tree, "runtime", "s"),
            device=None if device is None or absent(str(device)) else str(device),
        )

    def _quantity(self, tree: Mapping[str, Any], key: str, unit: str) -> tuple[float, str] | None:
        found = tree.get(key)
        parsed = self._parsed(f"test_information.{key}", found, parse_quantity)
        if parsed is not None and isinstance(found, str) and len(words := found.split()[1:]) > 1:
            self._note(f"test_information.{key}", f"expected a number and one unit, found {found!r}: {words[0]!r} is taken once")
        return None if parsed is None else (parsed[0], parsed[1] or unit)

    def _images(self, tree: Mapping[str, Any], key: str, older: str) -> Iterator[TestImage]:
        found = tree.get(key)
        if found is None and isinstance(tree.get(older), list | tuple):  # as before deepImageJ 2.1
            pixel_sizes = tree.get("pixel_size") if key == "inputs" else None
            found = [{"size": size, "type": None if key == "inputs" else "image"} for size in tree[older]]
            for image, pixel_size in zip(found, pixel_sizes or (), strict=False):
                image["pixel_size"] = pixel_size
        for number, image in enumerate([found] if isinstance(found, Mapping) else found or ()):
            where = f"test_information.{key}.{number}"
            if not isinstance(image, Mapping):
                self._note(where, f"expected a mapping, found {image!r}")
                continue
            name, type_ = image.get("name"), image.get("type")
            yield TestImage(
                name=None if name is None else str(name),
                size=self._parsed(f"{where}.size", image.get("size"), parse_size),
                pixel_size=self._pixel_size(f"{where}.pixel_size", image.get("pixel_size")) if key == "inputs" else None,
                type=None if key == "inputs" else str(type_ or "image"),
            )

    def _pixel_size(self, where: str, found: Any) -> PixelSize | None:
        if isinstance(found, Mapping):
            parts = {axis: self._parsed(f"{where}.{axis}", found.get(axis), parse_quantity) for axis in ("x", "y", "z")}
        else:
            sizes = self._parsed(where, found, parse_pixel_size) or ()
            parts = dict(zip("xyz", sizes, strict=False))
        known = {axis: (number, unit or "pixel") for axis, part in parts.items() if part is not None for number, unit in [part]}
        return PixelSize(**known) if known else None

    def _parsed(self, where: str, found: Any, parse: Callable[[str], T]) -> T | None:
        if found is None or absent(str(found)):
            return None
        try:
            return parse(str(found))
        except ValueError as error:
            self._note(where, str(error))
            return None

    def _steps(self, tree: Mapping[str, Any], key: str) -> Iterator[Step]:
        found = tree.get(key)
        for number, step in enumerate([found] if isinstance(found, Mapping) else found or ()):
            if not isinstance(step, Mapping):
                self._note(f"prediction.{key}.{number}", f"expected a mapping, found {step!r}")
                continue
            spec, kwargs = step.get("spec"), step.get("kwargs")
            if spec is None:
                continue
            if spec == MACRO and (kwargs is None or absent(str(kwargs))):
                self._note(f"prediction.{key}.{number}", "expected the name of a macro as kwargs, found none: the step does nothing")
                continue
            yield Step(spec=str(spec), kwargs=None if kwargs is None else str(kwargs))


def _as_text(quantity: tuple[float, str] | None) -> str | None:
    return None if quantity is None else f"{quantity[0]!r} {quantity[1]}"
