import pytest

from relay.errors import ConfigError
from relay.store.redis.address import Address, Host, Login, Scheme, parse_address

SECRET = "ge:h@im"
AT = "ge%3Ah%40im"


@pytest.mark.parametrize(
    ("text", "shown", "address"),
    [
        ("redis://h", "redis://h:6379", Address(Scheme.PLAIN, (Host("h", 6379),))),
        ("redis://h:1/2", "redis://h:1/2", Address(Scheme.PLAIN, (Host("h", 1),), db=2)),
        ("redis://[::1]:7/0", "redis://[::1]:7", Address(Scheme.PLAIN, (Host("::1", 7),))),
        (f"redis://:{AT}@h", "redis://h:6379", Address(Scheme.PLAIN, (Host("h", 6379),), Login(None, SECRET))),
        (f"rediss://u:{AT}@h?ca=/ca.pem", "rediss://h:6379",
         Address(Scheme.TLS, (Host("h", 6379),), Login("u", SECRET), ca="/ca.pem")),
        ("unix:///run/redis?db=3", "unix:///run/redis/3", Address(Scheme.UNIX, (Host("/run/redis"),), db=3)),
        (f"redis+sentinel://u:{AT}@a:1,b,[::2]:3/mail/4", "redis+sentinel://a:1,b:26379,[::2]:3/mail/4",
         Address(Scheme.SENTINEL, (Host("a", 1), Host("b", 26379), Host("::2", 3)), Login("u", SECRET), 4, "mail")),
    ],
)  # fmt: skip
def test_address_is_read_and_shown_without_secrets(text: str, shown: str, address: Address):
    assert parse_address(text) == address
    assert str(parse_address(text)) == shown
    assert SECRET not in repr(parse_address(text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://h", "unknown kind of address"),
        ("redis:h", "unknown kind of address"),
        (f"redis://u:{AT}@", "a host is missing"),
        (f"redis://u:{AT}@h:0", "the port of h is not a number"),
        (f"redis://u:{AT}@h:99999", "the port of h is not a number"),
        (f"redis://u:{AT}@h:x", "the port of h is not a number"),
        (f"redis://u:{AT}@h:{'6' * 5000}", "the port of h is not a number"),
        (f"redis://u:{AT}@h/{'1' * 5000}", "the database is not a number"),
        (f"redis://u:{AT}@[::1]6379", r"after \[::1\] comes : and the port"),
        (f"redis://u:{AT}@{'a' * 64}.it", "a host is not one"),
        (f"redis://u:{AT}@a..it", "a host is not one"),
        (f"redis://u:{AT}@a b", "a host is not one"),
        (f"redis+sentinel://u:{AT}@a,{'b' * 64}/mail", "a host is not one"),
        (f"rediss://u:{AT}@h?ca=ca.pem", "the path of a file, beginning with /"),
        ("unix:///run/a%00b", "it has a NUL"),
        (f"redis://u:{AT}@h/x", "the database is not a number"),
        (f"redis://u:{AT}@h/1/2", "the path is too long"),
        (f"redis://u:{AT}@h,i", "takes several hosts"),
        (f"redis://u:{AT}@h?ca=x", "an option that is not known"),
        (f"redis://{AT}@h", "before @ comes user:password"),
        (f"redis://u:{AT}/@h", "the port of u is not a number|write %23"),
        (f"redis://u:{AT}#@h", "the port of u is not a number|write %23"),
        (f"redis://u:{AT}@[h", "the host is not one"),
        (f"unix://u:{AT}@h/run", "comes the path of the socket"),
        ("unix://", "comes the path of the socket"),
        (f"redis+sentinel://u:{AT}@h:1", "comes the name by which they know the primary"),
        (f"redis+sentinel://u:{AT}@h:1/mail/x", "the database is not a number"),
    ],
)
def test_wrong_address_says_what_is_wrong_and_no_password(text: str, why: str):
    with pytest.raises(ConfigError, match=why) as caught:
        parse_address(text)
    assert AT not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert str(caught.value).startswith("store: ")
