"""What a job may use."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bioimageio_core
from bioimageio_core.prediction import options
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.resources import allotted_cores, allotted_memory, free_memory, installed_memory, large_pages, peak_memory

GIB = 2**30


def control_groups(root: Path, lines: str, **limits: str) -> Path:
    """Write what the system says of control groups: a line for each, and limits by path with ``__`` for slashes."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(lines)
    for name, value in limits.items():
        file = (
            root
            / "sys/fs/cgroup"
            / re.sub(r"\b(memory|cpu)_(?=max|cfs)", r"\1.", name.replace("__", "/")).replace("limit", "memory.limit_in_bytes")
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
    return root


def test_one_place() -> None:
    """Only `resources` asks the machine for its number of cores: everything else respects what the job was given."""
    package = Path(bioimageio_core.__file__).parent
    asking = [p.name for p in package.rglob("*.py") if "CPU_COUNT" in p.read_text() or "cpu_count" in p.read_text()]
    assert asking == ["resources.py"]


class TestCores:
    """The fewest that anybody says."""

    @pytest.mark.parametrize("name", ["SLURM_CPUS_PER_TASK", "PBS_NUM_PPN", "NCPUS", "NSLOTS", "LSB_DJOB_NUMPROC"])
    def test_of_a_scheduler(self, name: str) -> None:
        """A job of one core has one, whatever the machine has; a variable that says nothing is left out."""
        assert allotted_cores({name: "1"}) == 1
        assert allotted_cores({name: "100000"}) == allotted_cores({})
        for nothing in ("", "many", "0"):
            assert allotted_cores({name: nothing}) == allotted_cores({})

    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system binds no process to cores")
    def test_of_affinity(self) -> None:
        """A process that is bound to one core has one."""
        code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        code += "from bioimageio_core.resources import allotted_cores; print(allotted_cores({}))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "1"

    def test_of_control_groups(self, tmp_path: Path) -> None:
        """Version 2: the least of a group and those around it; a part of a core counts as one; ``max`` is no limit."""
        root = control_groups(tmp_path / "one", "0::/jobs/7\n", jobs__7__cpu_max="max 100000", jobs__cpu_max="50000 100000")
        assert allotted_cores({}, root) == 1
        root = control_groups(tmp_path / "half", "0::/jobs/7\n", jobs__7__cpu_max="150000 100000", cpu_max="max 100000")
        assert allotted_cores({}, root) == min(2, allotted_cores({}))
        root = control_groups(tmp_path / "none", "0::/\n", cpu_max="max 100000")
        assert allotted_cores({}, root) == allotted_cores({}, tmp_path)

    def test_of_version_1(self, tmp_path: Path) -> None:
        """A quota of -1 is no limit; the controller may share its folder with another one."""
        lines = "9:cpu,cpuacct:/jobs\n4:memory:/\n"
        root = control_groups(tmp_path / "one", lines, cpu__jobs__cpu_cfs_quota_us="100000", cpu__jobs__cpu_cfs_period_us="100000")
        assert allotted_cores({}, root) == 1
        root = control_groups(tmp_path / "none", lines, cpu__jobs__cpu_cfs_quota_us="-1", cpu__jobs__cpu_cfs_period_us="100000")
        assert allotted_cores({}, root) == allotted_cores({}, tmp_path)

    def test_of_a_real_group(self) -> None:
        """A process in a control group with half a core has one core, where this process may make such a group."""
        for folder, quota in ((Path("/sys/fs/cgroup/cpu"), "cpu.cfs_quota_us"), (Path("/sys/fs/cgroup"), "cpu.max")):
            group = folder / f"bioimageio-core-test-{os.getpid()}"
            try:
                group.mkdir()
            except OSError:
                continue
            try:
                (group / quota).write_text("50000" if quota.endswith("us") else "50000 100000")
                code = "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid()))\n"
                code += "from bioimageio_core.resources import allotted_cores; print(allotted_cores({}))"
                command = [sys.executable, "-c", code, str(group / "cgroup.procs")]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
            except (OSError, subprocess.CalledProcessError):
                continue
            finally:
                group.rmdir()
            assert done.stdout.strip() == "1"
            return
        pytest.skip("this process may not make a control group with a quota")


class TestMemory:
    """The least that anybody gives."""

    def test_of_slurm(self, tmp_path: Path) -> None:
        """Per node, or per core; 0 stands for all of the node."""
        assert allotted_memory({"SLURM_MEM_PER_NODE": "4096"}, tmp_path) == 4 * GIB
        assert allotted_memory({"SLURM_MEM_PER_CPU": "1024", "SLURM_CPUS_PER_TASK": "1"}, tmp_path) == GIB
        assert allotted_memory({"SLURM_MEM_PER_NODE": "0"}, tmp_path) is None
        assert allotted_memory({}, tmp_path) is None

    def test_of_control_groups(self, tmp_path: Path) -> None:
        """Version 2: the least of a group and those around it; ``max`` is no limit."""
        root = control_groups(tmp_path, "0::/jobs/7\n", jobs__7__memory_max="max", jobs__memory_max=str(3 * GIB), memory_max=str(9 * GIB))
        assert allotted_memory({}, root) == 3 * GIB
        assert allotted_memory({"SLURM_MEM_PER_NODE": "1024"}, root) == GIB

    def test_of_version_1(self, tmp_path: Path) -> None:
        """A number beyond all memory is no limit."""
        lines = "9:cpu:/\n4:memory:/jobs/7\n"
        root = control_groups(tmp_path, lines, memory__jobs__7__limit=str(2 * GIB), memory__limit=str(2**63 - 4096))
        assert allotted_memory({}, root) == 2 * GIB

    def test_default_budget(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nine tenths of what a job was given, unless something is said."""
        monkeypatch.setenv("SLURM_MEM_PER_NODE", "1000")
        assert PredictOptions().memory_bytes == 900 * 2**20
        assert PredictOptions(memory="5 GB").memory_bytes == 5 * 10**9

    def test_of_the_machine(self, tmp_path: Path) -> None:
        """What is installed, and what is free; None where the system does not say."""
        (tmp_path / "proc").mkdir()
        assert installed_memory(tmp_path) is None
        (tmp_path / "proc/meminfo").write_text("MemTotal:        2097152 kB\nMemFree: 1 kB\nMemAvailable:    1048576 kB\n")
        assert (installed_memory(tmp_path), free_memory(tmp_path)) == (2 * GIB, GIB)

    def test_small_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Half of a machine with less than twice the usual budget."""
        monkeypatch.setattr(options, "allotted_memory", lambda: None)
        for installed, budget in ((None, 2 * GIB), (64 * GIB, 2 * GIB), (3 * GIB, 3 * GIB // 2)):
            monkeypatch.setattr(options, "installed_memory", lambda installed=installed: installed)
            assert PredictOptions().memory_bytes == budget


def test_peak() -> None:
    """What a process has held, not what the one that started it has held."""
    ballast = bytearray(400 * 2**20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    code = "from bioimageio_core.resources import peak_memory; print(peak_memory())"
    own = peak_memory()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert own is None or own > 400 * 2**20 > int(done.stdout)


class TestLargePages:
    """What a process has to be started with, to get them."""

    @pytest.mark.parametrize(
        ("system", "variables", "asks"),
        [
            ("always [madvise] never", {}, True),
            ("always [madvise] never", {"GLIBC_TUNABLES": "glibc.malloc.check=1"}, False),
            ("always [madvise] never", {"GLIBC_TUNABLES": ""}, False),
            ("[always] madvise never", {}, False),
            ("always madvise [never]", {}, False),
            (None, {}, False),
        ],
    )
    def test_where_asking_helps(self, tmp_path: Path, system: str | None, variables: dict[str, str], asks: bool) -> None:
        """Where the system gives them to those who ask, and nobody decided otherwise."""
        if system is not None:
            file = tmp_path / "sys/kernel/mm/transparent_hugepage/enabled"
            file.parent.mkdir(parents=True)
            file.write_text(f"{system}\n")
        assert large_pages(variables, tmp_path) == ({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"} if asks else {})

    @pytest.mark.skipif(not large_pages({}), reason="this system gives large pages to all programs or to none")
    def test_are_used(self) -> None:
        """A process that is started so has them; another has none."""
        code = (
            "import re\n"
            "kept = bytearray(b'1') * 64_000_000\n"
            "print(re.search('AnonHugePages: *(.*) kB', open('/proc/self/smaps_rollup').read())[1])\n"
        )
        plain = {k: v for k, v in os.environ.items() if k != "GLIBC_TUNABLES"}
        with_them, without = (
            int(subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout)
            for env in ({**plain, **large_pages({})}, plain)
        )
        assert with_them > without
