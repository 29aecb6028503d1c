"""Mail in every state, a word in every book, and all that the ports can tell of them.

Law: what is told is compared whole; nothing is looked up past the ports.
"""

from typing import Any

from relay.core.envelope import Kind
from relay.store.ports.books import BookedStore
from relay.store.ports.reading import AccountQuery, MessageQuery
from relay.store.ports.secrets import Secrets
from tests.contract.scene import BOUNCED, DEFERRED, MAIL_REFUSED, A, B, C, Scene, account, message, provider

D, E = "d@studio.test", "e@studio.test"


async def fill(scene: Scene) -> None:
    """Mail in every state that there is, and a word in every book."""
    limited = provider("p", "5/1h", totals=["100/day"])
    nowhere = account("gone@studio.test")
    accounts = [account(each) for each in (A, B, C, D)]
    await scene.route(*accounts, account(E, "q"), nowhere, providers=[limited])
    await scene.mail(A, 1, 2)
    await scene.send_all()
    await scene.mail(A, 3)
    await scene.send_all(DEFERRED)
    await scene.store.put(message(4, B, "nobody@example.test", "other@example.test"))
    await scene.send_all(BOUNCED)
    await scene.mail(C, 5)
    await scene.send_all(MAIL_REFUSED)
    await scene.mail("gone@studio.test", 6)
    await scene.route(*accounts, account(E, "q"), providers=[limited])
    await scene.mail(A, 7, 8, 9)
    await scene.store.put(message(10, E, "one@example.test", "two@example.test", "three@example.test"))
    await scene.mail(D, 11)
    await scene.books.control.pause(D, why="on holiday")
    await scene.books.secrets.set("rossi", "pässwörd")
    await scene.books.suppressions.opt_out(A, "never@example.test")
    await scene.store.put(message("report", B, kind=Kind.REPORT, answers=(await scene.store.outbox(10))[0].id))


async def told(store: Any) -> dict[str, Any]:
    """All that the ports can tell."""
    assert store.books
    books: BookedStore = store
    messages = (await books.messages(MessageQuery())).items
    query = AccountQuery(with_sent=True)
    return {
        "messages": messages,
        "each": [await books.message(each.id) for each in messages],
        "accounts": (await books.accounts(query)).items,
        "providers": await books.providers(),
        "outbox": await books.outbox(100),
        "lost": await books.lost(),
        "queue": sorted(await books.queue_counts(), key=str),
        "healths": await books.health_counts(),
        "routing": await _routing(books),
        "secret": _secret(books.books.secrets),
        "names": await books.books.secrets.names(),
        "standing": await books.books.suppressions.standing(A, "never@example.test"),
        "concerns": await books.books.notices.concerns(100),
        "pauses": [books.pause_of(each) for each in (A, B, C, D, E)],
    }


async def _routing(store: BookedStore) -> Any:
    """Who put it in force is a node of the place that was left."""
    applied = await store.applied()
    return None if applied is None else (applied.version, applied.routing, applied.fingerprints)


def _secret(secrets: Secrets) -> str | None:
    found = secrets.get("rossi")
    return None if found is None else found.value
