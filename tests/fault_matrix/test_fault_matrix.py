"""Faults in the middle of runs: users see one sentence, nothing incomplete counts as complete, and ``--resume`` ends bit for bit."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import zarr

pytest.importorskip("distributed", reason="distributed is not installed")

from fault_matrix.faults import FAULTS, Fault, Scene
from fault_matrix.lab import Lab, Prediction
from fault_matrix.seen import PAGE, as_documented, cells_of, main, record

DOCUMENTED = cells_of(PAGE.read_text(encoding="utf-8"))
LARGE = {("power", "cluster"), *((fault.name, "processes") for fault in FAULTS if fault.name != "worker")}
"""What takes many seconds: a second cluster, and six processes for each fault that runs with worker processes meet."""


def cases() -> list[object]:
    """Return each fault with each executor for which it has a meaning."""
    found = []
    for fault in FAULTS:
        for executor in fault.executors:
            marks = [pytest.mark.large] if (fault.name, executor) in LARGE else []
            found.append(pytest.param(fault, executor, marks=marks, id=f"{fault.name}-{executor}"))
    return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The machine of all runs."""
    with Lab(tmp_path_factory.mktemp("lab")) as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(lab: Lab) -> dict[str, bytes]:
    """The files of a run that nothing disturbs."""
    run = Prediction(lab=lab, name="undisturbed", executor="threads")
    run.output.parent.mkdir()
    assert run.complete().status == 0
    return run.files()


def is_complete(run: Prediction) -> bool:
    """Return whether the output counts as complete."""
    try:
        zarr.open_group(str(run.output), mode="r")
    except FileNotFoundError:
        return False
    return True


@pytest.mark.parametrize(("fault", "executor"), cases())
def test_a_fault(lab: Lab, undisturbed: dict[str, bytes], fault: Fault, executor: str) -> None:
    """What users see is what the documentation says, and after they did what it says, all is as without the fault."""
    run = Prediction(lab=lab, name=f"{fault.name}-{executor}", executor=executor, protocol=fault.protocol)
    run.output.parent.mkdir()
    fault.before(run)
    with run.start() as running:
        scene = Scene(lab=lab, run=run, running=running)
        run.wait_for_tasks(3, running)
        try:
            with lab.machine.held():
                other = fault.begins(scene)
            ended = running.ended()
        finally:
            fault.ends(scene)
    assert "Traceback" not in ended.err
    assert "distributed." not in ended.err, "a message of dask, which tells users nothing"
    if is_complete(run):
        assert run.files() == undisturbed
    for _ in range(fault.runs):
        again = run.complete("--resume")
        if again.status == 0:
            break
    assert again.status == 0, again
    assert run.files() == undisturbed
    shown = ended if other is None else other
    seen = as_documented(shown.status, shown.err)
    if named := os.environ.get("BMZ_FAULTS_SEEN"):
        record(Path(named), fault=fault.label, executor=executor, seen=seen, then=fault.then)
    else:
        assert DOCUMENTED[fault.label, executor] == seen


def test_the_page() -> None:
    """The table has each fault with each executor for which it has a meaning, and no others."""
    assert list(DOCUMENTED) == [(fault.label, executor) for fault in FAULTS for executor in fault.executors]


def test_the_table(tmp_path: Path) -> None:
    """What is written is what was recorded; the text around it stays, and what is the same stands there once."""
    page, records = tmp_path / "page.md", tmp_path / "seen.jsonl"
    page.write_text("before\n<!-- what the tests saw -->\n<!-- end -->\nafter\n")
    full = as_documented(2, "warning: slow\nbmz: /tmp/a/result.zarr/out cannot be written: full | quota\n")
    assert full == r"2: result.zarr/… cannot be written: full \| quota"
    for executor in ("processes", "cluster"):
        record(records, fault="full", executor=executor, seen=full, then="free")
    record(records, fault="kill", executor="threads", seen=as_documented(-9, ""), then="nothing")
    main(page, records)
    assert cells_of(page.read_text()) == {("full", "processes"): full, ("full", "cluster"): full, ("kill", "threads"): "137: SIGKILL"}
    assert page.read_text().count("cannot be written") == 1
    assert (page.read_text().startswith("before\n"), page.read_text().endswith("\nafter\n")) == (True, True)
