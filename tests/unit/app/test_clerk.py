"""The clerk: what admins say is done, written down with who said it, and answered with a sentence in their language."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, date
from typing import Any

import pytest

from relay.admin import Access, Impossible
from relay.app.clerk import AccountClerk
from relay.app.clerkmeans import ClerkMeans
from relay.core import tested as findings
from relay.core.clerktext import SAYINGS
from relay.core.failuretext import Language
from relay.core.reply import Reply
from relay.core.routing import Account, Provider, Routing, SecretKind, SecretReference
from relay.core.secretuse import Credential
from relay.core.tested import Finding
from relay.core.words import MailboxId, Plan, Stage
from relay.errors import PermanentError, UnknownAccount
from relay.observe import Log, Metrics
from relay.observe.census import NodeState
from relay.store.ports.reading import LoginWait, Particulars, PausedView
from tests.fakes.network import on_virtual_time
from tests.fakes.reading import NOON, FakeReading, account, provider

ANNA = "anna@gmail.com"
BOX = MailboxId("gmail", ANNA)
WORKS = findings.Tested(ANNA, BOX, Finding.WORKS, stage=Stage.RCPT)
REFUSED = findings.Tested(ANNA, BOX, Finding.LOGIN_FAILED, "auth-rejected", Stage.AUTH, Reply(535, "5.7.8", "no"))
BUSY = findings.Tested(ANNA, BOX, Finding.NOT_NOW, "session")
ROUTING = Routing(
    providers={"gmail": Provider("gmail", "smtp.gmail.com", 465, profile="gmail")},
    accounts={ANNA: Account(ANNA, Plan.PERSONAL, BOX, aliases=("segreteria@gmail.com",))},
)


@dataclass
class FakeControl:
    """Remembers what it was told; `answer` is whether anything changed."""

    told: list[tuple[str, ...]] = field(default_factory=list)
    answer: bool = True

    async def pause(self, account: str, *, why: str, by: str = "") -> bool:
        self.told.append(("pause", account, why, by))
        return self.answer

    async def resume(self, account: str, *, by: str = "") -> bool:
        self.told.append(("resume", account, by))
        return self.answer

    async def fixed(self, account: str, *, by: str = "") -> bool:
        self.told.append(("fixed", account, by))
        return self.answer

    async def note(self, account: str, what: str, *, by: str = "") -> None:
        self.told.append((what, account, by))


@dataclass
class FakeTrying:
    """Finds one thing after the other; the last one again and again. It may take its time."""

    found: list[Any] = field(default_factory=lambda: [WORKS])
    seconds: float = 0.0
    asked: int = 0
    cancelled: int = 0

    async def test(self, account: str, mailbox: MailboxId) -> Any:
        self.asked += 1
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self.found.pop(0) if len(self.found) > 1 else self.found[0]


@dataclass
class FakeKeeping:
    """Keeps passwords, where it is not told otherwise."""

    kept: list[tuple[str, str, Credential]] = field(default_factory=list)
    is_new: bool = True
    refusal: PermanentError | None = None

    async def set(self, account: str, value: str, *, kind: Credential) -> "FakeKeeping":
        if self.refusal is not None:
            raise self.refusal
        self.kept.append((account, value, kind))
        return self


class Office:
    """A clerk with everything around him."""

    def __init__(self, language: Language = Language.ENGLISH) -> None:
        self.routing = ROUTING
        self.control, self.reading = FakeControl(), FakeReading()
        self.trying, self.keeping = FakeTrying(), FakeKeeping()
        self.pause = 0.0
        self.why: str | None = None
        self.metrics = Metrics("0")
        self.metrics.routing_applied(ROUTING, 0.0)
        self.reading.of_accounts = [account(ANNA)]
        self.lines: list[str] = []
        self.clerk = AccountClerk(
            ClerkMeans(
                routing=lambda: self.routing,
                control=self.control,
                reading=self.reading,
                trying=self.trying,
                keeping=self.keeping,
                why_without=self.why_without,
                contact="Assistenza 0974 000000",
                log=Log(self.lines.append, lambda: 0.0),
                metrics=self.metrics,
                language=language,
                zone=UTC,
                wall=lambda: NOON,
                clock=lambda: asyncio.get_running_loop().time(),
                mended=self.mended,
            )
        )

    async def mended(self, mailbox: MailboxId) -> float:
        assert mailbox == BOX
        return self.pause

    async def why_without(self, mailbox: MailboxId) -> str | None:
        return self.why if mailbox == BOX else "secret:x is not in the store"

    def counted(self, name: str) -> float:
        """One series, as Prometheus would scrape it."""
        lines = self.metrics.render(None, NodeState()).decode().splitlines()
        return float(next(line for line in lines if line.startswith(f"{name} ")).rpartition(" ")[2])

    def change(self, **changes: object) -> None:
        self.reading.of_accounts = [replace(self.reading.of_accounts[0], **changes)]  # type: ignore[arg-type]

    def set(self, kind: Credential = Credential.PASSWORD) -> Any:
        """What comes of a new password."""

        async def main(_: object) -> Any:
            return await self.clerk.set_secret(ANNA, "segreta", kind=kind, by="admin")

        return on_virtual_time(main)


@pytest.fixture
def office() -> Office:
    return Office()


def test_he_finds_an_account_by_whatever_it_sends_as_and_guesses_at_slips(office: Office) -> None:
    assert office.clerk.find("SEGRETERIA@gmail.com") == ANNA
    assert office.clerk.find("ana@gmail.com") is None
    assert office.clerk.like("ana@gmail.com") == ANNA
    assert office.clerk.like("somebody@else.it") is None


async def test_a_pause_says_who_else_is_not_concerned(office: Office) -> None:
    done = await office.clerk.pause(ANNA, why="ferie", by="admin")
    assert (done.is_changed, office.control.told) == (True, [("pause", ANNA, "ferie", "admin")])
    assert done.text == f"Mail of {ANNA} is kept back from now on."
    bruno = Account("bruno@gmail.com", Plan.PERSONAL, BOX)
    office.routing = replace(ROUTING, accounts={**ROUTING.accounts, bruno.sender: bruno})
    assert "other accounts" in (await office.clerk.pause(ANNA, why="ferie", by="admin")).text
    office.control.answer = False
    assert "already; nothing has changed" in (await office.clerk.pause(ANNA, why="", by="admin")).text
    assert "already; the reason is noted" in (await office.clerk.pause(ANNA, why="ferie", by="admin")).text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, f"Mail of {ANNA} goes on."),
        ({"health": "paused", "reason": "auth-rejected"}, f"`relay account fixed {ANNA}`."),
        ({"reason": "network", "since": NOON}, "gmail is stopped (network), and is tried again by itself."),
        ({"reason": "limit"}, f"Mail of {ANNA} goes on."),
    ],
)
async def test_a_resume_says_what_it_does_not_mend(office: Office, changes: dict[str, Any], said: str) -> None:
    office.change(**changes)
    assert (await office.clerk.resume(ANNA, by="admin")).text.endswith(said)


async def test_fixed_does_not_promise_what_an_authorization_server_asked_not_to_get(office: Office) -> None:
    office.pause = 120.0
    said = (await office.clerk.fixed(ANNA, by="admin")).text
    assert "is not tried before 12:02 UTC" in said
    assert "at once" not in said.replace("A new token is tried at once.", "")


async def test_fixed_says_that_it_is_tried_and_who_still_keeps_it_back(office: Office) -> None:
    assert "is tried at once" in (await office.clerk.fixed(ANNA, by="admin")).text
    office.control.answer = False
    office.change(particulars=Particulars(paused=PausedView(NOON, "")))
    said = (await office.clerk.fixed(ANNA, by="admin")).text
    assert said.startswith("Nothing had stopped the mailbox")
    assert said.endswith(f"`relay account resume {ANNA}`.")


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        (
            LoginWait("refused-logins", "3/h", NOON + 3_180_000_000),
            "is tried at 12:53 UTC: its logins were refused as often as they may be (health.refused_logins)",
        ),
        (
            LoginWait("login", "10/10m", NOON + 300_000_000),
            "is tried at 12:05 UTC: it has logged in as often as it may for now (login_limit)",
        ),
        (LoginWait("login", "10/10m", NOON + 306_000_000), "is tried at 12:06 UTC"),
    ],
)
async def test_fixed_says_when_it_is_tried_where_no_login_is_left_now(
    office: Office, wait: LoginWait, said: str
) -> None:
    office.change(health="paused", reason="auth-rejected", particulars=Particulars(login_wait=wait))
    text = (await office.clerk.fixed(ANNA, by="admin")).text
    assert said in text
    assert not text.startswith(f"The mailbox {ANNA} at gmail is tried at once")


async def test_fixed_says_that_the_provider_itself_is_stopped(office: Office) -> None:
    office.reading.of_providers = [provider("gmail", health="waiting", reason="network"), provider("lab")]
    text = (await office.clerk.fixed(ANNA, by="admin")).text
    assert text.endswith("But gmail is stopped (network), and is tried again by itself.")
    blocked = provider("gmail", health="paused", reason="ip-blocked", eta=NOON + 1_800_000_000)
    office.reading.of_providers = [blocked]
    text = (await office.clerk.fixed(ANNA, by="admin")).text
    assert text.endswith("But gmail is stopped (ip-blocked), and is tried at 12:30 UTC.")
    office.reading.of_providers = [replace(blocked, eta=NOON)]
    text = (await office.clerk.fixed(ANNA, by="admin")).text
    assert text.endswith("gmail itself is stopped (ip-blocked), and is tried once now if mail waits for it.")
    office.reading.of_providers = [provider("gmail"), provider("lab", health="waiting", reason="network")]
    assert "is stopped" not in (await office.clerk.fixed(ANNA, by="admin")).text


async def test_fixed_promises_no_try_where_no_mail_waits(office: Office) -> None:
    office.change(queued=0)
    assert "the next one tries it" in (await office.clerk.fixed(ANNA, by="admin")).text


async def test_fixed_again_a_moment_later_says_when_it_is_tried(office: Office) -> None:
    office.change(particulars=Particulars(tried_at=NOON + 300_000_000))
    said = (await office.clerk.fixed(ANNA, by="admin")).text
    assert "is tried again at" in said
    assert ":05" in said


async def test_a_trial_says_the_owners_next_step_of_the_providers_profile() -> None:
    office = Office(Language.ITALIAN)
    office.trying.found = [REFUSED]
    tried = await office.clerk.test(ANNA, by="admin")
    assert tried.text.startswith(f"L'accesso di {ANNA} presso gmail non funziona: utente o password rifiutati")
    assert "password per" in tried.text, "gmail takes app passwords only"
    assert '"by":"admin"' in office.lines[0].replace(" ", "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"health": "paused", "reason": "spam-blocked"}, f"`relay account fixed {ANNA}`."),
        ({"particulars": Particulars(paused=PausedView(NOON, ""))}, f"`relay account resume {ANNA}`."),
    ],
)
async def test_a_mailbox_that_works_may_still_be_kept_back_and_that_is_said(
    office: Office, changes: dict[str, Any], said: str
) -> None:
    office.change(**changes)
    text = (await office.clerk.test(ANNA, by="admin")).text
    assert text.startswith(f"The login of {ANNA} at gmail works"), "all is not well"
    assert text.endswith(said)


KEPT_BACK = (
    "secret:anna is kept back: it was set for smtp.old.test, and this would send it to smtp.gmail.com; if that is "
    "right, set it again for this account (relay account set-password)"
)


@pytest.mark.parametrize(("language", "closed"), [(Language.ENGLISH, " (no-credentials)."), (Language.ITALIAN, "].")])
async def test_a_secret_that_is_kept_back_is_told_with_why_and_what_to_do(language: Language, closed: str) -> None:
    office = Office(language)
    office.why = KEPT_BACK
    office.trying.found = [findings.Tested(ANNA, BOX, Finding.NOT_NOW, "no-credentials")]
    said = (await office.clerk.test(ANNA, by="admin")).text
    assert KEPT_BACK in said
    assert said.count("set-password") == 1, "what to do is said once"
    assert closed in said


async def test_a_trial_is_counted_apart_from_the_tries_of_mail(office: Office) -> None:
    series = 'relay_account_tests_total{finding="%s",provider="gmail"}'
    assert office.counted(series % "works") == 0
    await office.clerk.test(ANNA, by="admin")
    office.trying.found = [REFUSED]
    await office.clerk.test(ANNA, by="admin")
    assert [office.counted(series % each) for each in ("works", "login-failed", "not-now")] == [1, 1, 0]
    assert office.counted('relay_attempts_total{class="auth-rejected",provider="gmail"}') == 0


async def test_a_retired_account_is_told_so_although_its_mailbox_works() -> None:
    office = Office(Language.ITALIAN)
    office.change(health="retired", reason="retired", particulars=Particulars(retires=date(2026, 10, 31)))
    text = (await office.clerk.test(ANNA, by="admin")).text
    assert text.startswith("L'accesso di")
    assert "dal 01/11/2026 i nuovi messaggi sono rifiutati" in text
    assert text.endswith("Assistenza 0974 000000")


@pytest.mark.parametrize("language", list(Language))
async def test_what_the_owner_does_at_his_provider_is_known_by_reason_in_the_relays_language(
    language: Language,
) -> None:
    office = Office(language)
    steps = (await office.clerk.access(ANNA)).steps
    for reason in ("auth-method", "auth-rejected", "oauth-consent"):
        assert "myaccount.google.com/apppasswords" in steps[reason]
    assert ("Crei una password" in steps["auth-method"]) is (language is Language.ITALIAN)
    assert "outage" not in steps
    plain = replace(ROUTING.providers["gmail"], profile=None)
    office.routing = replace(ROUTING, providers={"gmail": plain})
    assert (await office.clerk.access(ANNA)).steps == {}


async def test_whether_the_relay_keeps_a_password_is_known_and_why_one_is_missing(office: Office) -> None:
    access = await office.clerk.access(ANNA)
    assert replace(access, steps={}) == Access(is_kept_here=False, contact="Assistenza 0974 000000")
    assert await office.clerk.access("gone@d.test") == Access(contact="Assistenza 0974 000000")
    kept = replace(ROUTING.accounts[ANNA], password=SecretReference(SecretKind.STORED, "anna"))
    office.routing = replace(ROUTING, accounts={ANNA: kept})
    assert (await office.clerk.access(ANNA)).is_kept_here


async def test_where_many_are_refused_at_once_nobodys_password_is_wrong(office: Office) -> None:
    office.trying.found = [REFUSED]
    office.change(health="ok", reason="auth-outage", since=NOON)
    tried = await office.clerk.test(ANNA, by="admin")
    assert (tried.tested.reason, tried.tested.is_provider) == ("auth-outage", True)
    assert tried.text.startswith("gmail cannot be tried: it refuses many logins that worked, so no password is wrong")


async def test_a_time_of_another_day_has_its_day(office: Office) -> None:
    for hours, said in ((1, "at 13:00 UTC."), (13, "at 23/11 01:00 UTC.")):
        office.trying.found = [replace(BUSY, reason="limit", until=NOON + hours * 3_600_000_000)]
        assert (await office.clerk.test(ANNA, by="admin")).text.endswith(said)


async def test_an_account_that_is_gone_is_an_error(office: Office) -> None:
    with pytest.raises(UnknownAccount):
        await office.clerk.test("gone@d.test", by="admin")


# passwords


def test_a_new_password_is_kept_tried_and_written_down(office: Office) -> None:
    kept = office.set()
    assert office.keeping.kept == [(ANNA, "segreta", Credential.PASSWORD)]
    assert office.control.told == [("password-set", ANNA, "admin")]
    assert kept.done.text.startswith(f"What {ANNA} at gmail logs in with is set. All is well")
    assert "segreta" not in kept.done.text + "".join(office.lines)


def test_one_that_was_there_already_is_said_to_be(office: Office) -> None:
    office.keeping.is_new = False
    kept = office.set(Credential.REFRESH_TOKEN)
    assert not kept.done.is_changed
    assert "already" in kept.done.text


def test_the_same_password_once_more_is_the_wish_that_it_be_tried(office: Office) -> None:
    office.keeping.is_new = False
    kept = office.set()
    assert ("fixed", ANNA, "admin") in office.control.told
    assert office.trying.asked == 1
    assert kept.tried.tested == WORKS


def test_where_no_login_is_left_the_same_password_is_tried_later_and_it_says_when(office: Office) -> None:
    office.keeping.is_new = False
    wait = LoginWait("refused-logins", "3/h", NOON + 3_180_000_000)
    office.change(health="paused", reason="auth-rejected", particulars=Particulars(login_wait=wait))
    kept = office.set()
    assert office.trying.asked == 0
    assert kept.tried is None
    assert "already" in kept.done.text
    assert "is tried at 12:53 UTC" in kept.done.text


def test_what_was_found_before_is_no_answer_to_the_same_password(office: Office) -> None:
    office.keeping.is_new = False
    office.trying.found = [replace(BUSY, reason="refused-logins", until=NOON + 300_000_000)]
    office.change(health="paused", reason="auth-rejected")
    kept = office.set()
    assert kept.tried is None, "nothing was tried since"
    assert "is tried at once" in kept.done.text, "its mail does that"


def test_while_the_mail_itself_tries_it_he_waits_his_turn(office: Office) -> None:
    office.trying.found = [BUSY, BUSY, WORKS]
    assert office.set().tried.tested == WORKS
    assert office.trying.asked == 3


def test_what_the_mail_found_out_first_is_the_answer(office: Office) -> None:
    office.trying.found = [BUSY, replace(BUSY, reason="refused-logins", until=NOON)]
    office.change(health="paused", reason="auth-rejected")
    tested = office.set().tried.tested
    assert (tested.finding, tested.reason, tested.until) == (Finding.LOGIN_FAILED, "auth-rejected", None)


def test_a_provider_that_takes_its_time_is_not_waited_for_longer_than_twenty_seconds(office: Office) -> None:
    office.trying.seconds = 60
    kept = office.set()
    assert kept.tried is None
    assert kept.done.text.endswith(f"Whether it works is not known yet: `relay account test {ANNA}` in a minute.")
    assert office.trying.cancelled == 1, "the waiting ends, the trial has its own end"


def test_a_mailbox_that_never_comes_free_ends_the_waiting_too(office: Office) -> None:
    office.trying.found = [BUSY]
    assert office.set().tried.tested == BUSY
    assert office.trying.asked <= 21


def test_a_password_that_is_kept_elsewhere_is_impossible_and_says_why(office: Office) -> None:
    office.keeping.refusal = PermanentError("write `password: secret:anna` into the routing")
    with pytest.raises(Impossible, match="secret:anna"):
        office.set()
    office.keeping.refusal = UnknownAccount()
    with pytest.raises(UnknownAccount):
        office.set()
    assert office.control.told == []


def test_every_saying_has_both_languages() -> None:
    for english, italian in SAYINGS.values():
        assert english != italian
        assert english.endswith(".")
        assert italian.endswith(".")
