"""Stored secrets as the service uses them: set for one mailbox, in force at once, kept back from any other."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from relay.admin import Readiness
from relay.app.passwords import NotKeptHere, PasswordDesk, WrongCredential
from relay.app.refresh_tokens import NotRenewable, StoredRefreshTokens
from relay.app.routing import RoutingKeeper
from relay.app.routingdesk import Desk
from relay.app.shelf import SecretShelf
from relay.config.problems import Loaded
from relay.config.references import Cause, References, Unresolved
from relay.core.routing import Account, Auth, Client, OAuthClient, Provider, Routing, SecretKind, SecretReference, Tls
from relay.core.secretuse import OWN, Credential, SecretUse, mailbox_use, objection
from relay.core.words import MailboxId, Plan
from relay.errors import CorruptValue, UnknownAccount
from relay.observe import Log, Metrics
from relay.store.ports import AppliedRouting
from relay.store.ports.secrets import SecretName, StoredSecret

T = TypeVar("T")

ROSSI, BIANCHI, CLOUD = "rossi@d.test", "bianchi@d.test", "cloud@d.test"
LAB = Provider("lab", "smtp.lab.test", 465)
OFFICE = Provider("office", "smtp.office.test", 587, auth=Auth.OAUTH2)
BOX = MailboxId("lab", ROSSI)


def stored(name: str) -> SecretReference:
    return SecretReference(SecretKind.STORED, name)


def routing(lab: Provider = LAB, **passwords: SecretReference | None) -> Routing:
    named = {"rossi": stored("rossi"), "bianchi": SecretReference(SecretKind.ENV, "BIANCHI"), **passwords}
    accounts = [
        Account(ROSSI, Plan.PERSONAL, BOX, named["rossi"]),
        Account("aiuto@d.test", Plan.PERSONAL, BOX),
        Account(BIANCHI, Plan.PERSONAL, MailboxId("lab", BIANCHI), named["bianchi"]),
        Account(CLOUD, Plan.PERSONAL, MailboxId("office", CLOUD), named.get("cloud", stored("cloud"))),
        Account("open@d.test", Plan.PERSONAL, MailboxId("open", "open")),
    ]
    providers = {"lab": lab, "office": OFFICE, "open": replace(LAB, name="open", auth=Auth.NONE)}
    clients = {"practice": Client("practice", ("*",), stored("practice"))}
    return Routing(clients, providers, {each.sender: each for each in accounts})


class Secrets:
    """A store of secrets in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, StoredSecret] = {}
        self.damaged: set[str] = set()
        self.changes = 0
        self.revised: dict[str, int] = {}

    def _now(self, name: str) -> None:
        self.changes += 1
        self.revised[name] = self.changes

    def has_changed(self, name: str, since: int) -> bool:
        return self.revised.get(name, 0) > since

    def has(self, name: str) -> bool:
        return name in self.kept

    def get(self, name: str) -> StoredSecret | None:
        if name in self.damaged:
            raise CorruptValue
        return self.kept.get(name)

    async def set(self, name: str, value: str, *, use: SecretUse | None = None) -> bool:
        known = self.kept.get(name)
        if known is not None and (known.value, known.use) == (value, use):
            return False
        self._now(name)
        self.kept[name] = StoredSecret(value, use, f"{self.changes}")
        return True

    async def replace(self, name: str, *, old: str, new: str) -> bool:
        if name not in self.kept or self.kept[name].value != old:
            return False
        self._now(name)
        self.kept[name] = replace(self.kept[name], value=new)
        return True

    async def bind(self, uses: Mapping[str, SecretUse]) -> int:
        free = [name for name in uses if name in self.kept and self._is_free(self.kept[name].use, uses[name])]
        for name in free:
            self._now(name)
            self.kept[name] = replace(self.kept[name], use=uses[name])
        return len(free)

    @staticmethod
    def _is_free(bound: SecretUse | None, asked: SecretUse) -> bool:
        return bound is None or (objection(bound, asked) is None and asked.is_stronger_than(bound))

    async def drop(self, name: str) -> bool:
        self._now(name)
        return self.kept.pop(name, None) is not None

    async def names(self) -> Sequence[SecretName]:
        return [SecretName(name, each.use, 0) for name, each in sorted(self.kept.items())]


class Store:
    """Remembers the fingerprints that were applied."""

    def __init__(self) -> None:
        self.prints: list[Mapping[MailboxId, str | None]] = []
        self.in_force: list[Routing] = []

    async def apply(self, routing: Routing, prints: Mapping[MailboxId, str | None]) -> int:
        await asyncio.sleep(0)
        self.prints.append(dict(prints))
        if self.in_force[-1:] != [routing]:
            self.in_force.append(routing)
        return len(self.in_force)

    async def apply_on(self, base: AppliedRouting, routing: Routing, prints: Mapping[MailboxId, str | None]) -> int:
        return await self.apply(routing, prints)

    def leave(self, mailboxes: Collection[MailboxId]) -> None:
        raise AssertionError("one node alone has nobody to leave them to")

    async def applied(self) -> AppliedRouting | None:
        return None


