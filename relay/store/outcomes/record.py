"""One outcome as bytes and back.

Law: what is written is read back equal; what cannot be read is a `CorruptValue` and nothing else.
"""

import json
from dataclasses import asdict
from typing import Any

from relay.core.envelope import Claim, Envelope, Recipient, Result, Verdict
from relay.core.reply import Reply
from relay.core.words import Lane, MailboxId, Stage
from relay.errors import CorruptValue
from relay.store.ports.outcomes import Outcome

VERSION: int = 1
"""Of what stands here; a relay that finds another one leaves the record aside."""


def write_outcome(outcome: Outcome) -> bytes:
    """As JSON; names patients, so it is sealed before it goes anywhere."""
    return json.dumps({"version": VERSION, **asdict(outcome)}, separators=(",", ":")).encode("ascii")


def read_outcome(content: bytes) -> Outcome:
    """The outcome. CorruptValue: it is none, or one of another relay."""
    try:
        read = json.loads(content)
        if read["version"] != VERSION:
            raise CorruptValue("an outcome was written by another version of the relay")
        return Outcome(_claim(read["claim"]), _result(read["result"]), float(read["seconds"]))
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptValue("an outcome cannot be read") from error


def _claim(read: dict[str, Any]) -> Claim:
    return Claim(
        **{
            **read,
            "mailbox": MailboxId(*read["mailbox"]),
            "lane": Lane(read["lane"]),
            "envelope": _envelope(read["envelope"]),
        }
    )


def _envelope(read: dict[str, Any]) -> Envelope:
    recipients = tuple(Recipient(**{**each, "notify": tuple(each["notify"])}) for each in read["recipients"])
    return Envelope(**{**read, "recipients": recipients})


def _result(read: dict[str, Any]) -> Result:
    reply = read["reply"]
    return Result(
        **{
            **read,
            "verdict": Verdict(read["verdict"]),
            "stage": Stage(read["stage"]),
            "reply": None if reply is None else Reply(**reply),
        }
    )
