"""Reads the built-in profiles from their data files.

Law: what is read here is what the file says; what a setting of a `providers:` entry means is said by the schema of the
routing. A file that is no profile is named, and breaks no other.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from relay.core.meaning import ReplyClass
from relay.core.rules import Rule
from relay.errors import PermanentError
from relay.providers.reading import duration, rule_of

SUFFIX = ".toml"
LANGUAGES = ("en", "it")


class BadProfile(PermanentError):
    """this is no profile of a provider"""


@dataclass(frozen=True, slots=True)
class Sender:
    """As whom a logged-in mailbox may send."""

    rule: str = "unknown"
    """own-address-only | authorised-aliases | rewrites | own-domains | unknown."""
    domains: tuple[str, ...] = ()
    """Of `own-domains`: which; empty: that of the login."""
    takes_null: bool = True
    """Whether `MAIL FROM:<>` is taken as it is."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Where something in a profile is known from, and when it was looked at."""

    fact: str
    it: str
    """The fact in Italian, for the pages of the call centre."""
    where: str
    date: str


Texts = Mapping[str, str]
"""By language: `en` and `it`."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a provider. `settings` are those of a `providers:` entry, as written there."""

    name: str
    title: str
    settings: Mapping[str, Any]
    domains: tuple[str, ...] = ()
    """Mail domains whose mailboxes are at this provider."""
    login: str = "mailbox-password"
    """Where it logs in with a password, which: mailbox-password | app-password | smtp-credentials."""
    is_personal: bool = False
    """Its mailboxes are at domains of its own, for which no customer can authorise anybody."""
    expires_passwords: bool = False
    """It demands a new password after bulk mail; said only where it is known."""
    takes_tickets: bool = False
    """It lifts a block when it is asked in writing."""
    is_counted_by_domain: bool = False
    """What it counts, and `total_limits` bound, is what all mailboxes of a domain send together."""
    oauth: Mapping[str, Any] = field(default_factory=dict)
    """Of its authorization server: `token_url`, `scope`, `tenant`; empty: none is known."""
    also: tuple[str, ...] = ()
    """Other names under which people look for it."""
    like: str | None = None
    """The profile whose reply rules hold here too, after its own: the same company answers."""
    about: Texts = field(default_factory=dict)
    """What somebody who helps its owners has to know first."""
    sender: Sender = Sender()
    size: str | None = None
    """The greatest message, as written; None: nobody wrote it down."""
    recipients: int | None = None
    """The most recipients in one message."""
    blocks: Mapping[ReplyClass, int] = field(default_factory=dict)
    """How long the provider stops a mailbox for a class of reply, microseconds."""
    rules: tuple[Rule, ...] = ()
    """What its replies mean, before all that holds for every provider."""
    steps: Mapping[ReplyClass, Texts] = field(default_factory=dict)
    """What the owner has to do next, by the class of what went wrong."""
    sources: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """The profiles of a folder, and what is wrong with the files that are none."""

    profiles: Mapping[str, Profile]
    problems: tuple[str, ...]


def load_profiles() -> dict[str, Profile]:
    """Every built-in profile by name."""
    return dict(read_shelf(files("relay.providers").joinpath("profiles")).profiles)


def read_shelf(folder: Traversable | Path) -> Shelf:
    """Every profile of a folder; a file that is none is left out and named."""
    profiles: dict[str, Profile] = {}
    problems: list[str] = []
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        name = file.name.removesuffix(SUFFIX)
        if name == file.name:
            continue
        try:
            profiles[name] = read_profile(name, file.read_text("utf-8"))
        except (BadProfile, OSError, UnicodeDecodeError) as error:
            problems.append(f"{file.name}: {error}")
    lost = [each.name for each in profiles.values() if each.like is not None and each.like not in profiles]
    problems += [f"{name}{SUFFIX}: like: there is no profile {profiles.pop(name).like!r}" for name in lost]
    return Shelf({name: _with_shared(profile, profiles) for name, profile in profiles.items()}, tuple(problems))


def read_profile(name: str, text: str) -> Profile:
    """A profile out of the text of its file. BadProfile: it is none, with what is wrong."""
    try:
        return profile_of(name, tomllib.loads(text))
    except KeyError as error:
        raise BadProfile(f"the key {error} is missing") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise BadProfile(str(error)) from None


def profile_of(name: str, data: Mapping[str, Any]) -> Profile:
    """A profile out of its data; KeyError, ValueError, TypeError or AttributeError where it is none."""
    mail = data.get("message", {})
    steps = {ReplyClass(name): _texts(texts) for name, texts in data.get("steps", {}).items()}
    blocks = {ReplyClass(name): duration(text) for name, text in data.get("blocks", {}).items()}
    return Profile(
        name,
        title=data["title"],
        settings=data["settings"],
        domains=tuple(data["domains"]),
        login=data.get("login", "mailbox-password"),
        is_personal=data.get("personal", False),
        expires_passwords=data.get("expires_passwords", False),
        takes_tickets=data.get("takes_tickets", False),
        is_counted_by_domain=data.get("counted", "by-mailbox") == "by-domain",
        oauth=data.get("oauth", {}),
        also=tuple(data.get("also", ())),
        like=data.get("like"),
        about=_texts(data["about"]) if "about" in data else {},
        sender=_sender(data.get("sender", {})),
        size=mail.get("size"),
        recipients=mail.get("recipients"),
        blocks=MappingProxyType(blocks),
        rules=tuple(map(rule_of, data.get("rule", ()))),
        steps=MappingProxyType(steps),
        sources=tuple(Fact(**source) for source in data.get("source", ())),
    )


def _sender(data: Mapping[str, Any]) -> Sender:
    return Sender(data.get("rule", "unknown"), tuple(data.get("domains", ())), data.get("null_sender", True))


def _with_shared(profile: Profile, profiles: Mapping[str, Profile]) -> Profile:
    if profile.like is None:
        return profile
    return replace(profile, rules=(*profile.rules, *profiles[profile.like].rules))


def _texts(texts: Mapping[str, str]) -> Texts:
    return MappingProxyType({language: texts[language] for language in LANGUAGES})
