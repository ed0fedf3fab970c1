"""The faults of the matrix: how each comes about in the middle of a run, and how it ends."""

from __future__ import annotations

import os
import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
from bmz_process import Ran
from fault_matrix.lab import EXECUTORS, Lab, Prediction, Running
from fault_matrix.machine import Machine
from recorded_disk import RecordedDisk

__all__ = ["FAULTS", "Fault", "Scene"]


@attrs.frozen(kw_only=True)
class Scene:
    """A run that meets a fault."""

    lab: Lab
    run: Prediction
    running: Running

    @property
    def machine(self) -> Machine:
        """Where it runs."""
        return self.lab.machine


def nothing(place: object) -> None:
    """Do nothing."""


@attrs.frozen(kw_only=True)
class Fault:
    """A fault, as data."""

    name: str
    label: str
    """How the documentation calls it."""

    then: str
    """What users do, as the documentation says it."""

    before: Callable[[Prediction], object] = nothing
    """Prepares it, before the run."""

    begins: Callable[[Scene], Ran | None] = nothing
    """Makes the fault, after some tasks are done and while no chunk is read; may return the end of a command that users see instead."""

    ends: Callable[[Scene], object] = nothing
    """Removes it, after the run has ended."""

    executors: tuple[str, ...] = EXECUTORS
    protocol: str = ""
    """Protocol of the output: that of a store with a fault."""

    runs: int = 1
    """How often the command runs with ``--resume``, at most, until it ends well."""


def fill_the_disk(scene: Scene) -> None:
    """Fill the disk to the last byte, as another program may do."""
    with (scene.machine.seen / "of-another-program").open("ab", buffering=0) as file:
        for size in (1 << 16, 1):
            while True:
                try:
                    file.write(b"x" * size)
                except OSError:
                    break


def free_the_disk(scene: Scene) -> None:
    """Remove what fills the disk."""
    (scene.machine.seen / "of-another-program").unlink()


def make_read_only(scene: Scene) -> None:
    """Mount the disk read-only, as systems do after errors of a disk."""
    while scene.machine.run("mount", "-o", "remount,ro", str(scene.machine.disk)).returncode:  # a file is open for writing
        time.sleep(0.01)


def make_writable(scene: Scene) -> None:
    """Mount the disk for writing again."""
    assert scene.machine.run("mount", "-o", "remount,rw", str(scene.machine.disk)).returncode == 0


def folders(scene: Scene) -> list[Path]:
    """Return all folders of the output."""
    return [Path(folder) for folder, _, _ in os.walk(scene.run.output)]


def take_permission(scene: Scene) -> None:
    """Take the permission to write from all folders of the output."""
    for folder in folders(scene):
        folder.chmod(0o555)


def give_permission(scene: Scene) -> None:
    """Give it back."""
    for folder in folders(scene):
        folder.chmod(0o755)


def last_chunk(scene: Scene) -> Path:
    """Return the chunk of the image that is read last."""
    return max((scene.run.image / "c").glob("*/*"), key=lambda path: (int(path.parent.name), int(path.name)))


def damage_a_chunk(scene: Scene) -> None:
    """Exchange bytes in the middle of a chunk of the image, and keep the right ones beside the image."""
    chunk = last_chunk(scene)
    right = chunk.read_bytes()
    (scene.lab.folder / "right-chunk").write_bytes(right)
    chunk.write_bytes(right[:20] + bytes(byte ^ 0xFF for byte in right[20:60]) + right[60:])


def mend_the_chunk(scene: Scene) -> None:
    """Bring the right chunk back."""
    (scene.lab.folder / "right-chunk").replace(last_chunk(scene))


def kill(scene: Scene) -> None:
    """Kill the command."""
    scene.running.process.kill()


def record_disk(run: Prediction) -> None:
    """Let all processes record from now on what they write to the disk for certain."""
    faults = run.lab.machine.faults
    (faults / "synced").unlink(missing_ok=True)
    (faults / "power").write_text(f"{run.lab.machine.disk}/{run.name}")


def lose_power(scene: Scene) -> None:
    """End all processes at once; what they had written to the disk for certain is known."""
    (scene.machine.faults / "power").unlink()
    for process in scene.running.process.children(recursive=True):
        process.kill()
    scene.running.process.kill()
    if scene.run.executor == "cluster":
        scene.lab.end_cluster()


