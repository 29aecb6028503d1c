"""`make docs`: writes the pages that are made from the code; `--check` says which of them are not what the code says.

What is listed here is never edited by hand: a diagram that somebody has to keep in step is soon a lie.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from relay.core.health import HEALTH, HealthState
from relay.core.lifecycle import FINAL, LIFE, State
from relay.observe import declared

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)
ROOT = Path(__file__).resolve().parents[1]


def states_page() -> str:
    """The two state machines, each as a diagram of the table that the code obeys."""
    return "\n".join(
        [
            "# States",
            "",
            "Made by `make docs` from the tables in `relay/core/lifecycle.py` and `relay/core/health.py`.",
            "",
            "## A delivery",
            "",
            *diagram(LIFE, start=State.WAITING, final=FINAL),
            "",
            "## A mailbox",
            "",
            *diagram(HEALTH, start=HealthState.OK, final=frozenset()),
            "",
        ]
    )


def diagram(table: Mapping[tuple[S, E], S], *, start: S, final: frozenset[S]) -> Iterator[str]:
    """A Mermaid diagram of a table, state x event -> state; what changes nothing is left out."""
    arrows: dict[tuple[S, S], list[E]] = {}
    for (state, event), target in table.items():
        if state is not target:
            arrows.setdefault((state, target), []).append(event)
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {start}"
    for (state, target), events in arrows.items():
        yield f"    {state} --> {target}: {', '.join(events)}"
    for state in sorted(final):
        yield f"    {state} --> [*]"
    yield "```"


def metrics_page() -> str:
    """Every metric with its sentence and labels, and what each label may be."""
    rows = [
        f"| `{metric.name}` | {metric.kind} | {', '.join(metric.labels) or '-'} | {metric.sentence} |"
        for metric in declared.ALL
    ]
    return "\n".join(
        [
            "# Metrics",
            "",
            "Made by `make docs` from `relay/observe/declared.py`. `GET /metrics` shows them to this machine without a",
            "token, and to others with the admin's. No label ever names a recipient or a subject.",
            "",
            "| name | kind | labels | says |",
            "|---|---|---|---|",
            *rows,
            "",
            "| label | is |",
            "|---|---|",
            *(f"| {label} | {values} |" for label, values in declared.LABELS.items()),
            "",
        ]
    )


PAGES: Mapping[str, Callable[[], str]] = {"docs/states.md": states_page, "docs/metrics.md": metrics_page}


def stale_pages() -> list[str]:
    """The pages that differ from what the code says, or are not there."""
    return [name for name, make in PAGES.items() if not (ROOT / name).exists() or (ROOT / name).read_text() != make()]


def main() -> int:
    """Writes every page, or only checks them."""
    parser = argparse.ArgumentParser(prog="make docs", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page is stale")
    stale = stale_pages()
    if parser.parse_args().check:
        for name in stale:
            print(f"{name}: not what the code says; run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(PAGES[name]())
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
