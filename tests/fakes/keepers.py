"""Keepers of keys and secrets that remember what was asked of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from relay.app.keys import KeyTurn
from relay.core.keymark import KeyMark
from relay.core.secretuse import SecretUse, UseKind
from relay.errors import PermanentError
from relay.store.ports.keys import KeyState, KeyStillNeeded, Needs, UnknownKey
from relay.store.ports.secrets import SecretName

FIRST = KeyMark("1a2b3c4d" + "0" * 24, "/keys/relay.key")
SECOND = KeyMark("5e6f7a8b" + "0" * 24, "/keys/relay-5e6f7a8b.key")
SET_AT = 1_795_340_102_000_000


@dataclass
class FakeKeys:
    """Has two keys, of which the first is needed."""

    needs: tuple[Needs, ...] = (Needs.MAIL,)
    failure: Exception | None = None
    retired: list[str] = field(default_factory=list)

    async def states(self) -> Sequence[KeyState]:
        return [KeyState(FIRST, None, False, self.needs), KeyState(SECOND, SET_AT, True, ())]

    async def rotate(self) -> KeyTurn:
        if self.failure is not None:
            raise self.failure
        return KeyTurn(SECOND, 7)

    async def retire(self, key: str, /) -> KeyMark:
        if key != FIRST.id:
            raise UnknownKey(f"this store needs no key {key}")
        if self.needs:
            raise KeyStillNeeded(f"the key {key} is still needed by mail")
        self.retired.append(key)
        return FIRST


@dataclass
class FakeSecrets:
    """Keeps values by name, and knows one name that it refuses."""

    kept: dict[str, str] = field(default_factory=dict)
    users: list[str] = field(default_factory=list)
    warning: str | None = None

    async def names(self) -> Sequence[SecretName]:
        bound = SecretUse(UseKind.MAILBOX, "smtps.aruba.it", 465, is_encrypted=True, login="m.rossi@studio.test")
        return [SecretName("m.rossi", bound, SET_AT), SecretName("hook", None, SET_AT)]

    async def set_named(self, name: str, value: str, /) -> bool:
        if name == "bad":
            raise PermanentError("it holds control characters")
        is_new = self.kept.get(name) != value
        self.kept[name] = value
        return is_new

    def warning_of(self, name: str, value: str, /) -> str | None:
        return self.warning

    async def users_of(self, name: str, /) -> Sequence[str]:
        return self.users

    async def drop(self, name: str, /) -> bool:
        return self.kept.pop(name, None) is not None
