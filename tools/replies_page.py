"""The page of the reply classes: whom each is about, what follows, and how its reason is recognised.

Law: it is made from the tables that delivery obeys, and the score from the rules as they are.
"""

from collections.abc import Iterator, Mapping
from textwrap import fill

from bench.replies import report
from relay.core.meaning import MEANINGS, ReplyClass
from relay.core.reasons import REASONS
from relay.core.rules import Rule
from relay.core.words import Stage
from relay.providers import load_profiles

SENTENCES: Mapping[ReplyClass, str] = {
    ReplyClass.DELIVERED: "the provider took over responsibility",
    ReplyClass.AUTH_REJECTED: "the password is refused",
    ReplyClass.AUTH_METHOD: "another way in is demanded: an app password, OAuth2, a sign-in in a browser, SMTP on",
    ReplyClass.AUTH_TEMPORARY: "nobody, or this mailbox, can log in for now",
    ReplyClass.TOO_MANY_CONNECTIONS: "too many sessions at once; the provider's where the text names an IP",
    ReplyClass.RATE_LIMITED: "a limit of an hour or less, or one without a period that is temporary",
    ReplyClass.QUOTA_EXCEEDED: "a limit of a day or more, or one without a period that is final",
    ReplyClass.SPAM_BLOCKED: "this mail is taken for spam; it bounces whatever the code, and is never sent again",
    ReplyClass.CONTENT_REFUSED: "an attachment, a virus, an encrypted archive; it bounces whatever the code",
    ReplyClass.ACCOUNT_BLOCKED: "the provider stopped this mailbox or its contract",
    ReplyClass.SENDER_REFUSED: "the mailbox may not send as this address",
    ReplyClass.SENDER_MAILBOX_FULL: "the doctor's own mailbox is full",
    ReplyClass.RECIPIENT_UNKNOWN: "no such user, or one that is closed",
    ReplyClass.RECIPIENT_MAILBOX_FULL: "4xx: again up to the lifetime; 5xx: bounce",
    ReplyClass.RECIPIENT_DOMAIN_BAD: "bounce; a temporary trouble of DNS: again",
    ReplyClass.RECIPIENT_REFUSED: "4xx: again; 5xx: bounce",
    ReplyClass.GREYLISTED: "again in 5 to 15 minutes",
    ReplyClass.POLICY_REFUSED: "DMARC, SPF and the like; at MAIL the mailbox's, held",
    ReplyClass.IP_BLOCKED: "our address is listed or refused there",
    ReplyClass.MESSAGE_TOO_LARGE: "over the provider's size",
    ReplyClass.TOO_MANY_RECIPIENTS: "as rate-limited, since each transaction has one recipient",
    ReplyClass.TLS_REQUIRED: "encryption is demanded, or did not come about; never clear text",
    ReplyClass.PROTOCOL_ERROR: (
        "not understood: a fresh session once, then held, and ops are told; at RCPT the recipient's, bounce"
    ),
    ReplyClass.NETWORK: "the line broke; before the login the provider's",
    ReplyClass.OUTAGE: "the service is ill; before the login the provider's",
    ReplyClass.UNKNOWN: "nothing knows it: before RCPT held; later 4xx again, 5xx two more tries in 30 minutes",
}
SHOWN: int = 3
"""Phrases of a rule that are shown."""

SHORT: int = 60
"""Characters of those."""


def replies_page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# What a reply means"
    yield ""
    yield fill(
        "Made by `make docs` from `relay/core/meaning.py`, `relay/core/reasons/` and the profiles. Try one: `relay "
        "classify --provider gmail --stage auth '535 5.7.8 Username and Password not accepted'`.",
        116,
    )
    yield ""
    yield "The first that fits decides:"
    yield "1. a rule of the provider's profile (stage, code, words): [the providers](providers/README.md)"
    yield "2. a reason that any provider may name, in its words (below)"
    yield "3. the enhanced code, by stage (`relay/core/codes.py`), compared whole: 5.7.1 is not 5.7.139"
    yield "4. the three digits, by stage"
    yield "5. `unknown`"
    yield ""
    yield fill(
        "Before rules look at a text, its lines are joined, addresses, IPs, hosts, ids, moments and waiting times are "
        "masked, and what is left is taken as words in small letters without accents (`relay/core/normal.py`). "
        "`Recipient address rejected:`, what RFC 5321 says of a code where more follows, and what is said not to be so "
        '("not blacklisted") are no part of a reason. A final answer from RCPT on that gives no reason and asks for '
        "another try is not believed to be final: it is `unknown`. What a text says from RCPT on of the recipient's "
        "own server refuses the recipient; it is taken for a guess, so the bounce guard counts it. What "
        'concerns mailbox or provider never bounces a mail. A number of mails within a time that "you" or an account '
        "sent is the mailbox's limit, whatever the code or the command; what a recipient gets, and what his server "
        "takes from the whole provider, is not. A waiting time in the text is obeyed, at most a day: the one behind "
        '"try again" before others, `1h30m`, `un\'ora e mezza` and `00:05:00`, and `retry-after: 120` in seconds.',
        116,
    )
    yield ""
    yield "## The classes"
    yield "| class | about | follows | |"
    yield "|---|---|---|---|"
    for reply_class, (scope, action) in MEANINGS.items():
        yield f"| `{reply_class}` | {scope} | {action} | {SENTENCES[reply_class]} |"
    yield ""
    yield from _score()
    yield ""
    yield from _reasons()


def _score() -> Iterator[str]:
    yield "## How well they are known"
    yield fill(
        "`python -m bench.replies` judges the replies in `tests/replies`, labelled by hand, each with its source. "
        "Held out: of each fifth in turn, every phrase and code that only this fifth supports is taken away first, so "
        "that a rule written for one text counts as a miss.",
        116,
    )
    yield ""
    yield from report()


def _reasons() -> Iterator[str]:
    yield "## The reasons, in the order in which they are tried"
    yield fill(
        "`a|b`: one of both; `beg*`: begins so; `c?`: perhaps; `~`: up to four words. Of each rule the first phrases; "
        "a profile's rules have the same form.",
        116,
    )
    yield ""
    yield "| class | stages | phrases | for example |"
    yield "|---|---|---|---|"
    for rule in REASONS:
        yield _row(rule)
    own = sum(len(profile.rules) for profile in load_profiles().values())
    yield ""
    yield f"Besides these, the profiles have {own} rules of their own."


def _row(rule: Rule) -> str:
    written = () if rule.text is None else rule.text.written
    beside = "" if rule.also is None else f", with one of {len(rule.also.written)} beside"
    stages = ", ".join(stage.value for stage in Stage if stage in rule.stages) or "any"
    shown = "; ".join(f"`{phrase}`" for phrase in [each for each in written if len(each) <= SHORT][:SHOWN]).replace(
        "|", "\\|"
    )
    codes = (
        f", {'/'.join(f'{code}xx' if len(code) == 1 else code for code in sorted(rule.codes))}" if rule.codes else ""
    )
    return f"| `{rule.reply_class}` | {stages}{codes} | {len(written)}{beside} | {shown} |"
