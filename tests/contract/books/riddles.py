"""Replies that no rule understands are counted by their wording, and each wording is told once."""

from dataclasses import replace

from relay.core.concerns import ConcernKind
from relay.core.envelope import LoginFailure, Verdict
from relay.core.reply import Reply
from relay.core.words import Stage
from relay.store.ports.riddles import RIDDLES_PER_PROVIDER
from tests.contract.scene import NODE, NOT_UNDERSTOOD, A, Scene, account, box, provider, result


def riddle(text: str, code: int = 599) -> LoginFailure:
    """An answer to AUTH that nobody understands."""
    return LoginFailure("unknown", Stage.AUTH, Reply(code, None, text), is_provider=False, is_login_sent=True)


async def _answer(scene: Scene, *replies: LoginFailure) -> None:
    """Logins that are answered like this, one after the other."""
    for reply in replies:
        await scene.books.control.fixed(A)
        assert (await scene.store.take(NODE, {}, 10)).open == {box(A): 1}
        await scene.store.refused(box(A), reply)
        await scene.advance(3601)


async def equal_wordings_are_counted_together(scene: Scene) -> None:
    await scene.route(account(A), providers=[provider()])
    await scene.mail(A, 1)
    await _answer(scene, riddle("zap host-1.example.org"), riddle("zap host-2.example.org"), riddle("zop", 598))
    last, first = await scene.books.riddles.all()
    assert (last.code, last.text, last.many) == (598, "zop", 1)
    assert (first.provider, first.stage, first.text, first.many) == ("p", Stage.AUTH, "zap <host>", 2)
    assert first.last_at > first.first_at
    assert await scene.books.riddles.all(provider="q") == []
    assert await scene.books.riddles.all(most=1) == [last]


async def a_message_s_riddle_counts_as_much(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    await scene.send(claim, result(Verdict.DEFERRED, "unknown", reply=Reply(499, "4.0.0", "perhaps")))
    (found,) = await scene.books.riddles.all(provider="p")
    assert (found.stage, found.code, found.text) == (Stage.EOD, 499, "4.0.0 perhaps")


async def a_mail_that_is_held_because_it_was_not_understood_is_told_of(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1, 2)
    claims = await scene.work()
    await scene.end(claims[0], replace(NOT_UNDERSTOOD, verdict=Verdict.DEFERRED))
    assert await scene.books.riddles.all() == [], "a fresh session may be understood"
    await scene.end(claims[1], NOT_UNDERSTOOD)
    (found,) = await scene.books.riddles.all()
    assert (found.stage, found.code) == (Stage.MAIL, 555)
    (due,) = await scene.books.notices.due(10)
    assert (due.concern.kind, due.concern.reason) == (ConcernKind.UNKNOWN_REPLY, "protocol-error")


async def a_host_that_makes_up_new_ones_fills_no_disk(scene: Scene) -> None:
    await scene.route(account(A))
    for number in range(RIDDLES_PER_PROVIDER + 5):
        await scene.mail(A, number)
        (claim,) = await scene.work()
        word = "".join(chr(97 + int(digit)) for digit in str(number))
        await scene.send(claim, result(Verdict.BOUNCED, "unknown", reply=Reply(599, None, f"riddle {word}")))
    found = await scene.books.riddles.all()
    assert len(found) == RIDDLES_PER_PROVIDER
    assert "riddle a" not in {each.text for each in found}, "the oldest went"


async def what_was_said_is_kept_in_its_own_words_for_thirty_days(scene: Scene) -> None:
    await scene.route(account(A))
    await scene.mail(A, 1)
    (claim,) = await scene.work()
    told = Reply(550, None, "no <address> here")
    refused = result(Verdict.BOUNCED, "recipient-unknown", reply=told, said="550 no rossi@patients.test here")
    await scene.send(claim, refused)
    found = await scene.books.riddles.said("m-1")
    assert [(each.text, each.domain, each.stage, each.reply_class) for each in found] == [
        ("550 no rossi@patients.test here", "example.test", refused.stage, "recipient-unknown")
    ]
    assert found[0].at == scene.store.now(), "wall time and relay time are one here"
    assert "rossi@patients" not in repr(refused) + repr(found)
    await scene.restart()
    assert await scene.books.riddles.said("m-1") == found
    await scene.harness.advance(30 * 24 * 3600 + 1)
    await scene.store.heartbeat(NODE)
    assert await scene.books.riddles.said("m-1") == []
