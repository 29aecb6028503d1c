"""Waits until a relay says that it is ready."""

import json
import time

from bench.relay import START_SECONDS, Relay


def wait_until_ready(ours: Relay) -> None:
    """RuntimeError: it never was."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if json.loads(ours.get("/readyz"))["ready"]:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError("the relay was never ready")