class World:
    def __init__(self) -> None:
        self.secrets, self.store, self.lines = Secrets(), Store(), list[str]()
        self.shelf = SecretShelf()
        self.edits: tuple[Routing, ...] = ()
        self.resolve = References({"BIANCHI": "pw"}, self.shelf)
        self.keeper = RoutingKeeper(
            Desk(
                watch=self,
                resolve=self.resolve,
                store=self.store,
                key=b"k",
                run=self.run,
                log=Log(self.lines.append, lambda: 0.0),
                metrics=Metrics("0"),
                readiness=Readiness(lambda: 0.0),
                wall_seconds=lambda: 0.0,
                shelf=self.shelf,
            )
        )
        self.desk = PasswordDesk(self.secrets, self.keeper)
        self.tokens = StoredRefreshTokens(self.keeper.routing, self.resolve, self.secrets, run=self.run)

    async def run(self, work: Callable[[], T], /) -> T:
        return work()

    @property
    def digest(self) -> str:
        return ""

    async def changes(self) -> AsyncIterator[Loaded[Routing]]:
        for each in self.edits:
            yield Loaded(each, ())

    async def edit(self, *edits: Routing) -> None:
        """Somebody edits the file."""
        self.edits = edits
        await self.keeper.follow()

    async def start(self, routing_now: Routing) -> None:
        self.shelf.open(self.secrets)
        await self.keeper.start(Loaded(routing_now, ()))

    def prints(self, box: MailboxId = BOX) -> list[str | None]:
        return [each[box] for each in self.store.prints]


@pytest.fixture
async def world() -> World:
    world = World()
    await world.start(routing())
    return world


async def test_before_the_store_is_open_nobody_knows() -> None:
    world = World()
    found = world.resolve(stored("rossi"))
    assert isinstance(found, Unresolved)
    assert found.cause is Cause.UNSEEN
    assert world.shelf.is_there("rossi", OWN) == found
    assert (world.shelf.changes, world.shelf.origin_of("rossi")) == (0, "")
    assert world.shelf.has_changed("rossi", 7)
    assert not await world.shelf.bind()


async def test_what_is_set_is_in_force_when_it_is_answered(world: World) -> None:
    assert world.prints() == [None]
    why = world.keeper.secrets.why_without(BOX)
    assert why == "secret:rossi is not in the store: set it (relay account set-password)"
    done = await world.desk.set(ROSSI, "hush")
    assert (done.reference, done.mailbox, done.is_new) == ("secret:rossi", BOX, True)
    assert done.accounts == (ROSSI, "aiuto@d.test")
    assert world.keeper.secrets.of(BOX) == "hush"
    assert world.keeper.secrets.why_without(BOX) is None
    assert world.prints()[-1] is not None
    assert not (await world.desk.set("AIUTO@d.test", "hush")).is_new, "the mailbox is the same, and so is the password"
    assert world.prints()[-1] == world.prints()[-2]
    await world.desk.set(ROSSI, "hush hush")
    assert world.prints()[-1] != world.prints()[-2], "a new one is tried at once"
    assert "hush" not in "".join(world.lines)


CLEAR = replace(LAB, tls=Tls.NONE)
ELSEWHERE = replace(LAB, host="smtp.new.test")


@pytest.mark.parametrize(("other", "says"), [(ELSEWHERE, "smtp.new.test"), (CLEAR, "clear text")])
async def test_an_edit_to_another_host_or_to_clear_text_does_not_get_it(
    world: World, other: Provider, says: str
) -> None:
    await world.desk.set(ROSSI, "hush")
    await world.edit(routing(lab=other))
    assert world.prints()[-1] is None, "held as no-credentials"
    assert world.keeper.secrets.of(BOX) is None
    said = world.keeper.secrets.why_without(BOX)
    assert said is not None
    assert says in said
    assert "relay account set-password" in said
    assert any(says in line and f"no-credentials: {ROSSI}" in line for line in world.lines)
    await world.edit(routing())
    assert world.keeper.secrets.of(BOX) == "hush", "back where it belongs"


async def test_another_host_gets_it_when_a_person_says_so(world: World) -> None:
    await world.desk.set(ROSSI, "hush")
    await world.edit(routing(lab=ELSEWHERE))
    assert (await world.desk.set(ROSSI, "hush")).is_new
    assert world.keeper.secrets.of(BOX) == "hush"
    assert world.prints()[-1] is not None


