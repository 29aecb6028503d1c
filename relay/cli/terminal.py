"""What may go to a terminal, and how times are said there.

Law: no character that a terminal obeys leaves here, whoever wrote the text; times are those of this machine, and name
their zone.
"""

import json
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from io import TextIOWrapper

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

PIPED: int = 1000
"""Columns where nobody looks: lines for grep and awk are not folded."""

WIDE: int = 110
"""Columns from which on a table shows what it leaves out on a small screen."""

STYLES = {
    "ok": "green", "delivered": "green", "waiting": "yellow", "sending": "cyan", "slowed": "yellow",
    "doubted": "yellow", "held": "red", "paused": "red", "bounced": "red", "retired": "dim", "cancelled": "dim",
}  # fmt: skip
"""Colours of states and healths."""


def is_watched() -> bool:
    """Whether somebody looks at standard output: who wishes for colours (FORCE_COLOR) makes no terminal of a pipe."""
    return sys.stdout.isatty()


def screen(width: int | None = None) -> Console:
    """Standard output, with colours where somebody looks."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 shows less, and nothing breaks
    wanted = width if width is not None or is_watched() else PIPED
    return Console(file=sys.stdout, width=wanted, markup=False, emoji=False, highlight=False)


def clean(text: object) -> str:
    """The text with every control, format and bidi character written out."""
    said = str(text)
    return said if said.isprintable() else "".join(each if each.isprintable() else _written(each) for each in said)


def _written(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def safe(text: object, style: str = "") -> Text:
    """A piece of a line; what looks like mark-up in it is text."""
    return Text(clean(text), style=style)


def coloured(word: str) -> Text:
    """A state or a health in its colour."""
    return safe(word, STYLES.get(word, ""))


def table(*columns: str, right: tuple[str, ...] = (), fold: tuple[str, ...] = ()) -> Table:
    """A table without lines; `fold` names the columns that may break, the others stay whole."""
    made = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", pad_edge=False)
    for name in columns:
        justify = "right" if name in right else "left"
        made.add_column(name, justify=justify, no_wrap=name not in fold, overflow="fold")  # type: ignore[arg-type]
    return made


def print_lines(console: Console, lines: Iterable[str]) -> None:
    """Sentences; one that begins with blanks keeps them where it is folded."""
    for line in lines:
        if not line:
            console.print()
            continue
        indent = len(line) - len(line.lstrip())
        console.print(Padding(safe(line.strip()), (0, 0, 0, indent), expand=False))


# time


def read(moment: str) -> datetime:
    """An instant of the API."""
    return datetime.fromisoformat(moment)


def clock(moment: str, now: datetime) -> str:
    """The local time of day and its zone, with the date where it is another one."""
    local, today = read(moment).astimezone(now.tzinfo), now
    return f"{local:%H:%M:%S %Z}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M %Z}"


def short(span: timedelta) -> str:
    """A span in one number and one letter: 42s, 12m, 5h, 3d."""
    seconds = max(0.0, span.total_seconds())
    for size, letter, most in ((1, "s", 100), (60, "m", 100), (3600, "h", 49)):
        if (count := round(seconds / size)) < most:
            return f"{count}{letter}"
    return f"{round(seconds / 86400)}d"


def spoken(span: timedelta) -> str:
    """The same in a sentence: 42 s, 12 min, 5 h, 3 days."""
    letters = {"s": "s", "m": "min", "h": "h", "d": "days"}
    brief = short(span)
    return f"{brief[:-1]} {letters[brief[-1]]}"


def ago(moment: str, now: datetime) -> str:
    """How long ago, in a table."""
    return short(now - read(moment))


def ahead(moment: str, now: datetime) -> str:
    """In how long, in a table."""
    left = read(moment) - now
    return f"in {short(left)}" if left >= timedelta(seconds=1) else "now"


# JSON


def print_json(value: object) -> None:
    """The JSON of the API; letters beyond ASCII are written as JSON escapes, so that no terminal obeys any."""
    print(json.dumps(value, indent=2))
