"""Reads the built-in profiles from their data files.

Law: nothing is interpreted here; what a setting means is said by the schema of the routing.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

SUFFIX = ".toml"


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a provider. `settings` are those of a `providers:` entry, as written there."""

    name: str
    title: str
    settings: Mapping[str, Any]
    domains: tuple[str, ...] = ()
    """Mail domains whose mailboxes are at this provider."""
    oauth: Mapping[str, Any] = field(default_factory=dict)
    """Of its authorization server: `token_url`, `scope`, `tenant`; empty: none is known."""
    also: tuple[str, ...] = ()
    """Other names under which people look for it."""


def load_profiles() -> dict[str, Profile]:
    """Every built-in profile by name."""
    found = sorted(files("relay.providers").joinpath("profiles").iterdir(), key=lambda file: file.name)
    return {
        name: _profile(name, tomllib.loads(file.read_text("utf-8")))
        for file in found
        if (name := file.name.removesuffix(SUFFIX)) != file.name
    }


def _profile(name: str, data: dict[str, Any]) -> Profile:
    return Profile(
        name,
        title=data["title"],
        settings=data["settings"],
        domains=tuple(data["domains"]),
        oauth=data.get("oauth", {}),
        also=tuple(data.get("also", ())),
    )
