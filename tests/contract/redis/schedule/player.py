"""The Lua schedule on a real server, asked as core's is: each call is one script, each instant is an argument.

Law: what is compared is what the scripts answer and what they keep; no Python decides anything here.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from relay.core.words import Lane, MailboxId
from relay.store.redis.scripts import Script, Source, assemble, libraries, load_script
from tests.fakes.redisservers import Server

PLAY = """-- Plays one call of a test: ARGV its name, its arguments as JSON, the instant.
-- needs: keys schedule verbs_schedule line
local name, args, now = ARGV[1], cjson.decode(ARGV[2]), tonumber(ARGV[3])
if verbs_schedule[name] then
  local fault = verbs_schedule.check(name, args)
  if fault then return redis.error_reply(fault) end
  verbs_schedule[name](args, now)
  return "OK"
end
local fault = schedule.check_round()
if fault then return redis.error_reply(fault) end
if name == "grant" then return schedule.grant(now, args[1], args[2]) end
if name == "open" then return schedule.open_sessions(now, args[1]) end
if name == "close" then return schedule.close_sessions(now, args[1]) end
if name == "wake" then return schedule.wake_at(now, args[1]) or -1 end
if name == "spent" then return schedule.has_logged_in(args[1], args[2], now) and 1 or 0 end
if name == "rest" then return schedule.rest(now, args[1]) end
if name == "remember" then
  redis.call("ZADD", keys.at(args[1], "ends", args[2]), args[4], args[3])
  return redis.call("ZADD", keys.of(args[1], "ends"), args[4], args[3])
end
if name == "state" then
  local found = {}
  for index, each in ipairs(args) do
    local self = line.look(each[1], each[2])
    found[index] = {
      self.turn or -1, self.credit, self.alarm or -1, self.is_in_wanting and 1 or 0, self.sessions, self.opening,
      self.express, self.bulk, self.provider.sessions, self.provider.opening,
    }
  end
  return found
end
return redis.error_reply("no such call: " .. name)
"""


@dataclass(frozen=True, slots=True)
class Granted:
    """What a grant says, and the number of its attempt."""

    mailbox: MailboxId
    account: str
    lane: Lane
    delivery: int
    is_probe: bool
    attempt: str


def play_script(faults: Mapping[str, tuple[str, str]] | None = None) -> Script:
    """The script with the libraries as they are, or with faults: of a library, what is put for what."""
    known = libraries()
    for name, (right, wrong) in (faults or {}).items():
        assert right in known[name].text, f"{name}.lua has no such line any more: {right}"
        known = {**known, name: Source(name, known[name].text.replace(right, wrong), known[name].needs)}
    return assemble(Source.of("play", PLAY), known)


class Player:
    """The schedule of one server."""

    def __init__(self, client: redis.Redis, script: Script) -> None:
        self.client = client
        self._sha = client.script_load(script.text)
        self._reading: dict[str, Any] = {}

    def forget(self) -> None:
        """The server is empty again."""
        self.client.flushall()

    def call(self, name: str, now: int, *args: Any) -> Any:
        """One script; a refusal is an error of redis-py."""
        return self.client.evalsha(self._sha, 0, name, json.dumps(args), now)

    def read(self, name: str, args: Sequence[str | int]) -> Any:
        """As RedisSchedule reads: a script of the shipped ones."""
        if name not in self._reading:
            self._reading[name] = self.client.script_load(load_script(name).text)
        return self.client.evalsha(self._reading[name], 0, *args)

    def grant(self, now: int, idle: Mapping[MailboxId, int], most: int) -> list[Granted]:
        return [_granted(row) for row in self.call("grant", now, _listed(idle), most)]

    def open(self, now: int, most: int) -> dict[MailboxId, int]:
        return dict(_counted(self.call("open", now, most)))

    def close(self, now: int, idle: Mapping[MailboxId, int]) -> dict[MailboxId, int]:
        return dict(_counted(self.call("close", now, _listed(idle))))

    def wake_at(self, now: int, idle: Mapping[MailboxId, int]) -> int | None:
        at = self.call("wake", now, _listed(idle))
        return None if at < 0 else int(at)

    def remember(self, mailbox: MailboxId, name: str, ended: int) -> None:
        """An attempt of the past, as a move from another store brings it."""
        self.call("remember", ended, *mailbox, name, ended)

    def first(self, key: str) -> int:
        """The oldest delivery of a queue."""
        found: Any = self.client.zrange(key, 0, 0)
        return int(found[0])

    def state(self, mailboxes: Iterable[MailboxId], now: int) -> dict[MailboxId, list[int]]:
        named = list(mailboxes)
        return dict(zip(named, self.call("state", now, *map(list, named)), strict=True))


def _granted(row: Sequence[Any]) -> Granted:
    provider, username, account, lane, delivery, is_probe, attempt = row
    mailbox = MailboxId(provider.decode(), username.decode())
    return Granted(mailbox, account.decode(), Lane(lane.decode()), int(delivery), bool(is_probe), attempt.decode())


def _listed(idle: Mapping[MailboxId, int]) -> list[list[Any]]:
    return [[*mailbox, many] for mailbox, many in idle.items()]


def _counted(rows: Sequence[Any]) -> Iterator[tuple[MailboxId, int]]:
    for provider, username, many in rows:
        yield MailboxId(provider.decode(), username.decode()), int(many)


def player_of(started: Server, **faults: tuple[str, str]) -> Player:
    """The schedule on this server."""
    return Player(started.client(), play_script(faults))
