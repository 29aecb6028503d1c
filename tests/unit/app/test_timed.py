"""The store with a stopwatch changes nothing, and times what fails too."""

import inspect

import pytest

from relay.app.timed import TimedStore
from relay.errors import StoreFull
from relay.store.ports import Store

METHODS = sorted(name for name in dir(Store) if not name.startswith("_") and inspect.isfunction(getattr(Store, name)))
TIMED = {
    "put": "put", "take": "take", "content": "content", "gate": "gate", "settle": "settle", "heartbeat": "heartbeat",
    "recover": "recover", "session": "session", "refused": "session", "apply": "apply", "outbox": "outbox",
    "apply_on": "apply",
    "done": "done", "give_up": "done", "queue_counts": "census", "health_counts": "census",
    "limit_waits": "census", "account_gauges": "census", "messages": "reading", "message": "reading",
    "accounts": "reading", "account": "reading", "providers": "reading",
}  # fmt: skip
SILENT = {"put", "wait", "session", "refused", "done", "give_up", "close", "leave"}


class Remembering:
    """A store that answers every call with its own name and arguments."""

    def __init__(self, failure=None):
        self.failure = failure
        self.calls = []

    def __getattr__(self, name):
        def answer(*arguments):
            if self.failure is not None:
                raise self.failure
            self.calls.append((name, *arguments))
            return (name, *arguments)

        async def answer_later(*arguments):
            return answer(*arguments)

        return answer_later if inspect.iscoroutinefunction(getattr(Store, name)) else answer


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 0.25
        return self.now


def arguments_of(name):
    return [object() for each in inspect.signature(getattr(Store, name)).parameters if each != "self"]


async def called(store, name, arguments):
    answer = getattr(store, name)(*arguments)
    return await answer if inspect.isawaitable(answer) else answer


@pytest.mark.parametrize("name", METHODS)
async def test_every_call_goes_through_unchanged(name):
    took = []
    inner = Remembering()
    store = TimedStore(inner, lambda *each: took.append(each), Clock())
    arguments = arguments_of(name)
    answer = await called(store, name, arguments)
    assert inner.calls == [(name, *arguments)]
    assert answer == (None if name in SILENT else (name, *arguments))
    assert took == ([(TIMED[name], 0.25)] if name in TIMED else [])


@pytest.mark.parametrize("name", sorted(TIMED))
async def test_a_failure_is_timed_and_stays_a_failure(name):
    took = []
    store = TimedStore(Remembering(StoreFull()), lambda *each: took.append(each), Clock())
    with pytest.raises(StoreFull):
        await called(store, name, arguments_of(name))
    assert took == [(TIMED[name], 0.25)]
