"""Types that a plugin may use in its classes: each is read, refused with a path, written back, and part of the JSON Schema."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal, NewType

import attrs
import pytest
from cattrs import Converter
from made_models import pointwise_model
from schema_judge import judge

from bioimageio_core.registry import DescriptionEntry, Needs, ProcessingOpEntry, Registry, RunModeEntry
from bioimageio_core.spec import constraints
from bioimageio_core.spec.converters import make_converter, unstructured
from bioimageio_core.spec.generic import v0_2
from bioimageio_core.spec.node import Node, node
from bioimageio_core.spec.schema import json_schema
from bioimageio_core.spec.validation import read_tree, validate_tree
from bioimageio_core.spec.yaml import dump_yaml, load_yaml
from bioimageio_core.structuring.problems import StructureProblems
from bioimageio_core.typing import FrozenMapping


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Side(str, enum.Enum):  # noqa: UP042 (as many are written)
    LEFT = "left"
    RIGHT = "right"


Pixels = NewType("Pixels", int)


@attrs.frozen
class Plain:
    n: int
    text: str = "x"


@attrs.frozen(kw_only=True)
class Checked:
    n: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    many: tuple[int, ...] = attrs.field(default=(), converter=tuple)


@dataclasses.dataclass(frozen=True)
class Data:
    n: int
    items: list[float] = dataclasses.field(default_factory=list)


@node
class Sub(Node):
    n: int
    lambda_: float = 0.5


@attrs.frozen
class Tree:
    name: str
    children: tuple[Tree, ...] = ()


@constraints.json_schema({"type": "string", "pattern": "^[0-9]+ deg$"})
class Angle:
    """A type that only a plugin knows."""

    def __init__(self, degrees: int) -> None:
        self.degrees = degrees

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Angle) and other.degrees == self.degrees

    __hash__ = None  # type: ignore[assignment]


def read_angle(value: Any, _: Any) -> Angle:
    number, _, unit = str(value).partition(" ")
    if unit != "deg" or not number.isdigit():
        raise ValueError(f"expected an angle such as '30 deg', found {value!r}")
    return Angle(int(number))


def know_angles(converter: Converter) -> None:
    """What a plugin registers."""
    converter.register_structure_hook(Angle, read_angle)
    converter.register_unstructure_hook(Angle, lambda angle: f"{angle.degrees} deg")


@attrs.frozen
class Case:
    type: Any
    tree: Any
    value: Any
    wrong: Any
    path: tuple[Any, ...]
    """Where the wrong value is wrong."""

    says: str
    """A word of what is said of it."""

    fits_schema: bool = False
    """JSON Schema has no words for what is wrong."""

    configure: Any = None


CASES = {
    "enum": Case(Colour, "blue", Colour.BLUE, "green", (), "'red', 'blue'"),
    "enum of numbers": Case(Level, 2, Level.HIGH, 3, (), "one of 1, 2"),
    "enum of strings": Case(Side, "left", Side.LEFT, "up", (), "'left', 'right'"),
    "list": Case(list[int], [1, 2], [1, 2], [1, "b"], (1,), "integer"),
    "list of text": Case(list[str], ["a"], ["a"], "abc", (), "a list"),
    "sequence": Case(Sequence[int], [1], (1,), {"a": 1}, (), "a list"),
    "bare list": Case(list, [1, ["a"]], [1, ("a",)], "abc", (), "a list"),
    "tuple": Case(tuple[int, ...], [1, 2], (1, 2), [None], (0,), "integer"),
    "pair": Case(tuple[int, str], [1, "a"], (1, "a"), [1, 2], (1,), "string"),
    "set": Case(set[int], [2, 1], {1, 2}, ["a"], (0,), "integer"),
    "frozenset": Case(frozenset[str], ["b", "a"], frozenset({"a", "b"}), 3, (), "a list"),
    "dict": Case(dict[str, int], {"a": 1}, {"a": 1}, {"a": "b"}, ("a",), "integer"),
    "bare dict": Case(dict, {"a": [1]}, {"a": (1,)}, [1], (), "a mapping"),
    "mapping": Case(Mapping[str, int], {"a": 1}, FrozenMapping(a=1), {"a": None}, ("a",), "integer"),
    "frozen mapping": Case(FrozenMapping[str, float], {"a": 0.5}, FrozenMapping(a=0.5), {"a": "b"}, ("a",), "number"),
    "path": Case(Path, "a/b.txt", Path("a/b.txt"), 3, (), "a path"),
    "date": Case(date, "2024-05-31", date(2024, 5, 31), "2024-05-32", (), "a date", fits_schema=True),
    "datetime": Case(datetime, "2024-05-31T12:00:00", datetime(2024, 5, 31, 12), 2024, (), "a date and time"),
    "time": Case(time, "12:30:00", time(12, 30), "noon", (), "a time", fits_schema=True),
    "new type": Case(Pixels, 3, 3, "three", (), "integer"),
    "attrs class": Case(Plain, {"n": 1}, Plain(1), {"n": "a"}, ("n",), "integer"),
    "attrs class, key missing": Case(Plain, {"n": 1, "text": "y"}, Plain(1, "y"), {"text": "y"}, ("n",), "found none"),
    "attrs class, unknown key": Case(Plain, {"n": 2}, Plain(2), {"n": 1, "m": 2}, ("m",), "unknown key"),
    "attrs class, validator": Case(Checked, {"n": 3}, Checked(n=3), {"n": 0}, ("n",), ">= 1", fits_schema=True),
    "dataclass": Case(Data, {"n": 1, "items": [0.5]}, Data(1, [0.5]), {"n": 1, "items": ["a"]}, ("items", 0), "number"),
    "node": Case(Sub, {"n": 1, "lambda": 2.0}, Sub(n=1, lambda_=2.0), {"n": 1, "lamda": 2.0}, ("lamda",), "'lambda'"),
    "recursive class": Case(
        Tree, {"name": "a", "children": [{"name": "b"}]}, Tree("a", (Tree("b"),)),
        {"name": "a", "children": [{"name": 1}]}, ("children", 0, "name"), "string",
    ),
    "optional": Case(Colour | None, None, None, "green", (), "null"),
    "union": Case(Plain | int | list[int], [1], [1], {"n": None}, ("n",), "integer"),
    "literal": Case(Literal["a", "b"], "b", "b", "c", (), "'a', 'b'"),
    "nested": Case(
        dict[str, list[Plain | None]], {"a": [{"n": 1}, None]}, {"a": [Plain(1), None]}, {"a": [None, {"n": "b"}]}, ("a", 1, "n"), "integer"
    ),
    "enums in a mapping": Case(
        dict[Colour, Path], {"red": "a"}, {Colour.RED: Path("a")}, {"green": "a"}, ("green",), "'red'", fits_schema=True
    ),
    "annotated": Case(Annotated[list[Colour], len], ["red"], 1, ["green"], (0,), "'red'"),
    "type of its own": Case(Angle, "30 deg", Angle(30), "30 grad", (), "an angle", configure=know_angles),
    "list of types of its own": Case(list[Angle], ["30 deg"], [Angle(30)], ["30 deg", "x"], (1,), "an angle", configure=know_angles),
}  # fmt: skip
WRITTEN_BACK = [name for name in CASES if name != "annotated"]
"""What a check made another value of is written as that."""


def class_with(case: Case) -> type[Node]:
    """A class of arguments whose only field has the type."""
    cls: Any = type("Kwargs", (Node,), {"__annotations__": {"value": case.type}, "__module__": __name__, "__doc__": ""})
    return node(cls)


def op_entry(case: Case) -> ProcessingOpEntry:
    """An op whose arguments have a field of the type."""
    namespace = {"__annotations__": {"id": Literal["mine"], "kwargs": class_with(case)}, "__module__": __name__, "id": "mine"}
    descr = node(type("Descr", (Node,), namespace))
    return ProcessingOpEntry(
        name="mine", descr={"0.5": descr}, load=lambda: None, requirements=lambda kwargs, axes: Needs(), configure=case.configure
    )


def knowing(registry: Registry, entry: DescriptionEntry) -> Registry:
    """The registry with an entry of a plugin."""
    kind = "processing_ops" if isinstance(entry, ProcessingOpEntry) else "run_modes"
    more = type(registry.processing_ops)({**getattr(registry, kind), entry.name: entry})
    return attrs.evolve(registry, additions=frozenset({(kind, entry.name)}), **{kind: more})


@pytest.fixture
def model(tmp_path: Path) -> dict[str, Any]:
    """A model that has no step."""
    return load_yaml((pointwise_model(tmp_path) / "bioimageio.yaml").read_bytes())


def with_op(model: dict[str, Any], value: Any) -> dict[str, Any]:
    """The model with the op."""
    first, *others = model["inputs"]
    return {**model, "inputs": [{**first, "preprocessing": [{"id": "mine", "kwargs": {"value": value}}]}, *others]}


KWARGS = ("inputs", 0, "preprocessing", 0, "kwargs", "value")


@pytest.mark.parametrize("name", CASES)
class TestAlone:
    """A class with one field of the type."""

    def test_read(self, name: str) -> None:
        """As a value of the type."""
        case = CASES[name]
        converter = make_converter(Registry(), "0.5", case.configure)
        read: Any = converter.structure({"value": case.tree}, class_with(case))
        assert read.value == case.value
        assert type(read.value) is type(case.value)

    def test_refused(self, name: str) -> None:
        """With the path of what is wrong, once."""
        case = CASES[name]
        with pytest.raises(StructureProblems) as caught:
            make_converter(Registry(), "0.5", case.configure).structure({"value": case.wrong}, class_with(case))
        assert [problem.loc for problem in caught.value.problems] == [("value", *case.path)]
        assert case.says in caught.value.problems[0].message


class TestWrittenBack:
    """The type in the arguments of an op of a plugin, in a model, through reading and writing."""

    @pytest.mark.parametrize("name", WRITTEN_BACK)
    def test_kept(self, model: dict[str, Any], registry: Registry, name: str) -> None:
        """The op is a node with the value, and is written as YAML that is read as the same."""
        case = CASES[name]
        known = knowing(registry, op_entry(case))
        descr, report = read_tree(with_op(model, case.tree), known)
        assert descr.inputs[0].preprocessing[0].kwargs.value == case.value
        assert not [issue for issue in report.issues if issue.loc[:4] == KWARGS[:4]]
        text = dump_yaml(unstructured(descr, known))
        assert read_tree(load_yaml(text), known)[0] == descr


@pytest.mark.parametrize("name", CASES)
class TestInOps:
    """The type in the arguments of an op of a plugin, in a model."""

    def test_warned_of(self, model: dict[str, Any], registry: Registry, name: str) -> None:
        """A wrong value is a warning with its path, and the model is valid; the step is kept as it is."""
        case = CASES[name]
        known = knowing(registry, op_entry(case))
        tree = with_op(model, case.wrong)
        report = validate_tree(tree, known)
        assert report.status == "valid"
        assert [issue.loc for issue in report.issues if issue.loc[:4] == KWARGS[:4]] == [(*KWARGS, *case.path)]
        assert unstructured(read_tree(tree, known)[0], known)["inputs"] == tree["inputs"]

    def test_json_schema(self, model: dict[str, Any], registry: Registry, name: str) -> None:
        """It takes what is right, and not what is wrong."""
        case = CASES[name]
        pytest.importorskip("jsonschema")
        schema = json_schema(knowing(registry, op_entry(case)), type="model", format_version="0.5")
        fits = judge(schema)
        assert fits(with_op(model, case.tree))
        assert fits(with_op(model, case.wrong)) is case.fits_schema


@dataclasses.dataclass(frozen=True)
class Named:
    kwargs: Data
    id: str = "mine"


@attrs.frozen
class AlsoNamed:
    id: str = "mine"
    kwargs: Plain = Plain(n=1)


class TestNames:
    """Classes of ops that are no nodes."""

    @pytest.mark.parametrize("cls", [Named, AlsoNamed])
    @pytest.mark.parametrize("configure", [None, know_angles])
    def test_written(self, model: dict[str, Any], registry: Registry, cls: type, configure: Any) -> None:
        """The name is written though it is the default, so that the step stays the step of this op."""
        entry = ProcessingOpEntry(
            name="mine", descr={"0.5": cls}, load=lambda: lambda *a: None, requirements=lambda kwargs, axes: Needs(), configure=configure
        )
        known = knowing(registry, entry)
        step = {"id": "mine", "kwargs": {"n": 3}}
        descr, _ = read_tree({**model, "inputs": [{**model["inputs"][0], "preprocessing": [step]}]}, known)
        assert isinstance(descr.inputs[0].preprocessing[0], cls)
        assert unstructured(descr, known)["inputs"][0]["preprocessing"] == [step]


class TestRunModes:
    """Classes of arguments that are no nodes themselves."""

    @pytest.mark.parametrize("cls", [Plain, Data])
    def test_class(self, model: dict[str, Any], registry: Registry, cls: type) -> None:
        """An attrs class and a dataclass do as well as a node."""
        known = knowing(registry, RunModeEntry(name="mine", load=lambda: lambda kwargs: None, kwargs=cls))

        def issues(kwargs: dict[str, Any]) -> list[str]:
            report = validate_tree({**model, "run_mode": {"name": "mine", "kwargs": kwargs}}, known)
            assert report.status == "valid"
            return [issue.path for issue in report.issues if issue.path.startswith("run_mode.kwargs")]

        assert issues({"n": 3}) == []
        assert issues({"n": "a"}) == ["run_mode.kwargs.n"]
        assert issues({}) == ["run_mode.kwargs.n"]
        assert issues({"n": 3, "m": 3}) == ["run_mode.kwargs.m"]

    def test_validator_of_any_error(self, model: dict[str, Any], registry: Registry) -> None:
        """A validator that raises TypeError, as that of attrs for types does, is no error of the library."""

        @attrs.frozen
        class Strictly:
            n: Any = attrs.field(default=1, validator=attrs.validators.instance_of(int))

        known = knowing(registry, RunModeEntry(name="mine", load=lambda: lambda kwargs: None, kwargs=Strictly))
        report = validate_tree({**model, "run_mode": {"name": "mine", "kwargs": {"n": "a"}}}, known)
        assert [(i.path, i.severity) for i in report.issues if "kwargs" in i.path] == [("run_mode.kwargs.n", "warning")]

    def test_no_hook(self, model: dict[str, Any], registry: Registry) -> None:
        """A class that cannot be structured, in a registry that was not collected, is a warning that names the type."""

        @attrs.frozen
        class Unknown:
            angle: Angle

        known = knowing(registry, RunModeEntry(name="mine", load=lambda: lambda kwargs: None, kwargs=Unknown))
        report = validate_tree({**model, "run_mode": {"name": "mine", "kwargs": {"angle": 3}}}, known)
        assert report.status == "valid"
        assert "Angle" in next(issue.message for issue in report.issues if issue.path == "run_mode.kwargs")


class TestHooks:
    """``configure``."""

    def test_of_others(self) -> None:
        """Hooks of one plugin are not seen by the classes of another, nor by descriptions."""

        def shout(converter: Converter) -> None:
            converter.register_structure_hook(str, lambda value, _: str(value).upper())

        case = attrs.evolve(CASES["list of text"], configure=shout)
        loud = op_entry(case)
        quiet = RunModeEntry(name="quiet", load=lambda: None, kwargs=class_with(CASES["list of text"]))
        registry = Registry(processing_ops=FrozenMapping(mine=loud), run_modes=FrozenMapping(quiet=quiet))
        read: Any = make_converter(registry, "0.5", loud.configure).structure({"value": ["a"]}, class_with(case))
        assert read.value == ["A"]
        assert quiet.kwargs is not None
        read = make_converter(registry, "0.5", quiet.configure).structure({"value": ["a"]}, quiet.kwargs)
        assert read.value == ["a"]
        read = make_converter(registry, "0.5").structure({"name": "a"}, v0_2.Author)
        assert read.name == "a"
