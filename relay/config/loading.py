"""Reads relay.yaml: `load_service(path, environ) -> Loaded[ServiceConfig]`; `check_config` reads the routing too.

Law: nothing is raised but `ConfigUnreadable` (the file cannot be opened at all); any other trouble is a problem with
its place.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from relay.config.document import Path as Keys
from relay.config.document import Table, mark_of, read_document
from relay.config.entry_checks import IN_CLEAR
from relay.config.problems import START, Loaded, Mark, Problem, Report, has_errors, in_order
from relay.config.references import References, Unresolved
from relay.config.routing import ReadParts, RoutingLoader, read_parts_here
from relay.config.service import ServiceConfig
from relay.config.validation import validated
from relay.core.routing import SecretKind
from relay.errors import ConfigError

KEY_VARIABLE = "RELAY_KEY"
_ADAPTER: TypeAdapter[ServiceConfig] = TypeAdapter(ServiceConfig)


class ConfigUnreadable(ConfigError):
    """the configuration file cannot be opened"""


def load_service(path: str | Path, environ: Mapping[str, str]) -> Loaded[ServiceConfig]:
    """The service as relay.yaml describes it, and every problem of that file. ConfigUnreadable: it cannot be opened."""
    return _read(path, environ)[0]


def check_config(
    path: str | Path, environ: Mapping[str, str], read_parts: ReadParts = read_parts_here
) -> tuple[Problem, ...]:
    """Every problem of relay.yaml and of the routing that it names, sorted. ConfigUnreadable: it cannot be opened."""
    service, routing = _read(path, environ)
    found = list(service.problems)
    if routing is not None and routing.exists():
        found += RoutingLoader(routing, read_parts).load(References(environ)).problems
    return in_order(found)


def _read(path: str | Path, environ: Mapping[str, str]) -> tuple[Loaded[ServiceConfig], Path | None]:
    """The service, and where its routing is, even if the rest is wrong."""
    report = Report(str(path))
    root = read_document(_content(path), report)
    config: ServiceConfig | None = None
    routing = _routing_named(root, Path(path).parent)
    if not report.problems or isinstance(root, Table):
        config = validated(_ADAPTER, {} if root is None else root, report, folder=str(Path(path).parent))
    if routing is not None and not routing.exists():
        report.error(_mark(root, ["routing"]), f"no such file or folder: {routing}")
    if config is not None:
        _warn(config, root, report, environ)
    problems = in_order(report.problems)
    return Loaded(None if has_errors(problems) else config, problems), routing


def _content(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigUnreadable(f"{path}: cannot be opened: {(error.strerror or 'unknown error').lower()}") from None


def _routing_named(root: Any, folder: Path) -> Path | None:
    named = root.get("routing") if isinstance(root, Table) else None
    return Path(os.path.normpath(folder / named)) if isinstance(named, str) and named.strip() else None


def _warn(config: ServiceConfig, root: Any, report: Report, environ: Mapping[str, str]) -> None:
    if not environ.get(KEY_VARIABLE) and _is_on_disk_of(config.key_folder, config.data_dir):
        mark = _mark(root, ["keys_dir" if config.keys_dir else "data_dir"])
        text = f"the keys are on the disk of data_dir and in its backups: move keys_dir, or set {KEY_VARIABLE}"
        report.warning(mark, text)
    for key, file in _tls_files(config):
        if not file.is_file():
            report.warning(
                _mark(root, ["submission", "tls", key]), f"no such file: {file}; TLS cannot start without it"
            )
    secret = config.notices.ops_webhook_secret
    if secret is not None:
        mark = _mark(root, ["notices", "ops_webhook_secret"])
        if secret.kind is SecretKind.LITERAL:
            report.warning(mark, IN_CLEAR)
        elif isinstance(outcome := References(environ)(secret), Unresolved):
            report.warning(mark, f"{outcome.reason}: what is sent to ops_webhook is not signed")


def _mark(root: Any, keys: Keys) -> Mark:
    return mark_of(root, keys) or START


def _tls_files(config: ServiceConfig) -> Iterator[tuple[str, Path]]:
    if config.submission.tls is not None:
        yield "certificate", config.submission.tls.certificate
        yield "key", config.submission.tls.key


def _is_on_disk_of(keys: Path, data: Path) -> bool:
    """Whether both are, or will be made, on one file system."""
    return _device(keys) == _device(data)


def _device(path: Path) -> int:
    path = path.absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.stat().st_dev
