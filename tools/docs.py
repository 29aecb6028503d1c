"""`make docs`: writes the pages that are made from the code; `--check` says which are stale, and which links are dead.

What is listed here is never edited by hand: a diagram or a reference that somebody has to keep in step is soon a lie.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from textwrap import fill
from typing import Any, TypeVar

from relay.app.settings import shown
from relay.config.loading import load_service
from relay.config.schema import relay_schema, routing_schema
from relay.config.service import ServiceConfig
from relay.core.envelope import Claim, Envelope, Result, Verdict
from relay.core.health import HEALTH, HealthState
from relay.core.lifecycle import FINAL, LIFE, State
from relay.core.meaning import ReplyClass
from relay.core.notice import Notice, NoticeType
from relay.core.reply import Reply
from relay.core.words import Lane, MailboxId, Stage
from relay.observe import Log, as_json, declared
from tools.api_reference import api_parts
from tools.links import dead_links, pages_of, unnamed_pages
from tools.provider_pages import provider_pages
from tools.replies_page import replies_page

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)
ROOT = Path(__file__).resolve().parents[1]
WIDTH = 116  # of a paragraph


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
            (
                "The same for the host of a provider. What each event is, how long it stops and who is told: "
                "[health](health.md)."
            ),
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
            "token, and to others with the admin's. No label ever names a recipient or a subject. Besides these there",
            "are those of the process (`process_resident_memory_bytes`, `process_open_fds`, ...). What they mean for",
            "whoever is on call: [the alerts](runbook.md#alerts); what to look at: `deploy/grafana/`. The store is",
            "counted for a fiftieth of the time, but every 30 s at least: so old a count may be with 100,000 accounts.",
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


def shipped_service() -> ServiceConfig:
    """The relay.yaml that is shipped."""
    loaded = load_service(ROOT / "config" / "relay.yaml", {})
    assert loaded.value is not None
    return loaded.value


A_MAILBOX = MailboxId("lab", "doctor")
A_CLAIM = Claim(1, 1, "id", A_MAILBOX, "doctor@example.org", Lane.EXPRESS, "node", Envelope("", ()), 1, 0, 0)
SAMPLES: Mapping[str, object] = {
    "claim": A_CLAIM,
    "mailbox": A_MAILBOX,
    "problems": ("a problem",),
    "error": ValueError(),
    "stage": Stage.MAIL,
    "reply": Reply(250, None, ""),
    "settings": shown(shipped_service()),
    "notice": Notice("n-1", NoticeType.STOPPED, 0),
}
"""Arguments of the functions of the log; every other one may be text or a number."""


def log_events_page() -> str:
    """Every event of the log with its fields, from calling each function of the log once."""
    rows = [f"| {ticked(events)} | {ticked(fields)} | {when} |" for events, fields, when in all_log_events()]
    return page(
        "Log events",
        "Made by `make docs` from `relay/observe/log.py`. One JSON object a line on stderr (readable text on a "
        "terminal); each begins with `time`, `event` and `id`, which is the message's or null. No event has a "
        "recipient's address, a subject or a file name; what a provider said is masked.",
        table(("event", "fields", "when"), rows),
        "Besides these, `lines_lost` says how many lines nobody read in time.",
    )


def all_log_events() -> Iterator[tuple[list[str], list[str], str]]:
    """Names, fields and sentence of each function of the log; an attempt has as many names as there are verdicts."""
    for name, function in vars(Log).items():
        if name.startswith("_"):
            continue
        verdicts = Verdict if "result" in inspect.signature(function).parameters else (None,)
        lines = [line for verdict in verdicts for line in lines_of(name, function, verdict)]
        fields = [field for field in lines[0] if field not in ("time", "event", "id")]
        first, _, _ = (inspect.getdoc(function) or "").partition("\n\n")
        sentence = " ".join(first.split()).replace("`seconds`", "`ms`")
        yield [line["event"] for line in lines], fields, sentence


def lines_of(name: str, function: Callable[..., None], verdict: Verdict | None) -> list[dict[str, Any]]:
    """What one call writes."""
    lines: list[dict[str, Any]] = []
    log = Log(lambda line: lines.append(json.loads(line)), lambda: 0.0, form=as_json)
    is_number = {int: 1, float: 1.0}
    arguments: dict[str, object] = {
        each.name: SAMPLES.get(each.name, is_number.get(each.annotation, "text"))
        for each in list(inspect.signature(function).parameters.values())[1:]
    }
    if verdict is not None:
        arguments["result"] = Result(
            verdict, ReplyClass.UNKNOWN, Stage.EOD, None, is_mail_written=True, is_end_known=True
        )
    if name == "refused":
        arguments["reply"] = "550 5.7.1 text"
    function(log, **arguments)
    return lines


# configuration

NOT_YET: Mapping[str, str] = {
    "providers.NAME.maintenance": "",
}
"""Keys that are read and checked and have no effect yet, or only the one named; the rest is in force."""

SECTIONS: Mapping[str, str] = {"clients": "NAME", "providers": "NAME", "plans": "NAME", "accounts": "SENDER"}
"""What stands below each section of routing.yaml."""


def config_page() -> str:
    """Every key of both files, from the schemas that also serve editors."""
    relay, routing = relay_schema(), routing_schema()
    service = list(keys(relay, relay, ""))
    entries = {section: list(entry_keys(routing, section)) for section in SECTIONS}
    unknown = NOT_YET.keys() - {key for key, *_ in (*service, *(row for rows in entries.values() for row in rows))}
    if unknown:
        raise LookupError(f"no such keys: {sorted(unknown)}")
    return page(
        "Configuration",
        "Made by `make docs` from what reads the files; `relay check` says what is wrong in yours, with file, line and "
        "column. The same with examples: [relay.full.yaml](../config/relay.full.yaml) and "
        "[routing.full.yaml](../config/routing.full.yaml).",
        "Durations are a number and ms, s, m, h, d or w; a bare number is seconds. Sizes: 25MB is 25,000,000 bytes, "
        "MiB is 2^20. Paths start at the folder of the file that names them. A secret is env:NAME, file:PATH, "
        "or secret:NAME: one that the relay keeps in its store ([secrets](secrets.md)). Keys marked **not yet** are "
        "read and checked, and have no effect.",
        "## relay.yaml",
        "The service, read at start.",
        table(("key", "default", "what it says"), [row(*each) for each in service]),
        "## routing.yaml",
        "Who may send, and through which mailbox; watched, and in force within a second. Nothing is required but "
        "`may_send_as`, and `host` for a provider without a profile. What an account says goes before its plan, the "
        "plan before the provider, the provider before its profile; `limits` of plan and account are added.",
        *(part for section in SECTIONS for part in (f"### {section}", entry_table(entries[section]))),
    )


def keys(schema: Mapping[str, Any], node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, str]]:
    """Key, default and sentence of everything below a node."""
    for name, value in node["properties"].items():
        inner, suffix = section_of(schema, value)
        key = f"{prefix}{name}{suffix}"
        is_required = name in node.get("required", ())
        default = "required" if is_required else f"`{plain(value['default'])}`" if "default" in value else ""
        yield key.removesuffix("[]"), default, value.get("description") or (inner or {}).get("description", "")
        if inner is not None:
            yield from keys(schema, inner, f"{key}.")


def entry_keys(schema: Mapping[str, Any], section: str) -> Iterator[tuple[str, str, str]]:
    """The same for the entries of a section of routing.yaml."""
    definition = schema["$defs"][f"{section.removesuffix('s').capitalize()}Entry"]
    return keys(schema, definition, f"{section}.{SECTIONS[section]}.")


def section_of(schema: Mapping[str, Any], value: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    """The node that a key's value has keys of, and how a list of them is written; None: it has none."""
    choices = [value, *value.get("anyOf", ()), value.get("items", {})]
    for choice in choices:
        found = schema["$defs"].get(choice.get("$ref", "").rpartition("/")[2], {})
        if "properties" in found:
            return found, "[]" if choice is choices[-1] else ""
    return None, ""


