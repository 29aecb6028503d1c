"""Secrets: kept for one use, given in memory what is durable on disk, and never overwritten by who did not look."""

from relay.core.secretuse import Credential, SecretUse, UseKind
from relay.store.ports.secrets import Secrets
from tests.contract.scene import Scene

ARUBA = SecretUse(UseKind.MAILBOX, "smtps.aruba.it", 465, is_encrypted=True, login="m.rossi@studio.test")
ELSEWHERE = SecretUse(UseKind.MAILBOX, "smtp.evil.test", 465, is_encrypted=True, login="m.rossi@studio.test")
CLEAR = SecretUse(UseKind.MAILBOX, "smtps.aruba.it", 25, login="m.rossi@studio.test")
TOKEN = SecretUse(
    UseKind.MAILBOX, "smtp.office365.com", 587, is_encrypted=True, login="x", credential=Credential.REFRESH_TOKEN
)


def _book(scene: Scene) -> Secrets:
    return scene.books.secrets


def _value(scene: Scene, name: str = "rossi") -> str | None:
    found = _book(scene).get(name)
    return None if found is None else found.value


async def what_was_set_is_found_at_once_and_after_a_crash(scene: Scene) -> None:
    assert _value(scene) is None
    assert await _book(scene).set("rossi", "pässwörd", use=ARUBA)
    for _ in range(2):
        found = _book(scene).get("rossi")
        assert found is not None
        assert (found.value, found.use) == ("pässwörd", ARUBA)
        await scene.restart()


async def the_same_value_for_the_same_use_is_nothing_new(scene: Scene) -> None:
    await _book(scene).set("rossi", "one", use=ARUBA)
    before = _book(scene).get("rossi")
    assert not await _book(scene).set("rossi", "one", use=ARUBA)
    assert _book(scene).get("rossi") == before
    assert await _book(scene).set("rossi", "one", use=ELSEWHERE), "for another use it is"
    assert await _book(scene).set("rossi", "two", use=ELSEWHERE)


async def a_value_set_by_a_person_has_an_origin_of_its_own_and_a_renewed_one_keeps_it(scene: Scene) -> None:
    book = _book(scene)
    await book.set("token", "first", use=TOKEN)
    set_first = book.get("token")
    assert set_first is not None
    assert await book.replace("token", old="first", new="second")
    renewed = book.get("token")
    assert renewed is not None
    assert (renewed.value, renewed.use, renewed.origin) == ("second", TOKEN, set_first.origin)
    await scene.harness.advance(1)
    await book.set("token", "first", use=TOKEN)
    again = book.get("token")
    assert again is not None
    assert again.origin != set_first.origin, "a person has said it anew"


async def who_did_not_look_replaces_nothing(scene: Scene) -> None:
    await _book(scene).set("token", "set meanwhile", use=TOKEN)
    assert not await _book(scene).replace("token", old="first", new="second")
    assert not await _book(scene).replace("nobody's", old="first", new="second")
    assert (_value(scene, "token"), _value(scene, "nobody's")) == ("set meanwhile", None)


async def what_is_replaced_is_durable(scene: Scene) -> None:
    await _book(scene).set("token", "first", use=TOKEN)
    await _book(scene).replace("token", old="first", new="second")
    await scene.restart()
    assert _value(scene, "token") == "second"


async def what_is_bound_to_nothing_is_bound_once(scene: Scene) -> None:
    await _book(scene).set("rossi", "one")
    assert await _book(scene).bind({"rossi": ARUBA, "nobody's": ARUBA}) == 1
    assert await _book(scene).bind({"rossi": ELSEWHERE}) == 0
    await scene.restart()
    found = _book(scene).get("rossi")
    assert found is not None
    assert found.use == ARUBA


async def a_binding_grows_stronger_and_never_weaker(scene: Scene) -> None:
    await _book(scene).set("rossi", "one", use=CLEAR)
    assert await _book(scene).bind({"rossi": ARUBA}) == 1
    assert await _book(scene).bind({"rossi": CLEAR}) == 0
    found = _book(scene).get("rossi")
    assert found is not None
    assert found.use == ARUBA


async def many_are_bound_in_one_go(scene: Scene) -> None:
    names = [f"n{number}" for number in range(600)]
    for name in names:
        await _book(scene).set(name, name)
    assert await _book(scene).bind(dict.fromkeys(names, ARUBA)) == 600
    assert {each.use for each in await _book(scene).names()} == {ARUBA}


async def what_was_dropped_is_gone(scene: Scene) -> None:
    await _book(scene).set("rossi", "one")
    assert await _book(scene).drop("rossi")
    assert not await _book(scene).drop("rossi")
    assert _value(scene) is None
    await scene.restart()
    assert _value(scene) is None


async def the_list_says_names_and_uses_and_no_values(scene: Scene) -> None:
    await _book(scene).set("verdi", "one")
    await _book(scene).set("rossi", "two", use=ARUBA)
    listed = await _book(scene).names()
    assert [(each.name, each.use) for each in listed] == [("rossi", ARUBA), ("verdi", None)]
    assert "two" not in repr((listed, _book(scene).get("rossi")))


async def what_changed_since_is_known(scene: Scene) -> None:
    book = _book(scene)
    await book.set("rossi", "one")
    await book.set("verdi", "one")
    then = book.changes
    assert not book.has_changed("rossi", then)
    await book.set("rossi", "two")
    assert [book.has_changed(name, then) for name in ("rossi", "verdi", "nobody's")] == [True, False, False]
    now = book.changes
    await book.bind({"verdi": ARUBA})
    await book.drop("rossi")
    assert [book.has_changed(name, now) for name in ("rossi", "verdi")] == [True, True]
