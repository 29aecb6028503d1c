"""Long answers in JSON, written a piece at a time.

Law: between two pieces everybody else on the loop has his turn: a thousand messages to a hundred recipients each are
seconds of work, and mail must not wait for them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

from fastapi import Response
from pydantic import BaseModel

from relay.admin.showing import delivery_of, message_of
from relay.store.ports.reading import MessageView, Page

V = TypeVar("V")

PIECE: int = 20
"""Deliveries or accounts in a piece: about a millisecond."""


async def page_of_messages(page: Page[MessageView]) -> Response:
    """A page of messages."""
    return _json(_page([await _message(each) for each in page.items], page.next_cursor))


async def page_of(page: Page[V], shape: Callable[[V], BaseModel]) -> Response:
    """A page of small things."""
    return _json(_page([each async for each in _written(page.items, shape)], page.next_cursor))


async def one_message(view: MessageView) -> Response:
    """A message by itself."""
    return _json(await _message(view))


async def _message(view: MessageView) -> str:
    """Deliveries are what there may be many of; they stand last."""
    head = message_of(view).model_dump_json(exclude={"deliveries"}, by_alias=True).removesuffix("}")
    deliveries = [each async for each in _written(view.deliveries, delivery_of)]
    return f'{head},"deliveries":[{",".join(deliveries)}]}}'


async def _written(views: Sequence[V], shape: Callable[[V], BaseModel]) -> AsyncIterator[str]:
    for start in range(0, len(views), PIECE):
        for view in views[start : start + PIECE]:
            yield shape(view).model_dump_json(by_alias=True)
        await asyncio.sleep(0)


def _page(items: Sequence[str], next_cursor: str | None) -> str:
    return f'{{"items":[{",".join(items)}],"next_cursor":{json.dumps(next_cursor)}}}'


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
