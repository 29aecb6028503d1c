"""Asking the running relay over HTTP: where it listens, with the admin's token, and what an answer means for a verb.

Law: it talks to the address in relay.yaml and to no proxy, follows no redirect, and shows the token to nobody else.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from relay.cli.ending import Unreachable, WrongUse
from relay.config.loading import ConfigUnreadable, load_service
from relay.config.service import ServiceConfig
from relay.errors import ConfigError, PermanentError, TemporaryError

PATIENCE: float = 30.0
"""Seconds for an answer: the relay itself gives up on its store after ten."""

PAGE: int = 1000
"""Items asked for at once: the most that the relay gives."""

ON_ALL: Mapping[str, str] = MappingProxyType({"0.0.0.0": "127.0.0.1", "::": "::1"})  # noqa: S104 - nothing is bound
"""Addresses that mean all of this machine's, and the one at which to ask there."""

_IDENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")

Parameters = Mapping[str, str | list[str]]


class NoAnswer(PermanentError):
    """what listens there is not the relay"""


class NotFound(PermanentError):
    """there is none"""


class Refused(PermanentError):
    """the relay does not do this as things are"""


class TokenRefused(PermanentError):
    """the relay refuses the token"""


class CannotNow(TemporaryError):
    """the relay cannot answer now"""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a walk over pages found; `next_cursor` is not None where it was cut."""

    items: list[Any]
    next_cursor: str | None
    last: Mapping[str, Any]
    """The answer with the last page: what it says beside its items."""


@dataclass(frozen=True, slots=True)
class RelayApi:
    """The running relay; `token_file` is named when its content is refused."""

    client: httpx.Client = field(repr=False)
    place: str
    token_file: Path

    def get(self, path: str, parameters: Parameters | None = None) -> Any:
        """The JSON of an answer. Unreachable, or an error that says what is wrong."""
        return self._asked("GET", path, parameters=parameters)

    def post(self, path: str, body: Mapping[str, object] | None = None, *, patience: float = PATIENCE) -> Any:
        """The JSON of the answer to an order, within so many seconds; as `get`."""
        return self._asked("POST", path, body=body, patience=patience)

    def put(self, path: str, body: Mapping[str, object]) -> Any:
        """The JSON of the answer to what was put there; as `get`."""
        return self._asked("PUT", path, body=body)

    def delete(self, path: str) -> Any:
        """The JSON of the answer to what was taken away; as `get`."""
        return self._asked("DELETE", path)

    def _asked(
        self,
        method: str,
        path: str,
        *,
        parameters: Parameters | None = None,
        body: Mapping[str, object] | None = None,
        patience: float = PATIENCE,
    ) -> Any:
        try:
            answer = self.client.request(
                method, f"/api/v1/{path}", params=parameters, json=body, timeout=patience
            )  # fmt: skip
        except httpx.TimeoutException:
            raise Unreachable(f"the relay at {self.place} did not answer within {patience:.0f} s") from None
        except httpx.TransportError as error:
            raise Unreachable(_sentence(self.place, error)) from None
        return self._understood(answer)

    def walk(self, path: str, parameters: Parameters, most: int) -> Listing:
        """The items of a list, page after page, at most so many."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            page = {"limit": str(min(PAGE, most - len(items)))} | ({} if cursor is None else {"cursor": cursor})
            answer = self.get(path, {**parameters, **page})
            items += islice(answer["items"], most - len(items))
            cursor = answer["next_cursor"]
            if cursor is None or len(items) >= most:
                return Listing(items, cursor, answer)

    def _understood(self, answer: httpx.Response) -> Any:
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise NoAnswer(f"what listens at {self.place} is not the relay: it answered {answer.status_code}")
        detail = str(body.get("detail", answer.reason_phrase))
        match answer.status_code:
            case 200:
                return body
            case 400:
                raise WrongUse(detail)
            case 401:
                raise TokenRefused(
                    f"the relay at {self.place} refuses the token of {self.token_file}: "
                    "was the file changed since the start, or is it another relay that listens there?"
                )
            case 404:
                raise NotFound(detail)
            case 409 | 413 | 415:
                raise Refused(detail)
            case _:
                raise CannotNow(f"the relay at {self.place} cannot answer now: {detail}")


def ident(said: str, what: str) -> str:
    """An id as it stands in a path. NotFound: no `what` has one like that, and another path would be asked."""
    if not _IDENT.fullmatch(said):
        raise NotFound(f"there is no {what} {said!r}")
    return said


@contextmanager
def running_relay(config: Path) -> Iterator[RelayApi]:
    """The relay that runs on this relay.yaml. ConfigError, Unreachable: there is none to ask."""
    try:
        loaded = load_service(config, os.environ)
    except ConfigUnreadable as error:
        raise WrongUse(str(error)) from None
    if loaded.value is None:
        raise ConfigError("\n".join(map(str, loaded.problems)))
    token_file = loaded.value.data_dir / "admin.token"
    place = _place(loaded.value)
    with client_of(place, _token(token_file, place)) as client:
        yield RelayApi(client, place, token_file)


def client_of(place: str, token: str) -> httpx.Client:
    """Asks HOST:PORT with a token."""
    return httpx.Client(
        base_url=f"http://{place}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE,
        trust_env=False,  # a proxy of the environment is for the world outside
    )


def _place(config: ServiceConfig) -> str:
    """Where to ask: an address that means all of this machine's is asked at its loopback."""
    host, port = config.http.listen
    host = ON_ALL.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _token(path: Path, place: str) -> str:
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        raise Unreachable(f"no relay has run with this configuration yet: {path} is not there ({place})") from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds no token"
        raise PermanentError(
            f"{path} cannot be read: {str(why).lower()}; run this as the user that runs the relay"
        ) from None


def _sentence(place: str, error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError):
        return f"the relay is not reachable at {place}; is it running? (relay serve)"
    return f"the relay at {place} broke off its answer; is it stopping?"
