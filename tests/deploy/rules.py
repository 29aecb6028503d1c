"""The rules that are shipped for Prometheus, as tests read them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RUNBOOK = ROOT / "docs" / "runbook.md"
NAMES = re.compile(r"\b(?:relay|process)_[a-z0-9_]+")


def groups(file: str) -> list[dict[str, Any]]:
    """The groups of a file of rules."""
    found: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS / "rules" / file).read_text())["groups"]
    return found


def alerts() -> list[dict[str, Any]]:
    """Every alert."""
    return [rule for group in groups("alerts.yml") for rule in group["rules"]]


def recordings() -> list[dict[str, Any]]:
    """Every recorded series."""
    return [rule for group in groups("recording.yml") for rule in group["rules"]]


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """What promtool's tests ask: name of the case, and the question."""
    for file in sorted((PROMETHEUS / "tests").glob("*.yml")):
        for case in yaml.safe_load(file.read_text())["tests"]:
            for question in case["promql_expr_test"]:
                yield case["name"], question


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in kept}


def metrics_in(expression: str) -> set[str]:
    """The metrics that an expression asks for; what is recorded is left out."""
    without_recorded = re.sub(r"\b[a-z_]*:[a-z0-9_:]+", "", expression)
    names = NAMES.findall(re.sub(r'"[^"]*"', "", without_recorded))
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}
