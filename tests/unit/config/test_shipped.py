"""What ships passes its own check, and the smallest form needs nothing but itself."""

from pathlib import Path

import pytest

from relay.config.checking import check_config
from relay.config.loading import load_service
from relay.config.problems import has_errors
from relay.config.references import References
from relay.config.routing import load_routing
from relay.core.routing import Tls

CONFIG = Path(__file__).parents[3] / "config"
SERVICES = sorted(file for file in CONFIG.glob("relay*.yaml"))


@pytest.mark.parametrize("service", SERVICES, ids=lambda file: file.name)
def test_a_shipped_configuration_passes(service: Path) -> None:
    problems = check_config(service, {})
    assert not has_errors(problems), [str(problem) for problem in problems]


def test_the_smallest_form_warns_of_nothing_but_its_keys() -> None:
    assert check_config(CONFIG / "relay.yaml", {"RELAY_KEY": "set"}) == ()
    assert len(check_config(CONFIG / "relay.yaml", {})) == 1


def test_the_smallest_form_listens_on_loopback_and_sends_to_the_sandbox() -> None:
    service = load_service(CONFIG / "relay.yaml", {}).value
    assert service is not None
    assert [(str(listener.address), listener.tls) for listener in service.submission.listen] == [
        ("127.0.0.1:2525", Tls.NONE)
    ]
    routing = load_routing(service.routing, References({})).value
    assert routing is not None
    assert [(provider.endpoint, provider.tls) for provider in routing.providers.values()] == [
        ("127.0.0.1:2526", Tls.NONE)
    ]
    assert {account.mailbox.provider for account in routing.accounts.values()} == {"lab"}


def test_every_file_of_the_folder_is_covered() -> None:
    assert {file.name for file in SERVICES} == {"relay.yaml", "relay.full.yaml"}
