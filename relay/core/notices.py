"""Notices as people read them: plain text in their language, with what happened, since when, and what to do.

Law: no link, which a phisher could have written as well; no patient, for a notice knows of none; times are those of the
provider's own zone.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from textwrap import fill
from types import MappingProxyType

from relay.core.circle import Reader
from relay.core.encoding import cleaned
from relay.core.failuretext import Language
from relay.core.instants import spoken
from relay.core.notice import NAMED, Notice, NoticeType
from relay.core.noticewords import NoticeWords, Then, Topic, topic_of
from relay.core.noticewords_en import ENGLISH
from relay.core.noticewords_it import ITALIAN
from relay.core.words import AccountId

WIDTH: int = 72
"""Columns of the text: it can be quoted once or twice and stays within a line of 78 (RFC 5322, 2.1.1)."""

SUBJECT_MOST: int = 200
"""Characters of a subject; an address alone may have 320."""

STEPS_MOST: int = 12
"""Steps of a profile that are shown: more are not read."""

WORDS = MappingProxyType({Language.ENGLISH: ENGLISH, Language.ITALIAN: ITALIAN})

_SCHEME = re.compile(r"\bhttps?://", re.IGNORECASE)
_SUPPORTS = (Then.PASSWORD, Then.FIXED, Then.CONNECT)
"""What the doctor does through support, as many profiles' steps say already."""

_ABOUT_A_MAILBOX = (NoticeType.STOPPED, NoticeType.STILL_STOPPED, NoticeType.HEALED)


@dataclass(frozen=True, slots=True)
class Sheet:
    """For whom a notice is written, and what else he has to know."""

    reader: Reader
    language: Language
    zone: tzinfo
    """The provider's."""
    provider: str
    """Its name as people know it."""
    accounts: tuple[AccountId, ...] = ()
    """Those that concern this reader; empty: all of the notice."""
    steps: str = ""
    """What the owner has to do at this provider, a step a line; empty: the profile does not say."""
    contact: str = ""
    owner: str = field(repr=False, default="")
    phone: str = field(repr=False, default="")
    has_to_call: bool = False
    """For the vendor: nobody but him can tell the owner."""
    wants_ticket: bool = False
    """This provider is asked in writing to lift a block (aruba)."""
    kept_days: int = 7
    """After so many days what is held is returned."""


@dataclass(frozen=True, slots=True)
class NoticeText:
    """What is shown; `body` has lines of at most `WIDTH` columns, apart by LF."""

    type: NoticeType
    subject: str
    body: str


def write(notice: Notice, sheet: Sheet) -> NoticeText:
    """The text of a notice."""
    writer = _Writer(notice, sheet)
    blocks = writer.of_mailbox() if notice.type in _ABOUT_A_MAILBOX else writer.of_event()
    subject = cleaned(writer.subject())[:SUBJECT_MOST]
    return NoticeText(notice.type, subject, "\n\n".join(_laid_out(block) for block in blocks if block) + "\n")


def _laid_out(block: str) -> str:
    return "\n".join(_line(each) for each in block.split("\n"))


