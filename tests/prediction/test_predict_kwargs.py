"""Options as arguments: what editors and mypy see are the fields of `PredictOptions`."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import attrs
import pytest

import bioimageio_core as bc
from bioimageio_core.prediction import predict_kwargs as kwargs
from bioimageio_core.prediction.options import PlanOptions, PredictOptions, RunOptions

distributed = pytest.importorskip("distributed", reason="the types name its client")


def hints_of(class_: Any) -> dict[str, Any]:
    """Return the types of the fields of a class."""
    return typing.get_type_hints(class_, None, {"Client": distributed.Client})


def fields(class_: Any) -> dict[str, attrs.Attribute[Any]]:
    """Return the fields of an attrs class, by name."""
    return {a.name: a for a in attrs.fields(class_)}


PAIRS = [(kwargs.PlanKwargs, PlanOptions), (kwargs.RunKwargs, RunOptions), (kwargs.PredictKwargs, PredictOptions)]


class TestKwargs:
    """The typed dictionaries."""

    @pytest.mark.parametrize(("given", "options"), PAIRS)
    def test_same_names(self, given: Any, options: Any) -> None:
        """Each option is an argument, and there are no others."""
        assert set(hints_of(given)) == set(fields(options))

    @pytest.mark.parametrize(("given", "options"), PAIRS)
    def test_same_types(self, given: Any, options: Any) -> None:
        """Where nothing is converted; else the argument takes more."""
        known = hints_of(options)
        for name, hint in hints_of(given).items():
            field = fields(options)[name]
            converter = getattr(field.converter, "__name__", None)
            if converter in (None, "plain_value"):
                assert hint == known[name], name

    @pytest.mark.parametrize("part", [kwargs.StatisticsKwargs, kwargs.WeightsKwargs, kwargs.AnalysisKwargs])
    def test_parts(self, part: Any) -> None:
        """Functions that take some of the options take the same types."""
        of_all = hints_of(kwargs.PredictKwargs)
        assert {name: of_all[name] for name in hints_of(part)} == hints_of(part)


FUNCTIONS = [bc.predict, bc.predict_many, bc.open_predictor, bc.verify, bc.Predictor.plan, bc.Predictor.predict, bc.Predictor.lazy]


class TestSignatures:
    """What Tab and ``help()`` show."""

    @pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__qualname__)
    def test_every_option_with_its_default(self, function: Any) -> None:
        """As arguments by name."""
        shown = inspect.signature(function).parameters
        for name, field in fields(PredictOptions).items():
            assert shown[name].kind is inspect.Parameter.KEYWORD_ONLY
            assert shown[name].default == field.default, name

    @pytest.mark.parametrize(
        "function", [*FUNCTIONS, bc.compute_statistics, bc.test_model, bc.analyse_network, bc.convert_weights], ids=lambda f: f.__qualname__
    )
    def test_every_option_with_its_meaning(self, function: Any) -> None:
        """In the docstring, between arguments and results, as the options class says it."""
        text = inspect.getdoc(function) or ""
        own, _, section = text.partition("\nOptions:\n")
        listed = {line.split(":")[0].strip(): line for line in section.splitlines() if line[:4] == "    " and line[4:5].isalpha()}
        for name in inspect.signature(function).parameters:
            if name in fields(PredictOptions) and f"\n    {name}: " not in own:
                assert len(listed[name].split()) > 2, name
        assert text.index("\nOptions:\n") < text.index("\nRaises:\n" if "\nRaises:\n" in text else "\nWarns:\n")
        if "weights_format" in listed:
            assert "Weights format to run; None: the installed one with the highest preference." in " ".join(section.split())

    def test_the_own_arguments_come_first(self) -> None:
        """With what applies to runs, where only that does."""
        assert list(inspect.signature(bc.predict).parameters)[:4] == ["model", "inputs", "output", "axes"]
        assert set(inspect.signature(bc.Predictor.run).parameters) == {"self", "plan", "output", *fields(RunOptions)}

    def test_tab_completes(self) -> None:
        """In IPython."""
        completer = pytest.importorskip("IPython.core.completer", reason="IPython is not installed")
        found = completer.IPCompleter(namespace={"bc": bc}, use_jedi=False).all_completions("bc.predict(model, image, bl")
        assert "block=" in found

    def test_mypy_knows(self, tmp_path: Path) -> None:
        """A misspelt option and a wrong type are found before anything runs."""
        pytest.importorskip("mypy", reason="mypy is not installed")
        code = tmp_path / "user.py"
        code.write_text(
            "import bioimageio_core as bc\n"
            "bc.predict('m', 'i.tif', block=256, axes='yx', roi={'y': slice(0, 5)}, progress=True)\n"
            "bc.predict('m', 'i.tif', blok=256)\n"
            "bc.predict('m', 'i.tif', block='256')\n"
        )
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--follow-imports=silent", "--config-file=", "--cache-dir", str(tmp_path), str(code)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert [line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line] == ["3", "4"], done.stdout + done.stderr
