"""Runs macros on pixels, or on an image that only records operations."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from . import macro_tree as syntax
from .macro_image import Image
from .macro_tree import MacroError, Program
from .macro_values import Bin, Count, DependsOnImageError, Value, combine

__all__ = ["run_macro"]

MOST_STEPS = 2_000_000
"""Statements and operators that a macro may take."""

LONGEST_TEXT, LETTERS_PER_STEP = 100_000, 100
"""Letters of a text that a macro may make, and how many of them count as one more step."""

DEEPEST_CALLS = 30

Held: TypeAlias = Any
"""What a variable holds: a number, a string, or a list of them."""

IGNORED = frozenset(
    {
        *("print", "requires", "resetMinAndMax", "setBatchMode", "setOption", "setSlice"),
        *("showProgress", "showStatus", "updateDisplay", "wait"),
        *("run:Grays", "run:Set Scale...", "run:Properties..."),
    }
)
"""What changes no pixel."""

ARITHMETIC = {"run:Add...": "add", "run:Subtract...": "subtract", "run:Multiply...": "multiply", "run:Divide...": "divide"}
BOUNDS = {"run:Min...": "min", "run:Max...": "max"}
FUNCTIONS = {
    "run:Abs": "abs",
    "run:Exp": "exp",
    "run:Log": "log",
    "run:Reciprocal": "reciprocal",
    "run:Square": "square",
    "run:Square Root": "sqrt",
}
TYPES = {"run:8-bit": 8, "run:16-bit": 16, "run:32-bit": 32}

MATH = {
    "abs": abs,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "maxOf": max,
    "minOf": min,
    "pow": math.pow,
    "round": lambda x: math.floor(x + 0.5),
    "sin": math.sin,
    "sqrt": math.sqrt,
}


def _statistics(image: Image, wanted: int) -> Sequence[Held]:
    found = image.statistics()
    histogram = (image.histogram(256).counts,) if wanted > 5 else ()
    return (found.pixels, found.mean, found.min, found.max, found.std, *histogram)


def _range(image: Image, wanted: int) -> Sequence[Held]:
    found = image.statistics()
    return found.min, found.max


MEASURED: Mapping[str, Callable[[Image, int], Sequence[Held]]] = {
    "getStatistics": _statistics,
    "getRawStatistics": _statistics,
    "Stack.getStatistics": _statistics,
    "getMinAndMax": _range,
    "getDimensions": lambda image, wanted: (*image.sides(), 1.0, 1.0, 1.0),
}
"""Functions that put what they measure into variables."""

CONSTANTS: Mapping[str, Held] = {"getTitle": "image", "getImageID": -1.0, "nImages": 1.0, "bitDepth": 32.0}


def run_macro(program: Program, image: Image) -> None:
    """Carry out a macro on an image.

    Raises:
        MacroError: The macro does something that is not known here, or runs for too long.

    """
    run = _Run(program=program, image=image)
    for statement in program.statements:
        run.execute(statement, run.variables)


class _Returned(Exception):
    """A function returns."""

    def __init__(self, value: Held) -> None:
        self.value = value


@attrs.define(kw_only=True)
class _Run:
    """One run of a macro."""

    program: Program
    image: Image
    variables: dict[str, Held] = attrs.Factory(dict)
    _taken: int = 0
    _calls: int = 0
    _threshold: tuple[Value, Value] | None = None
    _told: list[Value] = attrs.Factory(list)
    """Numbers within strings, which hold their places between two zero bytes, so that no digit is lost."""

    def execute(self, statement: syntax.Statement, scope: dict[str, Held]) -> None:
        self._count()
        match statement:
            case syntax.Assign(target=target, value=value):
                self._assign(target, self.value(value, scope), scope)
            case syntax.Block(statements=statements):
                for each in statements:
                    self.execute(each, scope)
            case syntax.If(condition=condition, then=then, otherwise=otherwise):
                if self._holds(condition, scope):
                    self.execute(then, scope)
                elif otherwise is not None:
                    self.execute(otherwise, scope)
            case syntax.While() | syntax.Do() | syntax.For():
                self._loop(statement, scope)
            case syntax.Return(value=value):
                raise _Returned(None if value is None else self.value(value, scope))
            case syntax.Call():
                self.value(statement, scope)

    def _loop(self, loop: syntax.While | syntax.Do | syntax.For, scope: dict[str, Held]) -> None:
        match loop:
            case syntax.Do():
                self.execute(loop.body, scope)
            case syntax.For():
                self.execute(loop.start, scope)
        while self._holds(loop.condition, scope):
            self.execute(loop.body, scope)
            if isinstance(loop, syntax.For):
                self.execute(loop.step, scope)

    def value(self, expression: syntax.Expression, scope: dict[str, Held]) -> Held:
        self._count()
        match expression:
            case syntax.Number(value=number):
                return number
            case syntax.Text(value=text):
                return text
            case syntax.Name(name=name):
                return self._variable(name, scope)
            case syntax.Index(array=array, index=index):
                return self._element(self.value(array, scope), self.value(index, scope))
            case syntax.Length(array=array):
                found = self.value(array, scope)
                return float(len(found)) if isinstance(found, list | str) else self._unknown("asks for the length of a number")
            case syntax.Unary(operator="-", operand=operand):
                return combine("*", -1.0, self._number(operand, scope))
            case syntax.Unary(operand=operand):
                return float(not self._holds(operand, scope))
            case syntax.Binary(operator=sign, left=left, right=right):
                return self._binary(sign, left, right, scope)
            case syntax.Call():
                return self._call(expression, scope)

    def _count(self, steps: int = 1) -> None:
        self._taken += steps
        if self._taken > MOST_STEPS:
            raise MacroError(f"expected a macro that ends within {MOST_STEPS} steps, found one that does not")

    def _unknown(self, what: str, line: int | None = None) -> Held:
        where = "" if line is None else f"line {line} of "
        raise MacroError(f"{where}the macro {what}, which is not known here")

    def _assign(self, target: syntax.Name | syntax.Index, value: Held, scope: dict[str, Held]) -> None:
        if isinstance(target, syntax.Name):
            (self.variables if target.name in self.variables and target.name not in scope else scope)[target.name] = value
            return
        array, index = self.value(target.array, scope), self.value(target.index, scope)
        self._element(array, index)
        array[int(index)] = value

    def _variable(self, name: str, scope: Mapping[str, Held]) -> Held:
        constants = {"true": 1.0, "false": 0.0, "PI": math.pi, "NaN": math.nan}
        for known in (scope, self.variables, constants):
            if name in known:
                return known[name]
        return self._unknown(f"uses {name!r} before it has a value")

    def _element(self, array: Held, index: Held) -> Held:
        if not isinstance(array, list) or not isinstance(index, int | float):
            return self._unknown("takes an element of something that is not an array, or with an index that is not a number")
        if not 0 <= index < len(array):
            raise MacroError(f"expected an index from 0 to {len(array) - 1} in the macro, found {index:g}")
        return array[int(index)]

    def _number(self, expression: syntax.Expression, scope: dict[str, Held]) -> Value:
        found = self.value(expression, scope)
        if isinstance(found, str | list) or found is None:
            return self._unknown("computes with what is no number")  # type: ignore[no-any-return]
        return found  # type: ignore[no-any-return]

    def _holds(self, expression: syntax.Expression, scope: dict[str, Held]) -> bool:
        found = self._number(expression, scope)
        if not isinstance(found, int | float):
            raise DependsOnImageError("the macro branches depending on the image")
        return bool(found)

    def _binary(self, sign: str, left: syntax.Expression, right: syntax.Expression, scope: dict[str, Held]) -> Held:
        if sign in ("&&", "||"):
            first = self._holds(left, scope)
            return float(first and self._holds(right, scope)) if sign == "&&" else float(first or self._holds(right, scope))
        one, other = self.value(left, scope), self.value(right, scope)
        if sign == "+" and (isinstance(one, str) or isinstance(other, str)):
            return self._joined(self._told_as(one), self._told_as(other))
        if isinstance(one, list) or isinstance(other, list) or one is None or other is None:
            return self._unknown("computes with what is no number")
        if sign in ("==", "!=", "<", "<=", ">", ">="):
            return float(self._compare(sign, one, other))
        if isinstance(one, str) or isinstance(other, str):
            return self._unknown("computes with strings")
        return combine(sign, one, other)

    def _joined(self, one: str, other: str) -> str:
        """Return a text after another; long texts count as several steps, so that memory is bounded, too."""
        length = len(one) + len(other)
        if length > LONGEST_TEXT:
            raise MacroError(f"expected texts of at most {LONGEST_TEXT} letters in the macro, found one of {length}")
        self._count(length // LETTERS_PER_STEP)
        return one + other

    def _told_as(self, value: Held) -> str:
        if isinstance(value, str):
            return value
        self._told.append(value)
        return f"\0{len(self._told) - 1}\0"

    def _compare(self, sign: str, one: Held, other: Held) -> bool:
        if isinstance(one, str) and isinstance(other, str) and sign in ("==", "!="):
            return (one == other) == (sign == "==")
        if isinstance(one, int | float) and isinstance(other, int | float):
            outcomes = {"==": one == other, "!=": one != other, "<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}
            return outcomes[sign]
        flipped = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
        if sign not in flipped:
            raise DependsOnImageError("the macro asks whether numbers of the image are equal")
        if isinstance(other, Count) and not other.all and (other.share or other.bins > 1):
            one, other, sign = other, one, flipped[sign]
        count = Count(0, 1) if one == 0 else one
        if not isinstance(count, Count) or isinstance(other, Bin | str):
            raise DependsOnImageError("the macro compares numbers of the image")
        if isinstance(other, Count) and other.all and not other.share and not count.share:
            share = other.factor / count.factor
        elif isinstance(other, int | float) and count.share:
            share = other / count.factor
        else:
            raise DependsOnImageError("the macro compares counts of pixels in a way that is not followed")
        reached = self.image.reaches(count, share, more=sign in ("<=", ">"))
        return reached if sign in (">", ">=") else not reached

    def _call(self, call: syntax.Call, scope: dict[str, Held]) -> Held:
        own = self.program.functions.get(call.name)
        if own is not None:
            return self._own(call, own, scope)
        name = call.name
        if name == "run":
            command, *rest = (self.value(a, scope) for a in call.arguments)
            return self._command(str(command), str(rest[0]) if rest else "", call.line)
        if name in IGNORED:
            return None
        if name in MATH:
            given = [self._number(a, scope) for a in call.arguments]
            if not all(isinstance(g, int | float) for g in given):
                raise DependsOnImageError(f"the macro takes {name} of a number of the image")
            try:
                return float(MATH[name](*given))  # type: ignore[operator]
            except (ValueError, TypeError, OverflowError):
                return self._unknown(f"computes {name} of {given}", call.line)
        return self._built_in(call, scope)

    def _own(self, call: syntax.Call, function: syntax.Function, scope: dict[str, Held]) -> Held:
        if len(call.arguments) != len(function.parameters):
            raise MacroError(f"line {call.line} of the macro: expected {len(function.parameters)} arguments for {call.name}")
        if self._calls >= DEEPEST_CALLS:
            raise MacroError("expected functions of the macro to end, found one that calls itself without end")
        inner = dict(zip(function.parameters, (self.value(a, scope) for a in call.arguments), strict=True))
        self._calls += 1
        try:
            self.execute(function.body, inner)
        except _Returned as returned:
            return returned.value
        finally:
            self._calls -= 1
        return None

    def _built_in(self, call: syntax.Call, scope: dict[str, Held]) -> Held:
        if call.name in MEASURED or call.name == "getHistogram":
            out = self._histogram(call, scope) if call.name == "getHistogram" else MEASURED[call.name](self.image, len(call.arguments))
            for argument, value in zip(call.arguments, out, strict=False):
                if isinstance(argument, syntax.Name):
                    scope[argument.name] = value
            return None
        if call.name in CONSTANTS:
            return CONSTANTS[call.name]
        if call.name in ("getWidth", "getHeight"):
            return self.image.sides()[call.name == "getHeight"]
        return self._made(call.name, [self.value(a, scope) for a in call.arguments], call.line)

    def _histogram(self, call: syntax.Call, scope: dict[str, Held]) -> Sequence[Held]:
        bins = self._number(call.arguments[2], scope) if len(call.arguments) == 3 else None
        if not isinstance(bins, int | float) or not 2 <= bins <= 65536:
            return self._unknown("takes a histogram within bounds, or of no known number of bins", call.line)  # type: ignore[no-any-return]
        histogram = self.image.histogram(int(bins))
        return histogram.values, histogram.counts

    def _made(self, name: str, given: list[Held], line: int) -> Held:
        match name, given:
            case "setThreshold", [low, high, *_] if not isinstance(low, str | list) and not isinstance(high, str | list):
                self._threshold = (low, high)
                return None
            case "newArray", [float(size)] if 0 <= size <= 65536:
                self._count(int(size))  # so that memory is bounded
                return [0.0] * int(size)
            case "newArray", _:
                return given
            case "d2s", [number, *_] if not isinstance(number, str | list):
                return self._told_as(number)
            case "lengthOf", [str(found) | list(found)]:
                return float(len(found))
            case "parseFloat" | "parseInt", [str(text)]:
                return self._named_number(text, line)
        return self._unknown(f"calls {name}", line)

    def _command(self, command: str, options: str, line: int) -> None:
        name = f"run:{command}"
        if name in IGNORED:
            return
        if name in ARITHMETIC or name in BOUNDS:
            self.image.arithmetic(ARITHMETIC.get(name) or BOUNDS[name], self._named_number(options, line, key="value="))
        elif name in FUNCTIONS:
            self.image.function(FUNCTIONS[name])
        elif name in TYPES:
            self.image.convert(TYPES[name])
        elif command in ("Convert to Mask", "Make Binary"):
            if self._threshold is None or command == "Make Binary":
                self._unknown(f"runs {command!r} with a threshold that ImageJ chooses", line)
            assert self._threshold is not None
            self.image.mask(*self._threshold)
            self._threshold = None
        else:
            self._unknown(f"runs the command {command!r}", line)

    def _named_number(self, text: str, line: int, key: str = "") -> Value:
        """Return the number behind a key in the options of a command."""
        match = re.search(rf"{re.escape(key)}\s*(?:\0(\d+)\0|(-?)\0(\d+)\0|([+-]?[\d.]+(?:[eE][+-]?\d+)?))", text)
        if match is None:
            return self._unknown(f"gives a command no number, but {text.replace(chr(0), '')!r}", line)  # type: ignore[no-any-return]
        if match[1] or match[3]:
            told = self._told[int(match[1] or match[3])]
            return combine("*", -1.0, told) if match[2] else told
        try:
            return float(match[4])
        except ValueError:
            return self._unknown(f"gives a command no number, but {match[4]!r}", line)  # type: ignore[no-any-return]
