"""The routing is watched: every way to edit it is noticed, a bad edit yields its problems, the same again nothing."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from relay.config import watch
from relay.config.part import Part
from relay.config.problems import Loaded, has_errors
from relay.config.references import References
from relay.config.routing import load_routing, read_parts_here
from relay.config.watch import RoutingWatch, SecretFiles, read_parts_in, secret_files
from relay.core.routing import Routing

LAB = "providers: {lab: {host: 127.0.0.1, port: 2526, tls: none}}\n"
PATIENCE = 20.0


def accounts(*names: str, weight: int = 1) -> str:
    return LAB + "accounts:\n" + "".join(f"  {name}@d.test: {{provider: lab, weight: {weight}}}\n" for name in names)


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@asynccontextmanager
async def watched(path: Path, executor: Executor) -> AsyncIterator[AsyncIterator[Loaded[Routing]]]:
    """The changes of a routing that was loaded."""
    changes = RoutingWatch(path, References({}), executor=executor, look_every=0.002)
    await changes.load()
    stream = changes.changes()
    yield stream
    await stream.aclose()  # type: ignore[attr-defined]


async def following(changes: AsyncIterator[Loaded[Routing]]) -> Loaded[Routing]:
    async with asyncio.timeout(PATIENCE):
        return await anext(changes)


def senders(loaded: Loaded[Routing]) -> list[str]:
    assert loaded.value is not None, loaded.problems
    return [sender.partition("@")[0] for sender in loaded.value.accounts]


async def test_an_edit_in_place_is_noticed(tmp_path: Path, executor: Executor) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(accounts("anna"))
    async with watched(path, executor) as changes:
        path.write_text(accounts("anna", "bruno"))
        assert senders(await following(changes)) == ["anna", "bruno"]
        with path.open("a") as file:
            file.write("  carla@d.test: {provider: lab}\n")
        assert senders(await following(changes)) == ["anna", "bruno", "carla"]


async def test_a_file_renamed_over_it_is_noticed(tmp_path: Path, executor: Executor) -> None:
    path, new = tmp_path / "routing.yaml", tmp_path / "new"
    path.write_text(accounts("anna"))
    async with watched(path, executor) as changes:
        new.write_text(accounts("dora"))
        os.utime(new, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        new.rename(path)
        assert senders(await following(changes)) == ["dora"], "same size and same time of change, another file"


async def test_a_swapped_symbolic_link_is_noticed(tmp_path: Path, executor: Executor) -> None:
    for folder, name in (("one", "anna"), ("two", "dora")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "routing.yaml").write_text(accounts(name))
    current, new = tmp_path / "current", tmp_path / "new"
    current.symlink_to("one")
    async with watched(current / "routing.yaml", executor) as changes:
        new.symlink_to("two")
        new.rename(current)
        assert senders(await following(changes)) == ["dora"]


async def test_files_that_come_to_a_folder_and_leave_it_are_noticed(tmp_path: Path, executor: Executor) -> None:
    (tmp_path / "a.yaml").write_text(accounts("anna"))
    async with watched(tmp_path, executor) as changes:
        (tmp_path / "b.yaml").write_text("accounts: {bruno@d.test: {provider: lab}}\n")
        assert senders(await following(changes)) == ["anna", "bruno"]
        (tmp_path / "b.yaml").unlink()
        assert senders(await following(changes)) == ["anna"]


async def test_a_bad_edit_yields_its_problems_and_the_cure_the_routing_again(
    tmp_path: Path, executor: Executor
) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(accounts("anna"))
    async with watched(path, executor) as changes:
        path.write_text(accounts("anna") + "acounts: {}\n")
        refused = await following(changes)
        assert refused.value is None
        assert [problem.text for problem in refused.problems if "unknown" in problem.text] != []
        path.write_text(accounts("anna"))
        cured = await following(changes)
        assert senders(cured) == ["anna"]
        assert not has_errors(cured.problems)


async def test_a_routing_that_is_taken_away_is_a_bad_edit(tmp_path: Path, executor: Executor) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(accounts("anna"))
    async with watched(path, executor) as changes:
        path.unlink()
        assert (await following(changes)).value is None
        path.write_text(accounts("dora"))
        assert senders(await following(changes)) == ["dora"]


async def test_a_file_cut_to_nothing_takes_nobodys_account_away(tmp_path: Path, executor: Executor) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(accounts("anna"))
    async with watched(path, executor) as changes:
        path.write_text("")
        assert (await following(changes)).value is None


async def test_what_is_the_same_as_before_yields_nothing(tmp_path: Path, executor: Executor) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(accounts("anna"))
    reads: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read_parts(files: Sequence[tuple[str, bytes]]) -> list[Part]:
        loop.call_soon_threadsafe(reads.put_nowait, len(files))
        return read_parts_here(files)

    changes = RoutingWatch(path, References({}), executor=executor, read_parts=read_parts, look_every=0.002)
    await changes.load()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        assert await reads.get() == 1
        stream = changes.changes()
        first = tasks.create_task(following(stream))
        path.write_text(accounts("anna") + "# a remark\n")
        assert await reads.get() == 1, "it was read again"
        path.write_text(accounts("dora"))
        assert senders(await first) == ["dora"], "and yielded nothing"
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_new_password_in_a_file_is_noticed(tmp_path: Path, executor: Executor) -> None:
    path, secret = tmp_path / "routing.yaml", tmp_path / "pw"
    path.write_text(LAB + "accounts: {anna@d.test: {provider: lab, password: file:pw}}\n")
    secret.write_text("old")
    async with watched(path, executor) as changes:
        secret.write_text("new one")
        assert senders(await following(changes)) == ["anna"]
        secret.unlink()
        assert "cannot be read" in (await following(changes)).problems[0].text


class Scribbling(Executor):
    """Before each look somebody writes on: the next of `texts`, and nothing when they are used up."""

    def __init__(self, path: Path, texts: Iterable[str]) -> None:
        self._path = path
        self._texts = iter(texts)

    def submit(self, fn, /, *args, **kwargs) -> Future:
        text = next(self._texts, None) if fn.__name__ == "_look" else None
        if text is not None:
            self._path.write_text(text)
        done: Future = Future()
        done.set_result(fn(*args, **kwargs))
        return done


async def test_an_edit_is_read_when_it_stands_still(tmp_path: Path) -> None:
    path, whole = tmp_path / "routing.yaml", accounts("anna", "bruno", "carla")
    path.write_text(accounts("anna"))
    read: list[bytes] = []

    def read_parts(files: Sequence[tuple[str, bytes]]) -> list[Part]:
        read.extend(content for _, content in files)
        return read_parts_here(files)

    halves = [whole[:90], whole[:-20], whole]
    watch = RoutingWatch(
        path, References({}), executor=Scribbling(path, halves), read_parts=read_parts, look_every=0.001
    )
    await watch.load()
    stream = watch.changes()
    assert senders(await following(stream)) == ["anna", "bruno", "carla"]
    assert read == [accounts("anna").encode(), whole.encode()]
    await stream.aclose()  # type: ignore[attr-defined]


async def test_an_edit_that_never_stands_still_is_read_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(accounts("anna"))
    endless = (accounts("dora") + "#" * number + "\n" for number in count())
    watch = RoutingWatch(path, References({}), executor=Scribbling(path, endless), look_every=0.001)
    await watch.load()
    stream = watch.changes()
    assert senders(await following(stream)) == ["dora"]
    await stream.aclose()  # type: ignore[attr-defined]


async def test_reading_happens_away_from_the_loop(tmp_path: Path) -> None:
    class Counting(ThreadPoolExecutor):
        works = 0

        def submit(self, fn, /, *args, **kwargs):
            self.works += 1
            return super().submit(fn, *args, **kwargs)

    path = tmp_path / "routing.yaml"
    path.write_text(accounts("anna"))
    with Counting(1) as pool:
        routing = await RoutingWatch(path, References({}), executor=pool).load()
        assert pool.works == 1
    assert senders(routing) == ["anna"]


def test_an_edit_is_noticed_well_within_a_second() -> None:
    assert 2 * watch.LOOK_EVERY <= 0.5


def test_a_half_written_password_waits_until_it_stands_still(tmp_path: Path) -> None:
    secret = tmp_path / "pw"
    secret.write_text("a")
    files = SecretFiles([str(secret)])
    assert not files.have_changed()
    secret.write_text("a new")
    assert not files.have_changed()
    secret.write_text("a new pass")
    assert not files.have_changed()
    assert files.have_changed()
    assert not files.have_changed()


def test_very_many_passwords_are_looked_at_in_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SECRETS_PER_LOOK", 2)
    secrets = [tmp_path / str(number) for number in range(5)]
    for secret in secrets:
        secret.write_text("old")
    files = SecretFiles(map(str, secrets))
    secrets[4].write_text("newer")
    looks = [files.have_changed() for _ in range(8)]
    assert looks.count(True) == 1


def test_the_files_of_all_secrets_are_known(tmp_path: Path) -> None:
    (tmp_path / "routing.yaml").write_text(
        """
clients: {c: {password: file:c, may_send_as: ["*@d"]}}
providers: {p: {host: h, oauth: {client_id: i, client_secret: file:p}}}
accounts: {a@d: {provider: p, password: file:a}, b@d: {provider: p, password: env:B}}
"""
    )
    routing = load_routing(tmp_path / "routing.yaml", References({})).value
    assert routing is not None
    assert secret_files(routing) == {str(tmp_path / name) for name in "cpa"}


def test_files_are_read_by_other_processes_and_here_when_those_have_died() -> None:
    class Dead(Executor):
        def submit(self, fn, /, *args, **kwargs) -> Future:
            raise BrokenExecutor

    files = [("a.yaml", LAB.encode()), ("b.yaml", b"accounts: {a@d.test: {provider: lab}}")]
    with ThreadPoolExecutor(2) as pool:
        assert list(read_parts_in(pool)(files)) == read_parts_here(files)
    assert list(read_parts_in(Dead())(files)) == read_parts_here(files)
    assert list(read_parts_in(Dead())([])) == []
