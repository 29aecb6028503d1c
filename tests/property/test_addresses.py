"""The reader of addresses against a printer, and against anything at all."""

from hypothesis import assume, example, given
from hypothesis import strategies as st

from relay.core.address import is_address, read_mailboxes, read_path

ATEXT = "abcXYZ019!#$%&'*+/=?^_`{|}~-éλ"
atoms = st.text(ATEXT, min_size=1, max_size=8)
locals_ = st.one_of(
    st.lists(atoms, min_size=1, max_size=3).map(".".join),
    st.text("ab @.,<>()é", max_size=8).map(lambda text: f'"{text}"'),
)
labels = st.text("abcXYZ019é", min_size=1, max_size=10)
addresses = st.builds("{}@{}".format, locals_, st.lists(labels, min_size=1, max_size=4).map(".".join))

space = st.sampled_from(["", " ", "\t", " \t "])
comment = st.text("ab c", max_size=5).map(lambda text: f"({text})")
gap = st.one_of(space, st.builds("{}{}{}".format, space, comment, space))
quoted = st.text("ab @.,<>;:é", max_size=10).map(lambda text: f'"{text}"')
phrase = st.lists(st.one_of(atoms, quoted), min_size=1, max_size=3).map(" ".join)
written = st.one_of(
    st.builds("{1}{0}{2}".format, addresses, gap, gap),
    st.builds("{1}{2}{3}<{0}>{3}".format, addresses, gap, phrase, gap),
    st.builds("<{0}>{1}".format, addresses, gap),
)


@given(addresses)
def test_every_address_that_is_written_by_the_grammar_is_one(address: str) -> None:
    assert is_address(address)


@given(addresses, st.sampled_from(["", "SIZE=1", "BODY=8BITMIME SIZE=2"]))
def test_a_path_gives_back_its_address_and_parameters(address: str, parameters: str) -> None:
    assert read_path(f"<{address}> {parameters}") == (address, parameters)


@given(st.lists(st.tuples(addresses, st.integers(0, 2), phrase, gap, gap), min_size=1, max_size=4))
def test_a_list_gives_back_its_addresses_in_order(entries: list[tuple[str, int, str, str, str]]) -> None:
    forms = ("{1}{0}{2}", "{3} {1}<{0}>{2}", "{1}<{0}>{2}")
    value = ",".join(forms[form].format(address, before, after, name) for address, form, name, before, after in entries)
    assert read_mailboxes(value) == tuple(address for address, *_ in entries)


@given(st.lists(addresses, min_size=1, max_size=3), phrase)
def test_a_group_gives_back_its_members(members: list[str], name: str) -> None:
    assert read_mailboxes(f"{name}: {', '.join(members)};") == tuple(members)


@given(addresses, addresses)
def test_an_address_is_never_taken_for_a_name(first: str, second: str) -> None:
    assume(not first.startswith('"'))
    assert read_mailboxes(f"{first} <{second}>") is None


@given(st.text(max_size=60))
@example("a@b.it (")
@example("<>")
def test_whatever_is_read_is_an_address_and_stands_in_the_text(value: str) -> None:
    for address in read_mailboxes(value) or ():
        assert is_address(address)
        local, _, domain = address.rpartition("@")
        assert all(part in value for part in (*local.split("."), *domain.split(".")) if part)


@given(st.text(alphabet='ab@.<>(),:;"\\ []', max_size=30))
def test_no_text_of_special_characters_breaks_the_reader(value: str) -> None:
    for address in read_mailboxes(value) or ():
        assert is_address(address)
    path = read_path(value)
    assert path is None or path[0] in value
