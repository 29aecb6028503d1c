"""The ways to log in, held to the examples of those who defined them."""

from base64 import b64decode, b64encode

import pytest

from relay.core.routing import Auth
from relay.delivery.mechanisms import BadChallenge, BadCredentials, Credentials, Exchange, Mechanism, choose

MARIO = Credentials("mario@example.it", "segreta")


# which one


@pytest.mark.parametrize(
    ("auth", "offered", "chosen"),
    [
        (Auth.PASSWORD, ["login", "plain", "cram-md5"], Mechanism.PLAIN),
        (Auth.PASSWORD, ["cram-md5", "login"], Mechanism.LOGIN),
        (Auth.PASSWORD, ["ntlm", "cram-md5"], Mechanism.CRAM_MD5),
        (Auth.PASSWORD, ["xoauth2", "oauthbearer", "gssapi"], None),
        (Auth.PASSWORD, [], None),
        (Auth.OAUTH2, ["plain", "login", "xoauth2"], Mechanism.XOAUTH2),
        (Auth.OAUTH2, ["plain", "login"], None),
        (Auth.NONE, ["plain"], None),
    ],
)
def test_one_is_chosen_that_fits_the_credential(auth: Auth, offered: list[str], chosen: Mechanism | None) -> None:
    assert choose(auth, offered) is chosen


# what is said


def test_plain_says_everything_at_once() -> None:
    """The example of RFC 4616, 4."""
    exchange = Exchange(Mechanism.PLAIN, Credentials("tim", "tanstaaftanstaaf"))
    assert exchange.command == b"AUTH PLAIN " + b64encode(b"\0tim\0tanstaaftanstaaf")


def test_login_answers_twice_whatever_is_asked() -> None:
    exchange = Exchange(Mechanism.LOGIN, MARIO)
    assert exchange.command == b"AUTH LOGIN"
    answers = [exchange.answer("VXNlcm5hbWU6"), exchange.answer("no base64 at all!")]
    assert [b64decode(answer) for answer in answers] == [b"mario@example.it", b"segreta"]


def test_cram_md5_keys_the_challenge() -> None:
    """The example of RFC 2195, 2."""
    exchange = Exchange(Mechanism.CRAM_MD5, Credentials("tim", "tanstaaftanstaaf"))
    assert exchange.command == b"AUTH CRAM-MD5"
    answer = exchange.answer("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+")
    assert answer == b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw"


def test_xoauth2_shows_the_token_and_answers_a_refusal_with_an_empty_line() -> None:
    """The example of Google's page on XOAUTH2."""
    token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
    exchange = Exchange(Mechanism.XOAUTH2, Credentials("someuser@example.com", token))
    assert exchange.command == (
        b"AUTH XOAUTH2 dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQm"
        b"hkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
    )
    assert exchange.answer("eyJzdGF0dXMiOiI0MDEifQ==") == b""


@pytest.mark.parametrize(("mechanism", "turns"), [("plain", 0), ("login", 2), ("cram-md5", 1), ("xoauth2", 1)])
def test_a_provider_that_goes_on_asking_is_not_answered(mechanism: str, turns: int) -> None:
    exchange = Exchange(Mechanism(mechanism), MARIO)
    for _ in range(turns):
        exchange.answer("YQ==")
    with pytest.raises(BadChallenge):
        exchange.answer("YQ==")


@pytest.mark.parametrize("challenge", ["no base64!", "a", "Zürich"])
def test_a_challenge_that_is_none_is_not_keyed(challenge: str) -> None:
    with pytest.raises(BadChallenge):
        Exchange(Mechanism.CRAM_MD5, MARIO).answer(challenge)


@pytest.mark.parametrize("mechanism", list(Mechanism))
@pytest.mark.parametrize("evil", ["a\0b", "a\r\nMAIL FROM:<x@y>", "a\1auth=Bearer x"])
def test_nothing_in_a_credential_can_be_taken_for_anything_else(mechanism: Mechanism, evil: str) -> None:
    for credentials in (Credentials(evil, "x"), Credentials("x", evil)):
        with pytest.raises(BadCredentials) as caught:
            Exchange(mechanism, credentials)
        assert evil not in str(caught.value)


def test_names_and_passwords_outside_ascii_go_as_utf8() -> None:
    exchange = Exchange(Mechanism.PLAIN, Credentials("josé", "però€"))
    assert b64decode(exchange.command.split()[-1]) == "\0josé\0però€".encode()


def test_no_secret_shows() -> None:
    assert "segreta" not in repr(MARIO)


@pytest.mark.parametrize("mechanism", [Mechanism.PLAIN, Mechanism.LOGIN])
def test_what_we_said_is_not_in_an_answer_that_quotes_it(mechanism: Mechanism) -> None:
    exchange = Exchange(mechanism, Credentials("m.rossi@d.test", "segreta"))
    said = [exchange.command.decode()]
    if mechanism is Mechanism.LOGIN:
        said += [exchange.answer(challenge).decode() for challenge in ("Username:", "Password:")]
    answer = exchange.censored(f"5.7.8 bad password segreta; you said: {'; '.join(said)}")
    assert "segreta" not in answer
    assert b64encode(b"segreta").decode() not in answer
    assert b64encode(b"\0m.rossi@d.test\0segreta").decode() not in answer
    assert answer.startswith("5.7.8 bad password <secret>; you said: AUTH")
    assert Exchange(mechanism, Credentials("m", "a")).censored("a bad day") == "a bad day"