def plain(default: object) -> str:
    """A default as one writes it."""
    if isinstance(default, list):
        return f"[{', '.join(map(plain, default))}]"
    return str(default).lower() if isinstance(default, bool) else str(default)


def row(key: str, default: str, sentence: str) -> str:
    """A line of the table of relay.yaml."""
    return f"| `{key}` | {default} | {said(key, sentence)} |"


def entry_table(rows: Iterable[tuple[str, str, str]]) -> str:
    """A section of routing.yaml; the sentences name the defaults."""
    return table(("key", "what it says"), [f"| `{key}` | {said(key, sentence)} |" for key, _, sentence in rows])


def said(key: str, sentence: str) -> str:
    """The sentence of a key, as a cell."""
    parts = [key[:end] for end, letter in enumerate(f"{key}.") if letter == "."]
    marked = next((part for part in parts if part in NOT_YET), None)
    note = "" if marked is None else f" **Not yet{f': {NOT_YET[marked]}' if NOT_YET[marked] else ''}.**"
    return sentence.replace("|", "\\|").replace("<", "&lt;") + note


def api_page() -> str:
    """Every path of the HTTP side, what it takes and what it answers, from the OpenAPI document that it serves."""
    return page(
        "The HTTP API",
        "Made by `make docs` from what the relay serves at `/api/v1/openapi.json` (with the token, like the rest of "
        "the API). The token is the content of `admin.token` in `data_dir`, made at the first start and readable for "
        "the relay's own user alone; a new one is in force after a restart. `relay status`, `relay queue list`, "
        "`relay queue show`, `relay explain`, `relay account` and `relay replies` ask this API; with `--json` they "
        "print what it answers.",
        "What changes something is POST, with a body of `application/json` of at most 256 KiB or none; a request that "
        "a browser says comes from another site is refused.",
        'Try: `curl -H "Authorization: Bearer $(cat var/admin.token)" http://127.0.0.1:8025/api/v1/status`',
        "`/healthz`, `/readyz` and `/metrics` need no token from this machine, where the Host is localhost or an IP "
        "address: a name that somebody else's name server leads here is answered 421. No answer may be kept, and no "
        "other site may read one (there is no CORS).",
        *api_parts(),
    )


