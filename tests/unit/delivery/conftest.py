import pytest


@pytest.fixture(autouse=True)
def _bounded(request: pytest.FixtureRequest) -> None:
    """On virtual time a test that waits for nothing hangs at once: tell soon."""
    request.node.add_marker(pytest.mark.timeout(30))
