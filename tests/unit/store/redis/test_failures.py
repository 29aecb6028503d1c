import pytest
from redis import exceptions

from relay.errors import StoreBroken, StoreFull, StoreSilent, StoreUnavailable
from relay.store.redis.failures import AWAY, Deed, NotAllowed, translated

DEED = Deed("put.lua", ["relay:{aruba}:queue", "relay:{relay}:t:messages"])
SECRET = "patient@example.it"

SIX = "Error running script (call to f_0a): @user_script:12: @user_script: 12: -"
"""How Redis 6.2 wraps what a command inside a script met."""


@pytest.mark.parametrize("wrapped", ["", SIX])
@pytest.mark.parametrize("code", sorted(AWAY))
def test_not_now_is_away_and_certain(code: str, wrapped: str):
    error = translated(exceptions.ResponseError(f"{wrapped}{code} something"), "h:1", DEED, is_sent=True)
    assert type(error) is StoreUnavailable
    assert not error.is_unknown
    assert str(error) == f"h:1 {AWAY[code]}"


@pytest.mark.parametrize("wrapped", ["", SIX])
def test_no_memory_is_full(wrapped: str):
    error = exceptions.ResponseError(f"{wrapped}OOM command not allowed when used memory > 'maxmemory'.")
    assert type(translated(error, "h:1", DEED, is_sent=True)) is StoreFull


@pytest.mark.parametrize("error", [exceptions.ConnectionError("gone"), exceptions.TimeoutError("late")])
def test_lost_reply_is_unknown_once_the_command_was_sent(error: exceptions.RedisError):
    assert type(translated(error, "h:1", DEED, is_sent=True)) is StoreSilent
    assert type(translated(error, "h:1", DEED, is_sent=False)) is StoreUnavailable


@pytest.mark.parametrize("wrapped", ["", SIX])
def test_broken_names_script_line_and_keys_and_no_value(wrapped: str):
    error = exceptions.ResponseError(f"{wrapped}user_script:12: attempt to compare '{SECRET}' with nil")
    told = translated(error, "h:1", DEED, is_sent=True)
    assert type(told) is StoreBroken
    assert str(told) == (
        "h:1: put.lua failed: an error in the script at line 12, at relay:{aruba}:queue or relay:{relay}:t:messages"
    )


def test_what_the_acl_forbids_says_so():
    error = exceptions.NoPermissionError("this user has no permissions", status_code="NOPERM")
    assert type(translated(error, "h:1", DEED, is_sent=True)) is NotAllowed