# pages


def page(title: str, *parts: str) -> str:
    """A page of paragraphs and tables."""
    return "\n\n".join([f"# {title}", *(each if each.startswith("|") else fill(each, WIDTH) for each in parts)]) + "\n"


def table(head: Iterable[str], rows: Iterable[str]) -> str:
    """A table of ready lines."""
    names = list(head)
    return "\n".join([f"| {' | '.join(names)} |", "|---" * len(names) + "|", *rows])


def ticked(names: Iterable[str]) -> str:
    """Names as code, separated by blanks."""
    return " ".join(f"`{name}`" for name in names)


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/api.md": api_page,
    "docs/config.md": config_page,
    "docs/log-events.md": log_events_page,
    "docs/metrics.md": metrics_page,
    "docs/replies.md": replies_page,
    "docs/states.md": states_page,
    **provider_pages(),
}


def stale_pages() -> list[str]:
    """The pages that differ from what the code says, or are not there."""
    return [name for name, make in PAGES.items() if not (ROOT / name).exists() or (ROOT / name).read_text() != make()]


def lost_pages() -> list[str]:
    """Links that lead nowhere, and pages of docs/ that nobody finds."""
    pages = pages_of(ROOT)
    return [*dead_links(ROOT, pages), *unnamed_pages(ROOT / "docs" / "README.md", pages)]


def main() -> int:
    """Writes every page, or only checks them."""
    parser = argparse.ArgumentParser(prog="make docs", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 where a page is stale or a link is dead"
    )
    stale = stale_pages()
    if parser.parse_args().check:
        for name in stale:
            print(f"{name}: not what the code says; run `make docs`", file=sys.stderr)
        lost = lost_pages()
        for line in lost:
            print(line, file=sys.stderr)
        return 1 if stale or lost else 0
    for name in stale:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(PAGES[name]())
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