def _line(text: str) -> str:
    number = re.match(r"\d+\. ", text)
    return fill(
        cleaned(_SCHEME.sub("", text)),
        WIDTH,
        subsequent_indent=" " * (number.end() if number else 0),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _counted(words: tuple[str, str, str], many: int | None) -> str:
    """A number with its noun; what was not counted is a dash, as any figure that is not known."""
    return words[2].format(many="-") if many is None else words[min(many, 2)].format(many=many)


class _Writer:
    """The blocks of one notice, in order."""

    def __init__(self, notice: Notice, sheet: Sheet) -> None:
        self._notice = notice
        self._sheet = sheet
        self._words: NoticeWords = WORDS[sheet.language]
        self._topic = topic_of(notice.reason, notice.circumstance)
        self._facts = self._known()

    def subject(self) -> str:
        words, kind = self._words, self._notice.type
        if kind is NoticeType.STOPPED:
            return self._said(words.stopped_subject)
        if kind is NoticeType.STILL_STOPPED:
            return self._said(words.reminder_subject)
        return self._said(words.healed_subject if kind is NoticeType.HEALED else words.events[kind].subject)

    def of_mailbox(self) -> list[str]:
        if self._notice.type is NoticeType.HEALED:
            leaving = self._words.leaving if self._notice.waiting else ""
            return [self._greeting(), self._said(self._words.healed), self._said(leaving), self._where(), self._help()]
        story = self._words.stories[self._topic]
        opening = self._words.opening if self._notice.type is NoticeType.STOPPED else self._words.still
        known = self._steps()
        own = [self._said(story.steps)]
        steps = own + known if self._topic is Topic.NEVER_WORKED else known or own
        return [
            self._greeting(),
            self._said(opening),
            self._words.why.format(text=self._said(story.happened[0].lower() + story.happened[1:])),
            self._waiting(),
            self._where(),
            self._to_do([*steps, self._then(story.then, known)]),
            self._said(self._words.next_try) if self._notice.next_try is not None else "",
            self._ticket(),
            self._help(),
            self._words.daily,
        ]

    def of_event(self) -> list[str]:
        event = self._words.events[self._notice.type]
        steps = self._to_do([self._said(event.steps)])
        return [self._words.greeting_nameless, self._said(event.happened), self._where(), steps, self._ticket()]

    def _greeting(self) -> str:
        if self._sheet.reader is Reader.DOCTOR and self._sheet.owner:
            return self._words.greeting.format(name=self._sheet.owner)
        return self._words.greeting_nameless

    def _waiting(self) -> str:
        words, waiting = self._words, self._notice.waiting
        if not waiting:
            return words.waiting_none
        counted = words.waiting_one if waiting == 1 else self._said(words.waiting_many)
        return f"{counted} {words.kept.format(days=self._sheet.kept_days)}"

    def _where(self) -> str:
        """What a call centre looks up first; the doctor knows his own mailbox."""
        if self._sheet.reader is Reader.DOCTOR or self._notice.mailbox is None:
            return ""
        accounts = self._accounts()
        lines = [self._said(self._words.mailbox)]
        if len(accounts) > 1:
            more = f" (+{len(accounts) - NAMED})" if len(accounts) > NAMED else ""
            lines.append(self._words.senders.format(listed=", ".join(accounts[:NAMED]) + more))
        lines += [self._words.owner.format(owner=self._sheet.owner)] if self._sheet.owner else []
        lines += [self._words.phone.format(phone=self._sheet.phone)] if self._sheet.phone else []
        return "\n".join([*lines, self._words.call] if self._sheet.has_to_call else lines)

    def _steps(self) -> list[str]:
        lines = [
            re.sub(r"^\s*(?:[-*\u2022]|\d{1,2}[.)])\s+", "", each).strip() for each in self._sheet.steps.split("\n")
        ]
        return [each for each in lines if each][:STEPS_MOST]

    def _then(self, then: Then, known: list[str]) -> str:
        """What sets the mail going; that the doctor calls support is not said twice."""
        words, reader = self._words, self._sheet.reader
        says_it = any(words.support in step.lower() for step in known)
        if reader is Reader.DOCTOR and then in _SUPPORTS and says_it:
            return words.right_after
        return self._said(words.then[then, reader])

    def _to_do(self, steps: list[str]) -> str:
        if len(steps) == 1:
            return f"{self._words.to_do} {steps[0]}"
        return "\n".join([self._words.to_do, *(f"{number}. {step}" for number, step in enumerate(steps, 1))])

    def _ticket(self) -> str:
        is_spam = self._topic is Topic.SPAM or self._notice.type is NoticeType.SPAM_BLOCKED
        is_for = self._sheet.wants_ticket and is_spam and self._sheet.reader is not Reader.DOCTOR
        return self._said(self._words.ticket) if is_for else ""

    def _help(self) -> str:
        is_for = self._sheet.contact and self._sheet.reader is Reader.DOCTOR
        return self._words.help.format(contact=self._sheet.contact) if is_for else ""

    def _said(self, text: str) -> str:
        if self._sheet.language is Language.ITALIAN and self._sheet.provider[:1] in ("a", "A"):
            text = text.replace(" a {provider}", " ad {provider}")  # euphony: before the same vowel
        return text.format_map(self._facts)

    def _known(self) -> dict[str, object]:
        notice, sheet = self._notice, self._sheet
        accounts = self._accounts()
        account = accounts[0] if accounts else notice.mailbox or sheet.provider
        many = self._words.others.format(account=account, others=len(accounts) - 1)
        return {
            "account": account,
            "senders": many if len(accounts) > 1 else account,
            "mailbox": notice.mailbox or account,
            "provider": sheet.provider,
            "reason": notice.reason or "-",
            "since": self._instant(notice.at if notice.since is None else notice.since),
            "next_try": "" if notice.next_try is None else self._instant(notice.next_try),
            "day": "" if notice.paid_until is None else notice.paid_until.strftime(self._words.day),
            "waiting": notice.waiting,
            "count": "-" if notice.count is None else notice.count,
            "mails": _counted(self._words.mails, notice.waiting),
            "days": _counted(self._words.days, notice.count),
            "times": _counted(self._words.times, notice.count),
            "usual": "-" if notice.usual is None else notice.usual,
            "domain": notice.domain or "-",
            "cited": account if notice.message is None else f"{notice.message} --unmasked",
        }

    def _accounts(self) -> tuple[AccountId, ...]:
        return self._sheet.accounts or self._notice.accounts

    def _instant(self, wall: int) -> str:
        return spoken(datetime.fromtimestamp(wall / 1_000_000, self._sheet.zone), self._sheet.language)
