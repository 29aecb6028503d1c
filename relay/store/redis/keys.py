"""The names of the schedule's keys; relay/store/lua/lib/keys.lua makes the same ones.

Law: a key carries the provider that it belongs to as its tag, else `relay`; no other file makes a key of the schedule.
"""

from relay.core.words import AccountId, Lane, MailboxId

ROUND = "relay:{relay}:round"
ALARMS = "relay:{relay}:alarms"
WANTED = "relay:{relay}:wanted"
BUSY = "relay:{relay}:busy"
RESTING = "relay:{relay}:resting"
CLOCK = "relay:{relay}:clock"


def of_provider(provider: str, name: str) -> str:
    """What belongs to a provider."""
    return f"relay:{{{provider}}}:{name}"


def of_mailbox(mailbox: MailboxId, name: str) -> str:
    """What belongs to a mailbox."""
    return f"{of_provider(mailbox.provider, name)}:{mailbox.username}"


def ready(mailbox: MailboxId | None, account: AccountId, lane: Lane) -> str:
    """The ids of what is ready of an account; None: its mail goes nowhere."""
    if mailbox is None:
        return f"relay:{{relay}}:unrouted:{lane}:{account}"
    length = len(mailbox.username.encode())
    return of_provider(mailbox.provider, f"ready:{lane}:{length}:{mailbox.username}:{account}")


def member(mailbox: MailboxId) -> str:
    """A mailbox as a member of a set; no provider has a blank in its name."""
    return f"{mailbox.provider} {mailbox.username}"


def mailbox_of(member: str) -> MailboxId:
    """The mailbox that this member is."""
    return MailboxId(*member.split(" ", 1))
