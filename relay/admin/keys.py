"""The routes of the keys: which there are, a turn to a new one, and the end of an old one.

Law: no key is ever part of an answer; its id and its place are all that is said of it.
"""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, Field

from relay.admin.lists import PREFIX
from relay.admin.shapes import Moment, moment_or_none
from relay.core.keymark import KeyMark
from relay.errors import StoreKeyError
from relay.store.ports.keys import KeyState, KeyStillNeeded, Needs, UnknownKey


class Turned(Protocol):
    """What a rotation did."""

    @property
    def mark(self) -> KeyMark: ...

    @property
    def resealed(self) -> int: ...


class KeyKeeper(Protocol):
    """Who keeps the keys."""

    async def states(self) -> Sequence[KeyState]: ...

    async def rotate(self) -> Turned: ...

    async def retire(self, key: str, /) -> KeyMark: ...


class Key(BaseModel):
    """A key that the store needs."""

    id: str
    place: str = Field(description="The file that it is in, or RELAY_KEY.")
    since: Moment | None = Field(description="Since when it encrypts or encrypted; null: since the store was made.")
    encrypts: bool = Field(description="Whether what comes now is encrypted with it.")
    needed_by: list[Needs] = Field(description="What an older key is still needed by; empty: it can be retired.")


class Keys(BaseModel):
    """The keys of the store, the oldest first."""

    items: list[Key]
    next_cursor: None = None


class Rotated(BaseModel):
    """A turn to another key."""

    id: str
    place: str = Field(description="Where the new key is; back it up, apart from the data.")
    encrypted_anew: int = Field(description="Secrets and parts of the routing that the new key encrypts now.")


class Retired(BaseModel):
    """A key that nothing needs any more."""

    id: str
    place: str = Field(description="Its file may be removed; backups of the data made before still need it.")


def key_routes(desk: KeyKeeper) -> APIRouter:
    """Lists, rotates and retires keys."""
    routes = APIRouter(prefix=PREFIX)

    @routes.get("/keys", tags=["keys"], summary="List the keys of the store")
    async def keys() -> Keys:
        """Which keys the store needs, and what still needs the older ones."""
        return Keys(items=[_key_of(state) for state in await desk.states()])

    @routes.post("/keys/rotate", tags=["keys"], summary="Encrypt with a new key from now on")
    async def rotate() -> Rotated:
        """Secrets and routing are encrypted anew at once; mail keeps its key, which is needed until it is gone."""
        try:
            turned = await desk.rotate()
        except StoreKeyError as error:
            raise HTTPException(409, str(error)) from None
        return Rotated(id=turned.mark.id, place=turned.mark.place, encrypted_anew=turned.resealed)

    @routes.post("/keys/{id}/retire", tags=["keys"], summary="Do without an older key")
    async def retire(ident: Annotated[str, Path(alias="id", description="Of the key.", max_length=64)]) -> Retired:
        """Takes a key off the list, if nothing needs it; its file stays where it is."""
        try:
            mark = await desk.retire(ident)
        except UnknownKey as error:
            raise HTTPException(404, str(error)) from None
        except KeyStillNeeded as error:
            raise HTTPException(409, str(error)) from None
        return Retired(id=mark.id, place=mark.place)

    return routes


def _key_of(state: KeyState) -> Key:
    mark = state.mark
    return Key(
        id=mark.id,
        place=mark.place,
        since=moment_or_none(state.since),
        encrypts=state.seals,
        needed_by=list(state.needs),
    )
