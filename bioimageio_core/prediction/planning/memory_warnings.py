"""A warning where the machine has less memory free than a run is estimated to take."""

from __future__ import annotations

from ...resources import free_memory
from .plan import Plan

__all__ = ["memory_warnings"]


def memory_warnings(plan: Plan, free: int | None = None) -> tuple[str, ...]:
    """Return a sentence where a run of this process may not fit beside what runs now; none where the system does not say what is free.

    Args:
        plan: The plan.
        free: Bytes that the machine can give now; None to ask the system.

    """
    free = free_memory() if free is None else free
    needed = plan.estimated_memory
    if free is None or needed <= free:
        return ()
    rounded = max(100, free // 2**20 // 100 * 100)  # the same for many images, so that it is shown once
    return (
        f"the run takes about {needed / 2**20:.0f} MiB, and this machine has about {rounded} MiB free: "
        f"give less, memory='{rounded * 9 // 10} MiB' (--memory '{rounded * 9 // 10} MiB'), "
        "or wait until other programs end",
    )
