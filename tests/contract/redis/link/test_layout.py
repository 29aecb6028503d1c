"""A store that another relay, a newer one or somebody else wrote is not written to."""

from contextlib import closing

import pytest

from relay.errors import StoreBroken, StoreMoved, StoreReplaced, StoreTooNew
from relay.store.redis.layout import LAYOUT, scripts_version
from relay.store.redis.rowkeys import META
from tests.contract.redis.link.scene import STORE, link_to, rules
from tests.fakes.redisservers import Server


def test_new_store_is_marked_and_known_again(redis_server: Server):
    with closing(link_to(redis_server, rules(scripts="s1"))) as link, redis_server.client() as client:
        link.open()
        assert link.store_id == STORE
        assert client.hgetall(META) == {b"layout": b"%d" % LAYOUT, b"store_id": STORE.encode(), b"scripts": b"s1"}
        with closing(link_to(redis_server, rules(store_id=STORE, scripts="s2"))) as newer:
            newer.open()
        assert client.hget(META, "scripts") == b"s2", "whose scripts wrote last is recorded"


def test_store_of_a_newer_relay_is_refused_with_a_sentence(one_server: Server):
    newer = {"layout": LAYOUT + 1, "store_id": STORE, "scripts": "s9"}
    with closing(link_to(one_server)) as link, one_server.client() as client:
        client.hset(META, mapping=newer)
        with pytest.raises(StoreTooNew, match=r"^this store was written by a newer relay \(layout 2; this one knows 1"):
            link.open()
        assert client.hget(META, "scripts") == b"s9", "nothing was written"


@pytest.mark.parametrize("many", [1, 5000])
def test_foreign_keys_under_our_name_are_refused(one_server: Server, many: int):
    with closing(link_to(one_server)) as link, one_server.client() as client:
        client.mset({f"other:{number}": "x" for number in range(many)})
        client.set("relay:lights", "on")
        with pytest.raises(StoreBroken, match=r"holds keys under relay: .* \(as relay:lights\)"):
            link.open()
        assert not client.exists(META)


def test_foreign_keys_of_other_names_are_none_of_our_business(one_server: Server):
    with closing(link_to(one_server)) as link, one_server.client() as client:
        client.set("lights", "on")
        link.open()
        assert link.store_id == STORE


def test_mark_that_is_no_mark_is_refused(redis_server: Server):
    with closing(link_to(redis_server)) as link, redis_server.client() as client:
        client.set(META, "x")
        with pytest.raises(StoreBroken, match=r"layout\.lua failed: WRONGTYPE.*, at relay:\{relay\}:meta"):
            link.open()


def test_another_store_than_before_is_refused_and_not_written_to(one_server: Server):
    with closing(link_to(one_server, rules(scripts="s1"))) as link:
        link.open()
    told = pytest.raises(StoreReplaced, match="has store store-1 in it, and this relay has mail of store store-0")
    with closing(link_to(one_server, rules(store_id="store-0", scripts="s2"))) as link, told:
        link.open()
    with one_server.client() as client:
        assert client.hget(META, "scripts") == b"s1", "nothing was written"


@pytest.mark.parametrize(
    ("change", "error"), [({"barred": "it was moved to elsewhere"}, StoreMoved), ({"store_id": ""}, StoreBroken)]
)
def test_store_that_is_refused_for_what_it_says_is_not_written_to(one_server: Server, change, error):
    with closing(link_to(one_server, rules(scripts="s1"))) as link, one_server.client() as client:
        link.open()
        client.hset(META, mapping=change)
        with closing(link_to(one_server, rules(scripts="s2"))) as other, pytest.raises(error):
            other.open()
        assert client.hget(META, "scripts") == b"s1", "nothing was written"


def test_store_that_came_back_empty_is_refused_while_the_relay_runs(redis_server: Server):
    with closing(link_to(redis_server)) as link:
        link.open()
        redis_server.stop()
        redis_server.forget()
        redis_server.start()
        with pytest.raises(StoreReplaced, match="has no store in it, and store store-1 was there before"):
            link.open()
        with redis_server.client() as client:
            assert client.dbsize() == 0, "nothing was written"


def test_version_of_the_scripts_is_that_of_their_texts():
    assert scripts_version() == scripts_version()
    assert len(scripts_version()) == 12
