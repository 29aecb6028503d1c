"""What accounts stand on: the plans, and the providers with their profiles worked in.

Law: a key of a provider's entry overrides its profile's; a built-in profile that no entry names is a provider by
itself; an entry with an error of its own stays known by name, so that its accounts are not blamed for it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from relay.config.entries import ProviderEntry
from relay.config.files import trouble_with
from relay.config.oauth import OAUTH_DEFAULTS, client_of, idle_client, trouble_with_oauth
from relay.config.part import Entry, Part
from relay.config.problems import Report
from relay.config.validation import suggestion
from relay.config.values import is_loopback, read_size
from relay.core.routing import Auth, Provider, Timeouts, Tls
from relay.core.words import Plan
from relay.providers import Profile

_PROFILE_SETTINGS: TypeAdapter[Any] = TypeAdapter(ProviderEntry)
_SECTIONS_INSIDE = ("session", "timeouts", "oauth")


@dataclass(frozen=True, slots=True)
class Ground:
    """Providers (None: in error) and plans by name, the provider of each mail domain, and who is built in."""

    providers: Mapping[str, Provider | None]
    built_in: frozenset[str]
    plans: Mapping[Plan, Mapping[str, Any] | None]
    domains: Mapping[str, str | None]
    """None: several providers have the profile of this domain."""
    names: Mapping[str, str]
    """Names under which people look for a provider, to the name that it has here."""
    profiles: Mapping[str, Profile]
    """Of each provider that has one, by the provider's name."""

    def unknown(self, name: str) -> str:
        """What to say of a provider that is not there."""
        known = self.names.get(name.lower())
        meant = f"; did you mean {known!r}?" if known else suggestion(name, self.providers)
        return f"unknown provider {name!r}{meant}"


def lay_ground(parts: Iterable[Part], profiles: Mapping[str, Profile], report_of: Callable[[str], Report]) -> Ground:
    """Works profiles into providers and reports what does not fit."""
    declared = {name: (entry, report_of(part.file)) for part in parts for name, entry in part.providers.items()}
    settings = {name: _settings(profile) for name, profile in profiles.items()}
    providers = {name: _provider(name, entry, settings, report) for name, (entry, report) in declared.items()}
    _warn_of_twins(declared, providers)
    built_in = {
        name: Provider(**_fields(name, {**values, "profile": name}))
        for name, values in settings.items()
        if name not in declared and "host" in values
    }
    named = {**providers, **built_in}
    return Ground(
        named,
        frozenset(built_in),
        {Plan(name): entry.values for part in parts for name, entry in part.plans.items() if name in list(Plan)},
        _domains(profiles, providers),
        {name: profile.name for profile in profiles.values() for name in profile.also},
        {name: profiles[each.profile] for name, each in named.items() if each is not None and each.profile},
    )


def check_plans(parts: Iterable[Part], ground: Ground, report_of: Callable[[str], Report]) -> None:
    """Reports plans whose provider is not there."""
    for part in parts:
        for entry in part.plans.values():
            name = (entry.values or {}).get("provider")
            if name is not None and name not in ground.providers:
                report_of(part.file).error(entry.mark("provider"), ground.unknown(name))


def _settings(profile: Profile) -> dict[str, Any]:
    """A profile's values, as an entry would have them, and what no entry says."""
    oauth = {"oauth": OAUTH_DEFAULTS.validate_python(profile.oauth)} if profile.oauth else {}
    size = None if profile.size is None else read_size(profile.size)
    known = {
        "takes_null_sender": profile.sender.takes_null,
        "message_size": size,
        "expires_passwords": profile.expires_passwords,
    }
    return {**known, **_PROFILE_SETTINGS.validate_python(profile.settings), **oauth}


def _provider(name: str, entry: Entry, profiles: Mapping[str, Mapping[str, Any]], report: Report) -> Provider | None:
    if entry.values is None:
        return None
    profile = entry.values.get("profile")
    if profile is not None and profile not in profiles:
        report.error(entry.mark("profile"), f"unknown profile {profile!r}{suggestion(profile, profiles)}")
        return None
    values = _laid_over(profiles.get(profile or "", {}), entry.values)
    if "host" not in values:
        hint = "; did you mean `profile: " + name + "`?" if name in profiles and profile is None else ""
        report.error(entry.marks[""], f"the key 'host' is missing{hint}")
        return None
    if reason := trouble_with_oauth(values.get("auth", Auth.PASSWORD), values["oauth"], entry.values.get("oauth", {})):
        report.error(entry.mark("oauth"), reason)
        return None
    if reason := idle_client(values.get("auth", Auth.PASSWORD), values["oauth"]):
        report.warning(entry.mark("oauth"), reason)
    provider = Provider(**_fields(name, values))
    if provider.tls is Tls.NONE and not is_loopback(provider.host) and not provider.allow_plaintext:
        report.error(
            entry.mark("tls"),
            "tls: none beyond loopback shows passwords and mail to the network; needs `plaintext: allow`",
        )
        return None
    if provider.tls_ca is not None and (reason := trouble_with(Path(provider.tls_ca))):
        report.warning(entry.mark("tls_ca"), f"{reason}: {provider.tls_ca}; this provider cannot be verified")
    return provider


def _laid_over(profile: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    inside = {key: {**profile.get(key, {}), **entry.get(key, {})} for key in _SECTIONS_INSIDE}
    port = {"port": None} if "tls" in entry and "port" not in entry and entry["tls"] != profile.get("tls") else {}
    return {**profile, **port, **entry, **inside}


def _fields(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The entry's keys as the fields of a `Provider`."""
    renamed = {"plaintext", "session", "warmup", "timeouts", "oauth", "port", "tls_ca"}
    fields = {key: value for key, value in values.items() if key not in renamed}
    session = values.get("session", {})
    tls = values.get("tls", Tls.STARTTLS)
    fields |= {f"session_{key}": value for key, value in session.items()}
    return fields | {
        "name": name,
        "port": values.get("port") or (465 if tls is Tls.IMPLICIT else 587),
        "tls_ca": str(values["tls_ca"].absolute()) if "tls_ca" in values else None,
        "allow_plaintext": "plaintext" in values,
        "has_warmup": values.get("warmup", False),
        "oauth": client_of(values.get("oauth", {})),
        "timeouts": Timeouts(**values.get("timeouts", {})),
    }


def _warn_of_twins(declared: Mapping[str, tuple[Entry, Report]], providers: Mapping[str, Provider | None]) -> None:
    """Two entries for one host: its limits would be counted twice over."""
    seen: dict[str, str] = {}
    for name, (entry, report) in declared.items():
        provider = providers[name]
        if provider is None:
            continue
        first = seen.setdefault(provider.endpoint, name)
        if first != name:
            text = f"the same host and port as provider {first!r}: total_limits and health are apart for each"
            report.warning(entry.mark("host"), text)


def _domains(profiles: Mapping[str, Profile], providers: Mapping[str, Provider | None]) -> dict[str, str | None]:
    entries: dict[str, list[str]] = {}
    for name, provider in providers.items():
        if provider is not None and provider.profile is not None:
            entries.setdefault(provider.profile, []).append(name)
    found: dict[str, str | None] = {}
    for profile in profiles.values():
        names = entries.get(profile.name, [profile.name])
        only = names[0] if len(names) == 1 else None
        found |= dict.fromkeys(profile.domains, profile.name if profile.name in names else only)
    return found
