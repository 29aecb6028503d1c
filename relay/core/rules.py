"""A rule about what a provider says: at which stages, with which codes and words, and what it then means.

Law: codes are compared as whole tokens and words as whole words; a phrase has no repetition without a bound, so the
time is linear in the text. Rules are values: those of a provider are data, and a new one needs no code.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from relay.core.meaning import Action, ReplyClass, Scope
from relay.core.normal import nameless, words_of
from relay.core.reply import Reply
from relay.core.words import Stage

PHRASE_LENGTH: int = 600
"""Characters of one phrase; no reason has more ways of being said."""

GAPS: int = 2
"""`~` in one phrase: each may stand for up to `GAP_WORDS` words, so there are at most 25 ways to try a phrase."""

GAP_WORDS: int = 4

_ASKED = re.compile(r"(?:<<address>>|<address>)?:? ?Recipient address rejected: (?=\S)(?!Access denied)", re.IGNORECASE)
"""What a server puts before its reason to say at which command it was asked: it is nothing of the reason."""

_CLIENT = re.compile(
    r"(?:<[^ ]{1,200}>: )?Client host rejected: (?=(?:[^ ]{1,80} ){0,3}(?:users?|recipient|mailbox|inbox|"
    r"destinatario|casella|utente|<address>|\(<address>\))(?![^ .,;]))",
    re.IGNORECASE,
)
"""The same, where the reason behind it is the recipient's: it is nothing of the client."""

_STOCK = re.compile(
    r"Requested (?:mail )?action (?:not taken|aborted)[:;,.]?+(?: ?(?:mailbox unavailable|exceeded storage allocation|"
    r"(?:local )?error in processing|insufficient system storage|mailbox name not allowed)\b[:;,.]*+)?+"
    r"(?= (?!for |see |please |visit |refer |more )[^ ]++ [^ ]++ [^ ])",
    re.IGNORECASE,
)
"""What RFC 5321 (4.2.3) says of a code: it is a reason only where nothing else is said."""

_DENIED = re.compile(
    r" (?:(?:is|was|are|has|e) )?(?:not|isnt|wasnt|arent|non)(?: (?:e|been|currently|stato|stata))?"
    r" (?:blocked|blacklisted|blocklisted|banned|suspended|locked|disabled|infected|full|affected|(?:bloccat|sospes|"
    r"disabilitat|infett|pien)[oaie])(?= )"
    r"| (?:no|nessun|without)(?: (?:virus|viruses|malware|threat|threats))(?: (?:found|detected|rilevat[oi]))?(?= )"
)
"""What is said not to be so is no reason, whatever word it is said with."""

_GLUED = re.compile(r"(?<=\d)(?=(?:[kmg]i?b|[kmg]?bytes?)\b)", re.IGNORECASE)
"""Between a number and its unit: 25MB."""

_PART = re.compile(r"~|[a-z0-9]+\*?(?:\|[a-z0-9]+\*?)*\??")
_GAP = rf"(?: [a-z0-9]++){{0,{GAP_WORDS}}}?"


class BadPhrase(ValueError):
    """a phrase has words in small letters without accents: `word`, `one|other`, `begin*`, `perhaps?`, and `~`"""


@dataclass(frozen=True, slots=True)
class Phrases:
    """What a text may say; found when any of the phrases stands in its words."""

    written: tuple[str, ...]
    pattern: re.Pattern[str]

    def is_in(self, words: str) -> bool:
        """Whether one of them is there; `words` come from `words_of`."""
        return self.pattern.search(words) is not None


def phrases(*written: str) -> Phrases:
    """Phrases of words: `a|b` one of both, `beg*` any word that begins so, `c?` perhaps, `~` up to four words.

    BadPhrase: it is none.
    """
    return Phrases(written, re.compile("|".join(map(_compiled, written))))


def _compiled(phrase: str) -> str:
    parts = phrase.split(" ")
    if not all(map(_PART.fullmatch, parts)) or len(phrase) > PHRASE_LENGTH or parts.count("~") > GAPS:
        raise BadPhrase(f"{BadPhrase.__doc__}; found {phrase[:PHRASE_LENGTH]!r}")
    if parts[0] == "~" or parts[-1] == "~" or parts[0].endswith("?"):
        raise BadPhrase(f"a phrase begins and ends with a word that has to be there; found {phrase!r}")
    return "".join(map(_part, parts)) + "(?= )"


def _part(part: str) -> str:
    if part == "~":
        return _GAP
    words = "|".join(
        re.escape(word.rstrip("*")) + ("[a-z0-9]*+" if word.endswith("*") else "(?= )")
        for word in part.rstrip("?").split("|")
    )
    return f"(?: (?:{words}))?" if part.endswith("?") else f" (?:{words})"


@dataclass(frozen=True, slots=True)
class Rule:
    """Where every condition that it has holds, a reply has this class; a condition that it lacks always holds."""

    reply_class: ReplyClass
    stages: frozenset[Stage] = frozenset()
    codes: frozenset[str] = frozenset()
    """Whole (`550`), or their first digit (`5`)."""
    enhanced: frozenset[str] = frozenset()
    """Whole, as `5.7.139`."""
    text: Phrases | None = None
    also: Phrases | None = None
    """Another clause that has to be there too, before or after `text`."""
    unless: Phrases | None = None
    scope: Scope | None = None
    """Instead of the class's own."""
    action: Action | None = None
    retry_after: int | None = None
    """Microseconds, where the text names no time."""
    is_by_period: bool = False
    """A limit: the period that the text names decides between `rate-limited` and `quota-exceeded`."""
    once_worked: ReplyClass | None = None
    """Its class for a mailbox whose login has worked before."""

    def applies(self, stage: Stage, reply: Reply, words: str) -> bool:
        """Whether every condition holds."""
        if self.stages and stage not in self.stages:
            return False
        if self.codes and self.codes.isdisjoint((str(reply.code), str(reply.code)[0])):
            return False
        if self.enhanced and reply.enhanced not in self.enhanced:
            return False
        if self.text is not None and not self.text.is_in(words):
            return False
        if self.also is not None and not self.also.is_in(words):
            return False
        return self.unless is None or not self.unless.is_in(words)


def first_of(rules: Iterable[Rule], stage: Stage, reply: Reply, words: str) -> Rule | None:
    """The first rule that applies; `words` are the reply's (`reading_of`)."""
    for rule in rules:
        if rule.applies(stage, reply, words):
            return rule
    return None


def reading_of(reply: Reply) -> str:
    """The words of a reply that rules are tried on: masked, in small letters, without points, without what was asked,
    what only repeats the code, and what is said not to be so.
    """
    return _DENIED.sub(
        "", words_of(_STOCK.sub("", _CLIENT.sub("", _ASKED.sub("", nameless(_GLUED.sub(" ", reply.text))))))
    )
