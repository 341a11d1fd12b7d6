"""What figures of speed depend on beside the code: processor, cores, system, versions."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

DISTRIBUTIONS = ("hybridtrack", "numpy", "scipy", "av", "ai-edge-litert")
BUSY = 0.5  #: processes a core, beyond which figures of the wall clock say more of the others than of ours


def machine() -> dict[str, Any]:
    """Return what figures depend on: processor, cores that this process may use, system and versions."""
    import cv2

    versions: dict[str, str] = {"python": platform.python_version(), "opencv": cv2.__version__}
    for name in DISTRIBUTIONS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # not every platform has LiteRT
            continue
    return {"cpu": _cpu_name(), "cores": core_count(), "system": platform.platform(), "versions": versions}


def busy_note(load: float | None, cores: int) -> str | None:
    """Return the line that warns of other work: ``load`` processes that ran before; None where there is no reason."""
    if load is None or load <= BUSY * cores:
        return None
    return (
        f"the machine was busy before the first round (load {load:.1f} on {cores} cores): CPU ms and speed-ups are "
        "worth more than frames/s"
    )


def load() -> float | None:
    """Return how many processes ran on average over the last minute; None where the system does not tell."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows
        return None


def core_count() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
