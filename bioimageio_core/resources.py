"""The cores and the memory that this process may use, by batch scheduler, control group and machine; and large pages of memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

__all__ = ["allotted_cores", "allotted_memory", "free_memory", "installed_memory", "large_pages", "own_memory", "peak_memory"]

CORES = ("SLURM_CPUS_PER_TASK", "PBS_NUM_PPN", "NCPUS", "NSLOTS", "LSB_DJOB_NUMPROC", "OMP_THREAD_LIMIT")
"""Variables with the number of cores of a job, of SLURM, PBS, PBS Pro, Grid Engine, LSF and OpenMP."""

UNLIMITED = 2**60
"""Control groups without a limit of memory have a number as large as this."""


def allotted_cores(environment: Mapping[str, str] | None = None, root: Path = Path("/")) -> int:
    """Return how many cores this process may use: the smallest number that scheduler, affinity or control group allows.

    Args:
        environment: Environment variables; None for those of this process.
        root: Root of the file system that control groups are read from.

    """
    from dask.system import CPU_COUNT  # of affinity, and of the outermost control group

    variables = os.environ if environment is None else environment
    limits = [int(variables[name]) for name in CORES if variables.get(name, "").strip().isdecimal()]
    limits += _cores_of_control_groups(root)
    return max(1, min([int(CPU_COUNT), *(n for n in limits if n > 0)]))


def peak_memory() -> int | None:
    """Return the greatest resident memory of this process so far in bytes; None where the system does not record it."""
    try:
        # The peak of getrusage starts from the memory of the parent process.
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:  # not a POSIX system
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def own_memory() -> int | None:
    """Return the resident memory in bytes that this process has to itself, without files and libraries; None where it is not known."""
    try:
        _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
    except OSError:  # not Linux
        return None
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def allotted_memory(environment: Mapping[str, str] | None = None, root: Path = Path("/")) -> int | None:
    """Return how many bytes of memory this job may use; None where only the machine limits it.

    Args:
        environment: Environment variables; None for those of this process.
        root: Root of the file system that control groups are read from.

    """
    variables = os.environ if environment is None else environment
    limits = [limit for limit in (_of_slurm(variables), *_of_control_groups(root)) if limit is not None]
    return min(limits, default=None)


def installed_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes of memory of this machine; None where the system does not say.

    Args:
        root: Root of the file system that the amount is read from.

    """
    return _of_meminfo(root, "MemTotal:")


def free_memory(root: Path = Path("/")) -> int | None:
    """Return the bytes of memory that this machine can give to programs now; None where the system does not say.

    Args:
        root: Root of the file system that the amount is read from.

    """
    return _of_meminfo(root, "MemAvailable:")


def large_pages(environment: Mapping[str, str] | None = None, root: Path = Path("/")) -> dict[str, str]:
    """Return environment variables with which a new process uses large pages of memory.

    Networks are a few percent faster with them. Linux may reserve large pages for programs that request them, and the C library
    (glibc 2.35 and later) requests them if a variable is set when the process starts
    (https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html).

    Args:
        environment: Environment variables; None for those of this process.
        root: Root of the file system that the settings of the system are read from.

    Returns:
        No variables where the system gives large pages to all programs or to none, or where the user has set the variable.

    """
    variables = os.environ if environment is None else environment
    try:
        on_request = "[madvise]" in (root / "sys/kernel/mm/transparent_hugepage/enabled").read_text()
    except OSError:  # not Linux, or without large pages
        return {}
    return {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"} if on_request and "GLIBC_TUNABLES" not in variables else {}


def _of_meminfo(root: Path, name: str) -> int | None:
    lines = _text(root / "proc/meminfo").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), None)


def _of_slurm(variables: Mapping[str, str]) -> int | None:
    """Return the memory of a SLURM job on this node; its variables are in MiB."""
    per_node, per_core = variables.get("SLURM_MEM_PER_NODE", ""), variables.get("SLURM_MEM_PER_CPU", "")
    if per_node.isdecimal() and int(per_node) > 0:  # 0 stands for all of the node
        return int(per_node) * 2**20
    if per_core.isdecimal() and int(per_core) > 0:
        return int(per_core) * 2**20 * allotted_cores(variables)
    return None


def _of_control_groups(root: Path) -> list[int]:
    """Return the limits of memory of the control groups of this process, version 1 and 2, from the innermost outwards."""
    found = (_text(folder / ("memory.max" if unified else "memory.limit_in_bytes")) for folder, unified in _control_groups(root, "memory"))
    return [int(text) for text in found if text.isdecimal() and int(text) < UNLIMITED]


@cache  # of the root: it is asked for many times, and quotas seldom change while a process runs
def _cores_of_control_groups(root: Path) -> list[int]:
    """Return the limits of cores of the control groups of this process; a part of a core counts as one, since it would be idle else."""
    limits = []
    for folder, unified in _control_groups(root, "cpu"):
        if unified:
            quota, _, period = _text(folder / "cpu.max").partition(" ")
        else:
            quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal() and int(quota) and int(period):  # else "max", or -1
            limits.append(-(-int(quota) // int(period)))
    return limits


def _control_groups(root: Path, controller: str) -> Iterator[tuple[Path, bool]]:
    """Yield the folders of the control groups of this process, from the innermost outwards, and whether they are of version 2."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        base = root / "sys/fs/cgroup" / (controller if controllers else "")
        inner = base / path.strip("/")
        for folder in (inner, *inner.parents):
            yield folder, not controllers
            if folder == base:
                break


def _text(file: Path) -> str:
    """Return the content of a small file without white space around it; empty where it cannot be read."""
    try:
        return file.read_text().strip()
    except OSError:
        return ""
