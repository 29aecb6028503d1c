"""Whatever is typed, a guess is a usual domain one slip away or of the same name, and is found in bounded time."""

from hypothesis import given
from hypothesis import strategies as st

from relay.core.misspelling import SQUATTED, USUAL, meant

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-."


def distance(one: str, other: str) -> int:
    """Damerau's, in its simple form (optimal string alignment), by the textbook's table."""
    rows = [[max(i, j) if min(i, j) == 0 else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            is_other = one[i - 1] != other[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + is_other)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@st.composite
def slips(draw: st.DrawFn) -> tuple[str, str]:
    """A usual domain, and what is typed with one slip of a finger."""
    domain = draw(st.sampled_from([usual for usual in USUAL if len(usual) > 6]))
    at, letter = draw(st.integers(0, len(domain) - 1)), draw(st.sampled_from(LETTERS))
    head, tail = domain[:at], domain[at:]
    swapped = head + tail[1] + tail[0] + tail[2:] if len(tail) > 1 else tail[0] + head
    typed = draw(st.sampled_from([head + letter + tail, head + tail[1:], head + letter + tail[1:], swapped]))
    return domain, typed


@given(slips())
def test_one_slip_is_always_understood_as_something_near(slip: tuple[str, str]) -> None:
    domain, typed = slip
    if typed in USUAL or distance(typed, domain) > 1 or typed.endswith("."):
        return
    guess = meant(typed)
    assert guess is not None
    assert distance(typed, guess) <= 1 or typed in SQUATTED


@given(st.text(alphabet=LETTERS, max_size=300) | st.text(max_size=50))
def test_anything_may_be_typed(typed: str) -> None:
    guess = meant(typed)
    if guess is not None:
        assert guess in USUAL
        plain = typed.lower().rstrip(".")
        is_near = distance(plain, guess) <= 1
        assert is_near or plain in SQUATTED or plain.partition(".")[0] == guess.partition(".")[0]


@given(st.sampled_from(USUAL))
def test_what_is_right_is_left_alone(domain: str) -> None:
    assert meant(domain) is None
    assert meant(domain.upper()) is None
