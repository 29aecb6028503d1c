"""Reads relay.yaml: `load_service(path, environ) -> Loaded[ServiceConfig]`, without what only the routing needs.

Law: nothing is raised but `ConfigUnreadable` (the file cannot be opened at all); any other trouble is a problem with
its place.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from relay.config.coming import coming
from relay.config.document import Path as Keys
from relay.config.document import Table, mark_of, read_document
from relay.config.files import device_of, is_open_to_all, said, trouble_with
from relay.config.notices import MarkOf, check_notices
from relay.config.problems import START, Loaded, Mark, Report, has_errors, in_order
from relay.config.references import References, Stored, nothing_seen
from relay.config.service import ServiceConfig
from relay.config.store import Look, check_store, nobody_looks
from relay.config.validation import validated
from relay.core.routing import Tls
from relay.errors import ConfigError

StoredOf = Callable[[ServiceConfig], Stored]
"""How to look up what the store that a configuration names keeps."""

TryPair = Callable[[Path, Path], tuple[str, str] | None]
"""What keeps this certificate and its key from being used: which of them (`certificate`, `key`), and a sentence."""

KEY_VARIABLE = "RELAY_KEY"
KEY_FILE = "relay.key"
_ADAPTER: TypeAdapter[ServiceConfig] = TypeAdapter(ServiceConfig)


class ConfigUnreadable(ConfigError):
    """the configuration file cannot be opened"""


def unseen(config: ServiceConfig) -> Stored:
    """Nobody looks: the relay itself does, once it runs."""
    return nothing_seen


def load_service(
    path: str | Path, environ: Mapping[str, str], *, try_pair: TryPair | None = None, look_at_store: Look = nobody_looks
) -> Loaded[ServiceConfig]:
    """The service as relay.yaml describes it, and every problem of that file. ConfigUnreadable: it cannot be opened.

    With `try_pair` a certificate and key that a listener cannot use are an error, as they are for a start; with
    `look_at_store` so is an address of the store that is none.
    """
    return read_service(path, environ, try_pair=try_pair, look_at_store=look_at_store)[0]


def read_service(
    path: str | Path,
    environ: Mapping[str, str],
    *,
    try_pair: TryPair | None = None,
    stored_of: StoredOf = unseen,
    look_at_store: Look = nobody_looks,
) -> tuple[Loaded[ServiceConfig], Path | None, MarkOf]:
    """The service, where its routing is if that is there, even if the rest is wrong, and where each key of `notices:`
    stands. Raises as `load_service`.
    """
    report = Report(str(path))
    root = read_document(_content(path), report)
    config: ServiceConfig | None = None
    routing = _routing_named(root, Path(path).parent)
    if not report.problems or isinstance(root, Table):
        config = validated(_ADAPTER, {} if root is None else root, report, folder=str(Path(path).parent))
    if routing is not None and (reason := trouble_with(routing, may_be_folder=True)):
        report.error(_mark(root, ["routing"]), f"{reason}: {routing}")
        routing = None
    if config is not None:
        references = References(environ, stored_of(config))
        _warn(config, root, report, environ, references)
        _look_at_store(config, root, report, references, look_at_store)
        _look_at_pair(config, root, report, try_pair)
    problems = in_order(report.problems)
    loaded = Loaded(None if has_errors(problems) else config, problems)
    return loaded, routing, lambda key: _mark(root, ["notices", key])


def _content(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigUnreadable(f"{path}: cannot be opened: {said(error)}") from None


def _routing_named(root: Any, folder: Path) -> Path | None:
    named = root.get("routing") if isinstance(root, Table) else None
    return Path(os.path.normpath(folder / named)) if isinstance(named, str) and named.strip() else None


def _warn(config: ServiceConfig, root: Any, report: Report, environ: Mapping[str, str], references: References) -> None:
    if not environ.get(KEY_VARIABLE):
        _warn_of_keys(config, _mark(root, ["keys_dir" if config.keys_dir else "data_dir"]), report)
    for place, text in coming(config):
        report.warning(_mark(root, list(place)), text)
    for number, listener in enumerate(config.submission.listen):
        if listener.proxy_protocol and listener.tls is Tls.NONE and listener.plaintext is None:
            text = "nobody can log in here, for no proxy is this machine; needs TLS or `plaintext: allow`"
            report.warning(_mark(root, ["submission", "listen", number, "proxy_protocol"]), text)
    check_notices(config.notices, lambda key: _mark(root, ["notices", key]), report, references)


def _look_at_store(config: ServiceConfig, root: Any, report: Report, references: References, look: Look) -> None:
    """Where the store is, and what is only for one that several nodes share."""
    is_shared = check_store(config.store, _mark(root, ["store"]), report, references, look=look)
    if is_shared:
        return
    if config.durability != "checked":
        text = "without effect: with store: sqlite whatever is accepted is always on disk first"
        report.warning(_mark(root, ["durability"]), text)
    if config.role != "all":
        text = "with store: sqlite a node does all; roles are for nodes that share a Redis"
        report.error(_mark(root, ["role"]), text)


def _look_at_pair(config: ServiceConfig, root: Any, report: Report, try_pair: TryPair | None) -> None:
    """Certificate and key; what stops a start is an error where a start is asked about.

    Files that are not there yet only warn: a configuration is checked before its certificate is fetched.
    """
    pair = config.submission.tls
    if pair is None:
        return
    tries = try_pair is not None and any(each.tls is not Tls.NONE for each in config.submission.listen)
    gone = [(key, file, trouble_with(file)) for key, file in (("certificate", pair.certificate), ("key", pair.key))]
    for key, file, reason in gone:
        if reason is not None:
            say = report.error if tries and file.exists() else report.warning
            say(_mark(root, ["submission", "tls", key]), f"{reason}: {file}; TLS cannot start without it")
    if try_pair is not None and tries and not any(reason for *_, reason in gone):
        trouble = try_pair(pair.certificate, pair.key)
        if trouble is not None:
            report.error(_mark(root, ["submission", "tls", trouble[0]]), trouble[1])


def _warn_of_keys(config: ServiceConfig, mark: Mark, report: Report) -> None:
    if device_of(config.key_folder) == device_of(config.data_dir):
        text = f"the keys are on the disk of data_dir and in its backups: move keys_dir, or set {KEY_VARIABLE}"
        report.warning(mark, text)
    file = config.key_folder / KEY_FILE
    if is_open_to_all(file):
        report.warning(mark, f"everybody on this machine can read the key of the store: chmod 600 {file}")


def _mark(root: Any, keys: Keys) -> Mark:
    return mark_of(root, keys) or START
