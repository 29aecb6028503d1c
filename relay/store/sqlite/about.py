"""Whose trouble it is: what was met at one mailbox, looked at beside what others met.

Law: asked before anything follows from it; the answer may name another subject or another verdict, and never a worse
one for the innocent.
"""

from relay.core.envelope import LoginFailure, Result
from relay.core.words import MailboxId
from relay.store.sqlite.context import Context
from relay.store.sqlite.entry import Entry


def suspect_login(context: Context, mailbox: MailboxId, failure: LoginFailure) -> LoginFailure:
    """A session could not be opened, and its login is on record: as it has to be judged."""
    return failure


def suspect_result(context: Context, mailbox: MailboxId, entry: Entry, result: Result) -> Result:
    """An attempt ended, and is on record: as it has to be judged."""
    return result