async def test_what_became_safer_stays_so(world: World) -> None:
    await world.edit(routing(lab=CLEAR))
    await world.desk.set(ROSSI, "hush")
    await world.edit(routing())
    assert world.keeper.secrets.of(BOX) == "hush"
    await world.edit(routing(lab=CLEAR))
    assert world.keeper.secrets.of(BOX) is None


async def test_a_secret_set_by_its_name_is_for_the_mailbox_that_the_routing_names(world: World) -> None:
    assert await world.desk.set_named("rossi", "hush")
    assert world.keeper.secrets.of(BOX) == "hush"
    assert world.secrets.kept["rossi"].use == mailbox_use(LAB, ROSSI)
    assert await world.desk.set_named("hook", "key")
    assert world.secrets.kept["hook"].use is None
    assert world.resolve(stored("hook")) == "key", "what never leaves the relay needs no binding"
    assert await world.desk.set_named("practice", "pw")
    assert world.secrets.kept["practice"].use == OWN
    assert [each.name for each in await world.desk.names()] == ["hook", "practice", "rossi"]
    assert await world.desk.drop("rossi")
    assert not await world.desk.drop("rossi")
    assert world.keeper.secrets.of(BOX) is None


async def test_who_uses_a_secret_is_known_by_name(world: World) -> None:
    client = OAuthClient("relay", stored("shown"), "https://login.test/token")
    both = replace(routing(), providers={**routing().providers, "office": replace(OFFICE, oauth=client)})
    await world.edit(both)
    assert await world.desk.users_of("rossi") == [ROSSI, "aiuto@d.test"]
    assert await world.desk.users_of("practice") == ["clients.practice.password"]
    assert await world.desk.users_of("shown") == ["providers.office.oauth.client_secret"]
    assert await world.desk.users_of("hook") == []
    desk = PasswordDesk(world.secrets, world.keeper, hook=stored("hook"))
    assert await desk.users_of("hook") == ["ops_webhook_secret"]


async def test_a_client_whose_secret_is_not_there_is_named_once_until_it_is(world: World) -> None:
    client = OAuthClient("relay", stored("shown"), "https://login.test/token")
    await world.edit(replace(routing(), providers={**routing().providers, "office": replace(OFFICE, oauth=client)}))
    await world.keeper.refresh()
    said = [line for line in world.lines if "oauth-secret: office" in line]
    assert len(said) == 1
    assert "secret:shown is not in the store" in said[0]
    await world.desk.set_named("shown", "hush")
    assert any("trouble_over" in line and "oauth-secret: office" in line for line in world.lines)


async def test_a_value_that_cannot_sign_is_said_to_be_none(world: World) -> None:
    desk = PasswordDesk(world.secrets, world.keeper, hook=stored("hook"))
    said = desk.warning_of("hook", "just a word!")
    assert said is not None
    assert "is not signed" in said
    assert "just a word" not in said
    weak = desk.warning_of("hook", "whsec_" + base64.b64encode(b"k" * 5).decode())
    assert weak is not None
    assert "less than 24" in weak
    assert desk.warning_of("hook", "whsec_" + base64.b64encode(b"k" * 32).decode()) is None
    assert desk.warning_of("other", "just a word!") is None, "nothing signs with it"
    assert world.desk.warning_of("hook", "just a word!") is None


async def test_a_mailboxs_secret_is_no_clients_and_the_other_way_round(world: World) -> None:
    await world.desk.set(ROSSI, "hush")
    await world.desk.set_named("practice", "pw")
    assert world.keeper.secrets.resolved(stored("rossi")) is None
    assert world.keeper.secrets.resolved(stored("practice")) == "pw"
    found = world.resolve(stored("practice"), mailbox_use(LAB, ROSSI))
    assert isinstance(found, Unresolved)
    assert found.cause is Cause.KEPT_BACK
    own = world.resolve(stored("rossi"))
    assert isinstance(own, Unresolved)
    assert "relay secret set" in own.reason


