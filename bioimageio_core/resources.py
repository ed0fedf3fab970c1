"""What this process may use: cores and memory, by the batch scheduler, the control group, and the machine; and large pages of memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["allotted_cores", "allotted_memory", "large_pages", "peak_memory"]

CORES = ("SLURM_CPUS_PER_TASK", "PBS_NUM_PPN", "NCPUS", "NSLOTS", "LSB_DJOB_NUMPROC", "OMP_THREAD_LIMIT")
"""Variables that say how many cores a job has: of SLURM, PBS, PBS Pro, Grid Engine, LSF, and OpenMP."""

UNLIMITED = 2**60
"""Control groups without a limit of memory name a number as large as this."""


def allotted_cores(environment: Mapping[str, str] | None = None) -> int:
    """Return how many cores this process may use: the least of what scheduler, affinity and control group say.

    Args:
        environment: Environment variables; None for those of this process.

    """
    from dask.system import CPU_COUNT  # of affinity and control group

    variables = os.environ if environment is None else environment
    said = [int(variables[name]) for name in CORES if variables.get(name, "").strip().isdecimal()]
    return max(1, min([int(CPU_COUNT), *(n for n in said if n > 0)]))


def peak_memory() -> int | None:
    """Return the greatest resident memory of this process so far in bytes, where the system tells."""
    try:
        # That of getrusage begins with what the process had that this one was started by.
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


def allotted_memory(environment: Mapping[str, str] | None = None, root: Path = Path("/")) -> int | None:
    """Return how many bytes of memory this job was given; None where nothing limits it but the machine.

    Args:
        environment: Environment variables; None for those of this process.
        root: Root of the file system that control groups are read from.

    """
    variables = os.environ if environment is None else environment
    limits = [limit for limit in (_of_slurm(variables), *_of_control_groups(root)) if limit is not None]
    return min(limits, default=None)


def large_pages(environment: Mapping[str, str] | None = None, root: Path = Path("/")) -> dict[str, str]:
    """Return the environment variables by which a process that is started with them uses large pages of memory.

    Networks are some per cent faster in them. Linux may give them to programs that ask, and its C library (glibc 2.35 and later) asks
    if told so as a process begins (https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html).

    Args:
        environment: Environment variables; None for those of this process.
        root: Root of the file system that the settings of the system are read from.

    Returns:
        Nothing where the system gives large pages to all programs or to none, or where the variable is set: whoever set it has decided.

    """
    variables = os.environ if environment is None else environment
    try:
        asked = "[madvise]" in (root / "sys/kernel/mm/transparent_hugepage/enabled").read_text()
    except OSError:  # not Linux, or without large pages
        return {}
    return {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"} if asked and "GLIBC_TUNABLES" not in variables else {}


def _of_slurm(variables: Mapping[str, str]) -> int | None:
    """Return the memory of a SLURM job on this node; its variables are in MiB."""
    per_node, per_core = variables.get("SLURM_MEM_PER_NODE", ""), variables.get("SLURM_MEM_PER_CPU", "")
    if per_node.isdecimal() and int(per_node) > 0:  # 0 stands for all of the node
        return int(per_node) * 2**20
    if per_core.isdecimal() and int(per_core) > 0:
        return int(per_core) * 2**20 * allotted_cores(variables)
    return None


def _of_control_groups(root: Path) -> list[int]:
    """Return the limits of the control groups of this process, version 1 and 2, from the innermost outwards."""
    limits: list[int] = []
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return limits
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            base, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        inner = base / path.strip("/")
        for folder in (inner, *inner.parents):
            try:
                text = (folder / name).read_text().strip()
            except OSError:
                text = ""
            if text.isdecimal() and int(text) < UNLIMITED:
                limits.append(int(text))
            if folder == base:
                break
    return limits
