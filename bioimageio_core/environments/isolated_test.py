"""Tests of a model in a new environment, in which only the requirements of its weights are installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import attrs
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ..errors import BioimageioError, InputError, MissingRequirementError, ModelRunError
from ..model_tests.test_report import TestReport, WeightsTest
from ..packaging import write_package
from ..prediction.model.loaded_model import LoadedModel
from ..prediction.model.weights_selection import settings_in_words
from ..prediction.options import PredictOptions
from ..python_process import python_command
from ..registry import Registry
from ..text import in_brief, in_one_line
from .environment import LIBRARY, Environment, environment_of

__all__ = ["test_isolated"]

CONDA_NAMES = {"pytorch": "torch", "pytorch-cpu": "torch", "pytorch-gpu": "torch"}
"""Names of packages for pip where conda has other names."""

NO_PYTHON_PACKAGES = ("cuda", "cudatoolkit", "cudnn", "pytorch-cuda", "cpuonly", "nvidia")
"""Packages of conda without a counterpart for pip; frameworks bring their own."""


def test_isolated(
    model: LoadedModel, options: PredictOptions, *, quick: bool = False, report: Callable[[str], None] = lambda stage: None
) -> TestReport:
    """Test each weights format in a virtual environment that is made for it and removed afterwards.

    Packages come from the index that pip is configured with, in the versions that the description names;
    this library and its plugins are copied from the running environment. The model's own dependencies are installed only if it is trusted.

    Args:
        model: The model.
        options: `weights_format` limits the test to one; `device`, `precision`, `compile`, `imports` and `trust` are used.
        quick: Test only the test tensors.
        report: Called with the name of each stage.

    Raises:
        InputError: The model lacks the requested weights format.

    """
    if options.weights_format is not None and options.weights_format not in model.weights:
        raise InputError(f"the model has no {options.weights_format!r} weights: expected one of {', '.join(model.weights)}")
    names = [options.weights_format] if options.weights_format is not None else list(model.weights)
    found: list[TestReport] = []
    for name in names:
        try:
            found.append(_test_one(model, attrs.evolve(options, weights_format=name), quick, report))
        except (BioimageioError, OSError) as error:
            test = WeightsTest(weights_format=name, status="skipped", message=str(error))
            found.append(TestReport(model=model.io.name, tests=(test,)))
    return TestReport(
        model=model.io.name,
        tests=tuple(test for one in found for test in one.tests),
        settings=f"{settings_in_words(options.devices, options.precision, options.compile)}, each in an environment of its own",
        blockwise=next((one.blockwise for one in found if one.blockwise is not None), None),
    )


test_isolated.__test__ = False  # type: ignore[attr-defined]  # pytest collects functions of this name


def _test_one(model: LoadedModel, options: PredictOptions, quick: bool, report: Callable[[str], None]) -> TestReport:
    name = str(options.weights_format)
    environment = environment_of(model, name, trust=options.trust)
    with tempfile.TemporaryDirectory(prefix="bmz-isolated-") as scratch:
        folder = Path(scratch)
        report(f"environment for {name}")
        python = _build(environment, folder / "environment", model.registry)
        write_package(model.descr, model.package, model.registry, folder / "model", include_outside=True)  # the copy stays here
        report(name)
        arguments = ["test", str(folder / "model"), "--weights-format", name, "--device", options.device, "--precision", options.precision]
        arguments += [part for library in options.imports for part in ("--import", library)]
        arguments += ["--json", "--save", str(folder / "differences")]
        arguments += [flag for flag, wanted in (("--quick", quick), ("--compile", options.compile), ("--trust", options.trust)) if wanted]
        done = _run(python_command("-m", "bioimageio_core.cli", *arguments, python=python))
        try:
            data = json.loads(done.stdout)
        except json.JSONDecodeError:
            raise ModelRunError(f"the test in a new environment fails: {_failure(done.stderr)}") from None
    data.pop("saved", None)
    return TestReport.from_dict(data)


def _build(environment: Environment, folder: Path, registry: Registry) -> Path:
    """Make a virtual environment, and return its Python.

    Raises:
        MissingRequirementError: A requirement cannot be installed.

    """
    _checked(_run(python_command("-m", "venv", str(folder))), "make a virtual environment")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ours = {canonicalize_name(name) for name in (LIBRARY, *(plugin.distribution for plugin in registry.plugins))}
    needed = [_requirement(line) for line in environment.requirements]
    exact = [str(r) for r in needed if canonicalize_name(r.name) not in ours]
    extras = {canonicalize_name(r.name): sorted(r.extras) for r in needed}
    indirect = [r for name in sorted(ours) for r in _required_by(name, extras.get(name, []))]
    more = [str(r) for r in indirect if canonicalize_name(r.name) not in ours]
    wanted = [*exact, *more, *environment.own.pip, *_for_pip(environment.own.conda)]
    _checked(
        _run(python_command("-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted, python=python)),
        f"install {', '.join(exact or wanted)}",
    )
    locate = "import sysconfig; print(sysconfig.get_path('purelib'))"
    where = _checked(_run(python_command("-c", locate, python=python)), "locate the packages of the new environment")
    for name in ours:
        modules = [p.module for p in registry.plugins if canonicalize_name(p.distribution) == name]
        _copy_distribution(name, modules, Path(where.stdout.strip()))
    return python


def _requirement(line: str) -> Requirement:
    try:
        return Requirement(line)
    except InvalidRequirement as error:
        raise MissingRequirementError(f"{line!r} is not a requirement that pip can install: {in_one_line(str(error))}") from None


def _required_by(distribution: str, extras: Sequence[str]) -> Iterator[Requirement]:
    """Yield the requirements of an installed distribution on this system, with some of its extras."""
    for line in metadata.requires(distribution) or ():
        requirement = _requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            requirement.marker = None
            yield requirement


def _for_pip(packages: Sequence[str]) -> Iterator[str]:
    """Yield requirements for pip of conda packages; those without a counterpart are left out."""
    for package in packages:
        text = package.rpartition("::")[2].replace(" ", "")
        name = re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0].rstrip("-._")
        if name.startswith(NO_PYTHON_PACKAGES):
            continue
        version = text.removeprefix(name)
        if re.match(r"==?[^=]", version):  # name=version=build
            version = "==" + version.lstrip("=").partition("=")[0]
        yield CONDA_NAMES.get(name, name) + version


def _copy_distribution(name: str, modules: Sequence[str], target: Path) -> None:
    """Copy an installed distribution: the packages that its entry points name, and its metadata."""
    distribution = metadata.distribution(name)
    for package in {module.partition(".")[0] for module in modules}:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise MissingRequirementError(f"the package {package!r} of {name} cannot be copied: it is not installed as files")
        origin = Path(spec.origin)
        if origin.name == "__init__.py":
            shutil.copytree(origin.parent, target / package, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        else:
            shutil.copy(origin, target / origin.name)
    info = target / f"{name.replace('-', '_')}-{distribution.version}.dist-info"
    info.mkdir(exist_ok=True)
    for file in ("METADATA", "entry_points.txt"):
        (info / file).write_text(distribution.read_text(file) or "", encoding="utf-8")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    # Variables of the user's environment that change what Python imports must not reach the new one.
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    return subprocess.run(command, capture_output=True, text=True, env=kept, stdin=subprocess.DEVNULL, check=False)


def _checked(done: subprocess.CompletedProcess[str], what: str) -> subprocess.CompletedProcess[str]:
    if done.returncode:
        raise MissingRequirementError(f"pip could not {what}: {_failure(done.stderr)}")
    return done


def _failure(text: str) -> str:
    """Return the line that names the failure: the first error of pip, or the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(("WARNING", "[notice]"))]
    errors = [line for line in lines if line.startswith("ERROR")]
    return in_brief((errors or lines[-1:] or ["it says nothing"])[0])
