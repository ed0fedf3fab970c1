"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared test data, named by the environment variable BMZ_SHARED."""
    named = os.environ.get("BMZ_SHARED")
    if not named:
        pytest.skip("BMZ_SHARED names no folder of shared test data")
    folder = Path(named).resolve()
    assert (folder / "models").is_dir(), f"BMZ_SHARED={named} holds no models/"
    return folder


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for what is fetched from URLs, in place of the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BMZ_CACHE", str(folder))
        patch.delenv("BMZ_OFFLINE", raising=False)
        yield folder


@pytest.fixture(scope="session", autouse=True)
def settings_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for settings, such as consents, in place of the user's."""
    folder = tmp_path_factory.mktemp("settings")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BMZ_CONFIG", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def collection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The index of an empty collection, in place of the public one."""
    index = tmp_path_factory.mktemp("collection") / "index.json"
    index.write_text("{}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BMZ_COLLECTION", str(index))
        yield index


def pytest_configure(config: pytest.Config) -> None:
    """Give each of several test processes cores of its own: the threads of frameworks in one would wait for those in the others."""
    worker, count = os.environ.get("PYTEST_XDIST_WORKER", ""), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if not worker or not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))[int(worker.removeprefix("gw")) :: count]
    if cores:
        os.sched_setaffinity(0, cores)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Append a test that passed to the file that BMZ_PASSED names; of several processes, the first one does it for all."""
    named = os.environ.get("BMZ_PASSED")
    if named and report.when == "call" and report.passed and "PYTEST_XDIST_WORKER" not in os.environ:
        with Path(named).open("a", encoding="utf-8") as file:
            file.write(f"{report.nodeid}\n")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that the file lists which BMZ_PASSED_BEFORE names, and those that take minutes unless BMZ_LARGE is set."""
    named = os.environ.get("BMZ_PASSED_BEFORE")
    passed = set(Path(named).read_text(encoding="utf-8").splitlines()) if named else set()
    is_large = bool(os.environ.get("BMZ_LARGE"))
    left_out = [item for item in items if item.nodeid in passed or (item.get_closest_marker("large") is not None and not is_large)]
    config.hook.pytest_deselected(items=left_out)
    kept = set(items).difference(left_out)
    items[:] = [item for item in items if item in kept]


settings.register_profile("default", deadline=None)
settings.register_profile("few", deadline=None, max_examples=15)
settings.load_profile("few" if os.environ.get("BMZ_FEW_EXAMPLES") else "default")
