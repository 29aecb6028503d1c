"""The disk under the bench, measured beside every figure that rests on it."""

import os
import statistics
import time
from pathlib import Path


def fsync_ms(folder: Path) -> float:
    """The median fdatasync of 4 kB appends, milliseconds."""
    times = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000
