"""Whoever has other files than what is in force is told where they differ."""

from dataclasses import fields, replace

from relay.core.routing import Client, Routing, SecretKind, SecretReference
from relay.core.routingdiff import PARTS, SHOWN, differences


def client(name: str, **changed: object) -> Client:
    return replace(Client(name, ("*@d.test",)), **changed)  # type: ignore[arg-type]


def routing(*clients: Client) -> Routing:
    return Routing(clients={each.name: each for each in clients})


def file(path: str) -> SecretReference:
    return SecretReference(SecretKind.FILE, path)


def test_the_same_routing_differs_nowhere():
    assert differences(routing(client("lab")), routing(client("lab"))) == ""


def test_a_secret_in_another_folder_is_said_with_both_paths():
    here, there = client("lab", password=file("/one/lab-password")), client("lab", password=file("/two/lab-password"))
    told = "clients.lab.password is file:/one/lab-password here, and file:/two/lab-password in force"
    assert differences(routing(here), routing(there)) == told


def test_what_is_on_one_side_alone_is_said():
    here, there = routing(client("a"), client("b")), routing(client("b", may_send_as=("*@x.test",)), client("c"))
    assert differences(here, there) == "clients.a is here alone; clients.b.may_send_as; clients.c is missing here"


def test_a_secret_itself_is_never_shown():
    here = client("lab", password=SecretReference(SecretKind.LITERAL, "xyzzy"))
    there = client("lab", password=SecretReference(SecretKind.LITERAL, "plugh"))
    assert differences(routing(here), routing(there)) == "clients.lab.password"


def test_of_many_a_few_are_named():
    here = routing(*(client(f"c{number}") for number in range(SHOWN + 2)))
    assert differences(here, routing()).count("is here alone") == SHOWN
    assert differences(here, routing()).endswith("; and others")


def test_all_of_a_routing_is_looked_at():
    assert {each.name for each in fields(Routing) if each.compare} == set(PARTS)
