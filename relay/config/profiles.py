"""The schema of a provider's profile: `profile_problems(data) -> [text]`.

Law: its settings are checked by the very schema of a `providers:` entry, so what is right there is right here.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Required

from pydantic import AfterValidator, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from relay.config import fields
from relay.config.entries import ProviderEntry
from relay.config.oauth import OAuthDefaults
from relay.config.service import STRICT
from relay.core.meaning import Action, ReplyClass, Scope
from relay.core.rules import phrases
from relay.core.words import Stage
from relay.providers import BadProfile
from relay.providers.profile import profile_of
from relay.providers.reading import duration

_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24}")


def _domain(text: str) -> str:
    if not _DOMAIN.fullmatch(text):
        raise ValueError("not a mail domain in small letters")
    return text


def _phrase(text: str) -> str:
    phrases(text)
    return text


def _duration(text: str) -> str:
    duration(text)
    return text


Domain = Annotated[fields.Text, AfterValidator(_domain)]
Phrase = Annotated[fields.Text, AfterValidator(_phrase)]
Span = Annotated[fields.Text, AfterValidator(_duration)]


@with_config(STRICT)
class Texts(TypedDict):
    """In both languages."""

    en: fields.Text
    it: fields.Text


@with_config(STRICT)
class SenderEntry(TypedDict, total=False):
    """As whom a logged-in mailbox may send."""

    rule: Required[Literal["own-address-only", "authorised-aliases", "rewrites", "own-domains", "unknown"]]
    domains: list[Domain]
    null_sender: bool


@with_config(STRICT)
class MessageEntry(TypedDict, total=False):
    """What a message may be."""

    size: fields.Size
    recipients: fields.Count


@with_config(STRICT)
class SourceEntry(TypedDict):
    """Where a fact is from, and when it was looked at."""

    fact: fields.Text
    it: fields.Text
    where: fields.Text
    date: fields.Day


RuleEntry = TypedDict(
    "RuleEntry",
    {
        "class": Required[ReplyClass],
        "stages": list[Stage],
        "codes": list[fields.Text],
        "enhanced": list[fields.Text],
        "text": list[Phrase],
        "unless": list[Phrase],
        "scope": Scope,
        "action": Action,
        "retry_after": Span,
        "by_period": bool,
        "once_worked": ReplyClass,
    },
    total=False,
)
"""What a reply means."""
RuleEntry.__pydantic_config__ = STRICT  # type: ignore[attr-defined]


@with_config(STRICT)
class ProfileFile(TypedDict, total=False):
    """One file of relay/providers/profiles."""

    title: Required[fields.Text]
    also: list[fields.Text]
    like: fields.Text
    domains: Required[list[Domain]]
    login: Literal["mailbox-password", "app-password", "smtp-credentials"]
    personal: bool
    expires_passwords: bool
    takes_tickets: bool
    counted: Literal["by-mailbox", "by-domain"]
    about: Required[Texts]
    settings: Required[ProviderEntry]
    oauth: OAuthDefaults
    sender: Required[SenderEntry]
    message: MessageEntry
    blocks: dict[ReplyClass, Span]
    source: Required[Annotated[list[SourceEntry], fields.AtLeastOne]]
    rule: list[RuleEntry]
    steps: dict[ReplyClass, Texts]


_FILE: TypeAdapter[Any] = TypeAdapter(ProfileFile)


def profile_problems(data: Mapping[str, Any]) -> list[str]:
    """What is wrong with the data of a profile's file, each with the place; empty: nothing."""
    try:
        _FILE.validate_python(data)
    except ValidationError as error:
        return [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    try:
        profile_of("profile", data)
    except (BadProfile, ValueError, TypeError, KeyError) as error:
        return [str(error)]
    return []
