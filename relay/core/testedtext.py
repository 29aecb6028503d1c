"""What came of a trial, in one sentence for whoever answers the doctor's call, in English or Italian.

Law: what is right or wrong comes first, then what to do; a reason without words of its own is named by the relay's.
"""

from relay.core.failuretext import Language
from relay.core.tested import Finding, Tested
from relay.core.testedwords import AGAIN, FOUND, LATER, UNREACHABLE, WORKS_BUT, why_of, words_of


def told(
    tested: Tested,
    *,
    language: Language,
    do: str | None = None,
    until: str | None = None,
    is_all_well: bool = True,
    why: str | None = None,
) -> str:
    """The sentence; `do`: the owner's next step as the provider's profile has it; `until`: as people say a time.

    Not `is_all_well`: something beside the mailbox keeps its mail back. `why`: what is known of the reason beyond its
    words, in one sentence that says what to do, too; it is of the log, so English.
    """
    which = 0 if language is Language.ENGLISH else 1
    is_host = tested.is_provider and tested.finding is Finding.LOGIN_FAILED
    found = (UNREACHABLE if is_host else FOUND[tested.finding])[which]
    if tested.finding is Finding.WORKS and not is_all_well:
        found = WORKS_BUT[which]
    login, provider = tested.mailbox.username, tested.mailbox.provider
    said = found.format(login=login, provider=provider, sender=tested.account)
    if why is not None:
        reason = tested.reason or ""
        return f"{said}: {why} ({reason})." if which == 0 else f"{said}: {why_of(reason)[which]} ({reason}) [{why}]."
    if tested.reason is not None:
        said = f"{said}: {why_of(tested.reason)[which]} ({tested.reason})"
    if do is not None and tested.finding not in (Finding.WORKS, Finding.NOT_NOW):
        return f"{said}. {do.rstrip('. ')}."
    step = _step(tested, until, which)
    return f"{said}." if step is None else f"{said}; {step}."


def _step(tested: Tested, until: str | None, which: int) -> str | None:
    """What to do; what only has to wait has a time."""
    if tested.finding is Finding.WORKS or tested.reason is None:
        return None
    words = words_of(tested.reason)
    todo = None if words is None or words.do is None else words.do[which]
    if until is None:
        return todo
    again = AGAIN[which].format(until=until)
    return again if todo is None or todo == LATER[which] else f"{todo}, {_or(which)} {again}"


def _or(which: int) -> str:
    return ("or", "o")[which]
