"""Why a handshake failed is said in a few words, and never with an address."""

import errno
import ssl

import pytest

from relay.submission.encryption import said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"), "no tls"),
        (ConnectionResetError(), "the client hung up"),
        (
            ConnectionAbortedError("SSL handshake is taking longer"),
            "the client took too long",
        ),
        (TimeoutError(), "the client took too long"),
        (OSError(errno.EPIPE, "Broken pipe", "192.0.2.7"), "broken pipe"),
        (OSError("192.0.2.7"), "oserror"),
    ],
)
def test_the_cause_in_a_few_words(error: OSError, words: str) -> None:
    assert said(error) == words