@pytest.mark.parametrize(
    ("account", "kind", "error", "says"),
    [
        ("nobody@d.test", Credential.PASSWORD, UnknownAccount, "account"),
        (BIANCHI, Credential.PASSWORD, NotKeptHere, f"password: secret:{BIANCHI}"),
        ("open@d.test", Credential.PASSWORD, NotKeptHere, "needs no password"),
        (ROSSI, Credential.REFRESH_TOKEN, WrongCredential, "takes a password"),
        (CLOUD, Credential.PASSWORD, WrongCredential, "--oauth"),
    ],
)
async def test_what_cannot_be_set_says_what_to_do(
    world: World, account: str, kind: Credential, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        await world.desk.set(account, "hush", kind=kind)
    assert world.secrets.kept == {}


async def test_a_password_in_clear_is_not_repeated() -> None:
    world = World()
    await world.start(routing(rossi=SecretReference(SecretKind.LITERAL, "canary"), bianchi=None))
    with pytest.raises(NotKeptHere) as caught:
        await world.desk.set(ROSSI, "hush")
    assert "canary" not in str(caught.value)
    with pytest.raises(NotKeptHere, match="no password"):
        await world.desk.set(BIANCHI, "hush")


@pytest.mark.parametrize("value", ["", "two\nlines", "nul\0", "x" * 65_537, "\ud800"])
async def test_what_nobody_can_have_meant_is_refused(world: World, value: str) -> None:
    with pytest.raises(WrongCredential):
        await world.desk.set(ROSSI, value)


@pytest.mark.parametrize("name", ["", " x", "a\nb", "x" * 256])
async def test_a_name_that_no_reference_can_have_is_refused(world: World, name: str) -> None:
    with pytest.raises(WrongCredential):
        await world.desk.set_named(name, "hush")


async def test_a_damaged_secret_is_said_and_not_raised(world: World) -> None:
    await world.desk.set(ROSSI, "hush")
    world.secrets.damaged.add("rossi")
    assert world.keeper.secrets.why_without(BOX) is not None
    assert world.shelf.is_there("gone", OWN) is None


async def test_a_refresh_token_is_found_renewed_and_no_new_one_by_that(world: World) -> None:
    box = MailboxId("office", CLOUD)
    assert await world.tokens.get(box) is None
    await world.desk.set(CLOUD, "first", kind=Credential.REFRESH_TOKEN)
    assert await world.tokens.get(box) == "first"
    assert await world.tokens.replace(box, old="first", new="second")
    assert await world.tokens.get(box) == "second"
    assert not await world.tokens.replace(box, old="first", new="third")
    await world.keeper.refresh()
    assert world.prints(box)[-1] == world.prints(box)[-2], "what a provider renews is not what a person has set"
    await world.desk.set(CLOUD, "mine", kind=Credential.REFRESH_TOKEN)
    assert world.prints(box)[-1] != world.prints(box)[-2]


async def test_a_refresh_token_of_another_host_is_kept_back(world: World) -> None:
    box = MailboxId("office", CLOUD)
    world.secrets.kept["cloud"] = StoredSecret("t", mailbox_use(replace(OFFICE, host="elsewhere"), CLOUD), "o")
    world.secrets._now("cloud")
    await world.keeper.refresh()
    assert world.prints(box)[-1] is None
    assert await world.tokens.get(box) is None


async def test_a_refresh_token_elsewhere_can_be_used_and_not_renewed(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("in a file\n")
    world, box = World(), MailboxId("office", CLOUD)
    await world.start(routing(cloud=SecretReference(SecretKind.FILE, str(tmp_path / "token"))))
    assert await world.tokens.get(box) == "in a file"
    with pytest.raises(NotRenewable):
        await world.tokens.replace(box, old="in a file", new="x")
    gone = MailboxId("office", "gone")
    assert (await world.tokens.get(gone), await world.tokens.replace(gone, old="a", new="b")) == (None, False)


async def test_refreshes_that_meet_take_turns(world: World) -> None:
    await asyncio.gather(*(world.desk.set(ROSSI, f"hush {number}") for number in range(5)))
    assert world.keeper.secrets.of(BOX) == world.secrets.kept["rossi"].value
    assert world.prints()[-1] is not None


async def test_the_first_mailbox_that_uses_a_secret_has_it_and_no_other(world: World) -> None:
    await world.secrets.set("shared", "hush")
    await world.edit(routing(rossi=stored("shared")), routing(rossi=stored("shared"), bianchi=stored("shared")))
    assert world.keeper.secrets.of(BOX) == "hush"
    assert world.secrets.kept["shared"].use == mailbox_use(LAB, ROSSI)
    assert world.keeper.secrets.of(MailboxId("lab", BIANCHI)) is None
    assert f"the login {ROSSI}" in str(world.keeper.secrets.why_without(MailboxId("lab", BIANCHI)))
    assert [each[BOX] is None for each in world.store.prints] == [True, False, False]


async def test_a_clients_password_is_its_own_from_its_first_login_on(world: World) -> None:
    await world.secrets.set("practice", "pw")
    assert world.keeper.secrets.resolved(stored("practice")) == "pw"
    await world.edit(routing(rossi=stored("practice")))
    assert world.secrets.kept["practice"].use == OWN
    assert world.keeper.secrets.of(BOX) is None
