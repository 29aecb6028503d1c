"""A client that hands in mail and whose password is missing here is named: it hears 454 on this node alone."""

import json
from collections.abc import Callable
from typing import TypeVar

from relay.admin import Readiness
from relay.app.complaints import CLIENTS, SHOWN, Complaints
from relay.config.references import Cause, Unresolved
from relay.core.routing import Client, Routing, SecretKind, SecretReference
from relay.observe import Log

T = TypeVar("T")


class Node:
    """One, with its variables."""

    def __init__(self, *, takes_mail: bool = True) -> None:
        self.environ = {"STUDIO": "parola"}
        self.lines: list[str] = []
        self.readiness = Readiness(lambda: 0.0)
        log = Log(self.lines.append, lambda: 0.0)
        self.complaints = Complaints(log, self.resolve, self.run, readiness=self.readiness, takes_mail=takes_mail)

    def resolve(self, reference: SecretReference, _use: object = None, /) -> str | Unresolved:
        missing = Unresolved(f"{reference.kind}:{reference.value} is not set", Cause.MISSING)
        return self.environ.get(reference.value, missing)

    async def run(self, work: Callable[[], T], /) -> T:
        return work()

    async def looks(self, *clients: Client) -> str | None:
        """At these; what readiness says then."""
        await self.complaints.say_who_cannot_log_in(Routing(clients={each.name: each for each in clients}))
        assert self.readiness.is_ready, "others log in all the same"
        return next((each.text for each in self.readiness.problems if each.what == CLIENTS), None)

    @property
    def said(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.lines]


def client(name: str, *, variable: str = "STUDIO") -> Client:
    return Client(name, ("*@d.test",), SecretReference(SecretKind.ENV, variable))


async def test_a_client_whose_password_is_missing_here_is_named_until_it_is_here() -> None:
    node, studio = Node(), client("studio")
    assert await node.looks(studio) is None
    del node.environ["STUDIO"]
    for _ in range(2):
        said = await node.looks(studio, Client("stampante", ("*@d.test",)))
        assert said == "1 clients cannot log in here, their password is missing: studio: env:STUDIO is not set"
    assert node.said == ["trouble"], "once"
    node.environ["STUDIO"] = "parola"
    assert await node.looks(studio) is None
    assert node.said == ["trouble", "trouble_over"]
    assert not any("parola" in line for line in node.lines)


async def test_of_very_many_the_first_are_named() -> None:
    said = await Node().looks(*(client(f"c{number}", variable="NONE") for number in range(SHOWN + 2)))
    assert said is not None
    assert said.startswith(f"{SHOWN + 2} clients")
    assert said.endswith("(and 2 more)")


async def test_where_nobody_logs_in_nothing_is_missing() -> None:
    assert await Node(takes_mail=False).looks(client("studio", variable="NONE")) is None
