"""Bodies of mail that make trouble: dots, blocks, 8-bit octets, long lines.

Law: every one of them is lawful, with CRLF at the end of each line, and has to arrive octet by octet.
"""

import random

BLOCK = 65_536
_WORDS = (
    b".",
    b"..",
    b".x",
    b"",
    b" ",
    b"Gentile paziente",
    "perché".encode(),
    b"\xff\xfe",
    b"=20.",
    b"QUIT",
    b"From here",
)


def body(dice: random.Random, *, is_line_fast: bool) -> bytes:
    """Mostly small; some end just where a reader's block ends, if the line carries as much."""
    lines = [dice.choice(_WORDS) for _ in range(dice.randint(0, 12))]
    content = b"".join(line + b"\r\n" for line in lines)
    if dice.random() < 0.1 and is_line_fast:
        content += _filler(dice, dice.choice([1, 1, 2]) * BLOCK + dice.randint(-120, 20) - len(content))
    return content or b"\r\n"


def _filler(dice: random.Random, many: int) -> bytes:
    width = dice.choice([1, 70, 997, 20_000])
    line = b"." * 2 + b"z" * width + b"\r\n"
    whole = line * (many // len(line) + 1)
    return whole[: max(many - 2, 0)].rstrip(b"\r\n") + b"\r\n"
