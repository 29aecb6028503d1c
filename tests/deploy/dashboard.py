"""The dashboard that is shipped for Grafana, as tests read it."""

import json
from collections.abc import Iterator
from typing import Any

from tests.deploy.rules import ROOT

FILE = ROOT / "deploy" / "grafana" / "dashboards" / "relay.json"
PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning"
WINDOW = "2m"
"""What `$__rate_interval` is where Prometheus scrapes every second: room for a busy machine."""


def dashboard() -> dict[str, Any]:
    """The whole of it."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def panels() -> list[dict[str, Any]]:
    """Every panel that shows something."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries() -> Iterator[tuple[str, str]]:
    """Title of the panel, and what it asks, as Grafana would send it with all providers chosen."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", WINDOW).replace("$provider", ".*")
