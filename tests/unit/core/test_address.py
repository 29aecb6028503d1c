"""An address that cannot be read beyond doubt is refused; one that is read stays as it was written."""

import pytest

from relay.core.address import is_address, read_mailboxes, read_path, split_mailboxes

LONGEST_LOCAL = "l" * 64


class TestWhatAnAddressIs:
    @pytest.mark.parametrize(
        "text",
        [
            "m.rossi@studiorossi.it",
            "M.ROSSI@StudioRossi.IT",
            "a@b",
            "user+tag@mail.example",
            "!#$%&'*+/=?^_`{|}~-@x.it",
            '"mario rossi"@x.it',
            '"a@b"@x.it',
            r'"a\"b"@x.it',
            '""@x.it',
            "a@[192.0.2.1]",
            "a@[IPv6:2001:db8::1]",
            "a@1-2.x",
            f"{LONGEST_LOCAL}@x.it",
            "josé@esempio.it",
            "a@città.it",
        ],
    )
    def test_is_taken(self, text: str) -> None:
        assert is_address(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "a",
            "@",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@b c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a@b.",
            "a@.b",
            "a@b..c",
            "a@-b.c",
            "a@b-.c",
            "a@b_c",
            f"a@{'l' * 64}.it",
            f"{LONGEST_LOCAL}l@x.it",
            f"{'è' * 33}@x.it",
            "a@" + ".".join(["l" * 63] * 4),
            "è@" + ".".join(["l" * 63] * 4)[:250] + ".it",
            "a@[]",
            "a@[1 2]",
            "a@[1.2.3.4",
            '"a@b',
            '"a"b@c',
            "<a@b>",
            "a,b@c",
            "a(b)@c",
            "a@b\r\n",
            "a\r@b",
            "a\x00@b",
            "a\x7f@b",
            '"a\r\nb"@c',
            "a\u202eb@c.it",
            "a\u0085b@c.it",
            "a\u2028@c.it",
            "a\udce9@c.it",
        ],
    )
    def test_is_refused(self, text: str) -> None:
        assert not is_address(text)


class TestThePathOfACommand:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("<a@b>", ("a@b", "")),
            ("<a@b> SIZE=12 BODY=8BITMIME", ("a@b", "SIZE=12 BODY=8BITMIME")),
            (" <a@b>  SIZE=12 ", ("a@b", "SIZE=12 ")),
            ("<>", ("", "")),
            ("<> SIZE=1", ("", "SIZE=1")),
            ("a@b", ("a@b", "")),
            ("a@b SIZE=1", ("a@b", "SIZE=1")),
            ('<"a> b"@c> X', ('"a> b"@c', "X")),
            (r'<"a\"> b"@c>', (r'"a\"> b"@c', "")),
            ("<not an address>", ("not an address", "")),
        ],
    )
    def test_is_split_from_its_parameters(self, text: str, expected: tuple[str, str]) -> None:
        assert read_path(text) == expected

    @pytest.mark.parametrize("text", ["", "   ", "<a@b", "a@b>", "<a@b>SIZE=1", "<a<b>", "<<a@b>>", '<"a@b>'])
    def test_is_none(self, text: str) -> None:
        assert read_path(text) is None


class TestTheMailboxesOfAField:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("a@b.it", ("a@b.it",)),
            ("  a@b.it\t", ("a@b.it",)),
            ("<a@b.it>", ("a@b.it",)),
            ("Mario Rossi <a@b.it>", ("a@b.it",)),
            ("Dr. M. Rossi <a@b.it>", ("a@b.it",)),
            ('"Rossi, Mario" <a@b.it>', ("a@b.it",)),
            (r'"Rossi \"il dottore\"" <a@b.it>', ("a@b.it",)),
            ("=?utf-8?q?Andr=C3=A9?= <a@b.it>", ("a@b.it",)),
            ("André <a@b.it>", ("a@b.it",)),
            ("Mario<a@b.it>", ("a@b.it",)),
            ("A@B.IT", ("A@B.IT",)),
            ("a@b.it, c@d.it", ("a@b.it", "c@d.it")),
            ("X <a@b.it>,, Y <c@d.it>,", ("a@b.it", "c@d.it")),
            ("a@b.it (Mario (il dottore))", ("a@b.it",)),
            (r"a@b.it (a \) paren)", ("a@b.it",)),
            ("(c) a (c) . (c) b @ (c) d . it", ("a.b@d.it",)),
            ("Studio: a@b.it, Y <c@d.it>;", ("a@b.it", "c@d.it")),
            ("Studio: a@b.it;, c@d.it", ("a@b.it", "c@d.it")),
            ("undisclosed-recipients:;", ()),
            ("", ()),
            ('"a b"@c.it', ('"a b"@c.it',)),
            ("X <a@[192.0.2.1]>", ("a@[192.0.2.1]",)),
        ],
    )
    def test_are_found(self, value: str, expected: tuple[str, ...]) -> None:
        assert read_mailboxes(value) == expected

    @pytest.mark.parametrize(
        "value",
        [
            "Mario Rossi",
            "Rossi, Mario <a@b.it>",
            "evil@x.it <a@b.it>",
            "a@b.it <c@d.it>",
            "a@b.it c@d.it",
            "<a@b.it> <c@d.it>",
            "<a@b.it",
            "a@b.it>",
            "Mario <a@b.it> Rossi",
            "Mario <>",
            "Mario <a b@c.it>",
            "Mario <@x.it:a@b.it>",
            "<a..b@c.it>",
            "a..b@c.it",
            "a@b.it (open",
            "a@b.it \\",
            '"open <a@b.it>',
            "alice@example.org)bob@x.it",
            "a@b.it; c@d.it",
            "Studio: a@b.it",
            ": a@b.it;",
            "X: Y: a@b.it;;",
            "a@x: b@c.it;",
            "a@b.it\x00",
            "a@[1[2].it",
        ],
    )
    def test_are_refused_where_two_readers_could_differ(self, value: str) -> None:
        assert read_mailboxes(value) is None

    def test_deep_comments_are_no_deep_recursion(self) -> None:
        assert read_mailboxes("(" * 50_000 + ")" * 50_000 + "a@b.it") == ("a@b.it",)

    def test_what_is_long_and_wrong_is_refused_in_linear_time(self) -> None:
        for value in (" " * 200_000 + "!", "a " * 100_000, "<" * 100_000, '"' * 99_999, "a@" * 100_000, "(" * 100_000):
            assert read_mailboxes(value) is None


class TestTheMailboxesOfAListAsTheyAreWritten:
    @pytest.mark.parametrize(
        ("value", "parts"),
        [
            (" a@x.it", [" a@x.it"]),
            (' "A, B" <a@x.it>,\r\n C (d, e) <c@x.it>', [' "A, B" <a@x.it>', "\r\n C (d, e) <c@x.it>"]),
            ("a@x.it,, b@x.it", ["a@x.it", "", " b@x.it"]),
        ],
    )
    def test_are_parted_at_their_commas(self, value: str, parts: list[str]) -> None:
        assert split_mailboxes(value) == parts

    @pytest.mark.parametrize("value", ["Studio: a@x.it, b@x.it;", "a@x.it (", '"a'])
    def test_are_left_alone_where_that_is_not_all_there_is(self, value: str) -> None:
        assert split_mailboxes(value) is None