def restore_disk(scene: Scene) -> None:
    """Leave of the output what was written to the disk for certain, and every second file: all else is gone, or empty."""
    output = scene.run.output
    record = RecordedDisk(output.parent)
    with (scene.machine.faults / "synced").open("rb") as file:
        while file.peek(1):
            record.synced.append(pickle.load(file))
    with TemporaryDirectory() as folder:
        restored = Path(folder) / output.name
        record.restore(len(record.synced), Path(folder))
        for path in sorted(path for path in output.rglob("*") if path.is_file())[::2]:
            target = restored / path.relative_to(output)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        shutil.rmtree(output)
        shutil.copytree(restored, output)


def kill_a_worker(scene: Scene) -> None:
    """Kill one of the processes that run the network."""
    if scene.run.executor == "cluster":
        scene.lab.cluster.parents.pop().kill()
        return
    workers = [child for child in scene.running.process.children(recursive=True) if "spawn_main" in " ".join(child.cmdline())]
    workers[0].kill()


def start_a_worker(scene: Scene) -> None:
    """Start another worker, for the runs that follow."""
    if scene.run.executor == "cluster":
        scene.lab.cluster.start_worker("--no-nanny", "--nthreads", "1")


def begin_again(scene: Scene) -> Ran:
    """Run the same command while the run goes on."""
    return attrs.evolve(scene.run, executor="threads").complete()


def overtake(scene: Scene) -> None:
    """Write the output by another run, which begins later and ends earlier."""
    with attrs.evolve(scene.run, executor="threads").start("--overwrite") as other:
        (scene.machine.faults / "hold").write_text(str(other.process.pid))
        assert other.ended().status == 0


def jump(scene: Scene, seconds: int) -> None:
    """Turn the clock of all processes."""
    clock = scene.machine.faults / "clock"
    wrong = int(clock.read_text()) if clock.exists() else 0
    clock.with_suffix(".new").write_text(str(wrong + seconds))
    clock.with_suffix(".new").replace(clock)


FAULTS = (
    Fault(
        name="full",
        label="the disk is full",
        then="free some space",
        begins=fill_the_disk,
        ends=free_the_disk,
    ),
    Fault(
        name="read-only",
        label="the disk becomes read-only",
        then="mount it for writing",
        begins=make_read_only,
        ends=make_writable,
    ),
    Fault(
        name="permission",
        label="the permission to write is taken",
        then="give the permission",
        begins=take_permission,
        ends=give_permission,
    ),
    Fault(
        name="chunk",
        label="a chunk of the image is damaged",
        then="bring back a right copy of the chunk",
        begins=damage_a_chunk,
        ends=mend_the_chunk,
    ),
    Fault(
        name="one-in-50",
        label="one of 50 writes to a store fails",
        then="run it again until it ends well",
        protocol="failing",
        runs=5,
    ),
    Fault(
        name="slow",
        label="the store is slow",
        then="nothing",
        protocol="slowly",
    ),
    Fault(
        name="kill",
        label="the command is killed",
        then="nothing",
        begins=kill,
    ),
    Fault(
        name="worker",
        label="a worker is killed",
        then="nothing",
        executors=("processes", "cluster"),
        begins=kill_a_worker,
        ends=start_a_worker,
    ),
    Fault(
        name="power",
        label="all processes end by a loss of power",
        then="start the machines",
        before=record_disk,
        begins=lose_power,
        ends=restore_disk,
    ),
    Fault(
        name="scheduler",
        label="the scheduler ends",
        then="start a scheduler and workers",
        executors=("cluster",),
        begins=lambda scene: scene.lab.cluster.scheduler.kill(),
        ends=lambda scene: scene.lab.end_cluster(),
    ),
    Fault(
        name="second",
        label="the same command is started a second time",
        then="nothing",
        begins=begin_again,
    ),
    Fault(
        name="overtaken",
        label="another run with `--overwrite` writes the output meanwhile",
        then="nothing",
        begins=overtake,
    ),
    Fault(
        name="ahead",
        label="the clock jumps an hour ahead",
        then="nothing",
        begins=lambda scene: jump(scene, 3600),
    ),
    Fault(
        name="back",
        label="the clock jumps three seconds back",
        then="nothing",
        begins=lambda scene: jump(scene, -3),
    ),
)
