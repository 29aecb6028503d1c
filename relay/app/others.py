"""This node among others with the same routing: whose files count, and as whom it cannot log in.

Law: an edit is a change of this node's files, not a difference from what is in force; what the others can do is not
taken from them by what this one lacks.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from relay.admin import Readiness
from relay.app.known import remember
from relay.config.files import said
from relay.core.nodesecrets import Lack, Prints, Weighed, marks, weigh
from relay.core.routing import Routing
from relay.core.words import MailboxId
from relay.observe import Log
from relay.store.needs import Runner
from relay.store.ports import AppliedRouting

FILES = "routing-files"
"""What readiness calls files that are not what is in force."""

SECRETS = "routing-secrets"
"""What readiness calls secrets that are not here, or others than those in force."""

LEFT_MOST: int = 100
"""Mailboxes that a node leaves to others by name in each of its takes; for more it gives up, for a while, each time
that one of them is named."""

SHOWN: int = 5
"""Of them that are named in a sentence; what is done about the first helps the others too."""

Why = Callable[[MailboxId], str | None]
"""Why a mailbox has nothing to log in with here."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What this node had when it looked last, over its restarts."""

    files: str | None = None
    """Digest of its routing files; None: it never looked."""
    secrets: Mapping[MailboxId, str] | None = None

    def write(self) -> str:
        """As text."""
        secrets = [[*mailbox, mark] for mailbox, mark in sorted((self.secrets or {}).items())]
        return json.dumps({"files": self.files, "secrets": secrets})


def read_seen(path: Path) -> Seen:
    """What was written; what is no such text was written by nobody."""
    try:
        found = json.loads(path.read_text("utf-8"))
        secrets = {MailboxId(provider, username): str(mark) for provider, username, mark in found["secrets"]}
        return Seen(found["files"], secrets)
    except (OSError, ValueError, KeyError, TypeError):
        return Seen()


class Others:
    """What this node knows of itself beside the others."""

    def __init__(self, path: Path, *, delivers: bool, run: Runner, log: Log, readiness: Readiness) -> None:
        """`path`: of a small file in `data_dir`; a node that does not deliver logs in as nobody."""
        self._path = path
        self._delivers = delivers
        self._run = run
        self._log = log
        self._readiness = readiness
        self._seen = Seen()
        self._told: dict[str, str] = {}
        self.unable: Mapping[MailboxId, Lack] = {}
        self.nobodys: Prints = {}
        """Fingerprints that were in force, of secrets that no node has."""

    async def begin(self) -> None:
        """Reads what it had at its last look."""
        self._seen = await self._run(lambda: read_seen(self._path))

    def is_edit(self, digest: str, applied: AppliedRouting | None) -> bool:
        """Whether files count: they have changed since this node looked last, or nothing was ever in force."""
        return applied is None or self._seen.files not in (None, digest)

    def weigh(self, routing: Routing, own: Prints, applied: AppliedRouting, lacking: Collection[str]) -> Weighed:
        """What its secrets make of what is in force."""
        before = self._seen.secrets or {}
        return weigh(
            routing, own, old=applied.routing, in_force=applied.fingerprints, before=before, lacking=lacking,
            nobodys=self.nobodys, delivers=self._delivers,
        )  # fmt: skip

    async def keep(self, routing: Routing, own: Prints, *, lacking: Collection[str], digest: str | None) -> None:
        """Remembers what it has, and what of it was left (`leave`); `digest`: of files that were looked at."""

        def work() -> Seen:
            secrets = marks(routing, own, self._seen.secrets or {}, lacking=lacking, unable=self.unable)
            seen = replace(self._seen, files=digest or self._seen.files, secrets=secrets)
            if seen != self._seen:
                self._write(seen)
            return seen

        self._seen = await self._run(work)

    def _write(self, seen: Seen) -> None:
        """A disk that does not take it is no reason to stop: until the next look it is remembered in memory."""
        try:
            remember(self._path, seen.write())
        except OSError as error:
            self._log.trouble(what="routing", text=f"{self._path.name} cannot be written: {said(error)}")

    def leave(self, unable: Mapping[MailboxId, Lack], why: Why) -> None:
        """Says as whom it cannot log in."""
        self.unable = unable if self._delivers else {}
        if not self.unable:
            self._mend(SECRETS)
            return
        named = "; ".join(
            f"{box.username} at {box.provider}: {_reason(unable[box], why(box))}" for box in self._first()
        )
        more = f" (and {len(self.unable) - SHOWN} more)" if len(self.unable) > SHOWN else ""
        many = len(self.unable)
        self._say(
            SECRETS, f"this node has not what {many} mailboxes log in with, so it does not send for them: {named}{more}"
        )

    def _first(self) -> list[MailboxId]:
        return sorted(self.unable)[:SHOWN]

    def compare(self, differs: str, *, version: int, by: str | None, is_start: bool) -> None:
        """Says where this node's files are not what is in force; empty: nowhere.

        While it runs they come a moment after others' edits.
        """
        if not differs:
            self._mend(FILES)
            return
        whose = "" if by is None else f", by node {by}"
        self._say(
            FILES,
            f"this node's files differ from what is in force (version {version}{whose}): edit or copy them; {differs}",
            is_loud=is_start,
        )

    def _say(self, what: str, text: str, *, is_loud: bool = True) -> None:
        self._readiness.set(what, text)
        if is_loud and self._told.get(what) != text:
            self._told[what] = text
            self._log.trouble(what=what, text=text)

    def _mend(self, what: str) -> None:
        self._readiness.clear(what)
        if self._told.pop(what, None) is not None:
            self._log.recovered_from(what=what)


def _reason(lack: Lack, why: str | None) -> str:
    if lack is Lack.OTHER:
        return "its secret here is another one than the one in force"
    return why or "its secret is not here"
