"""The page on interoperability claims what the tests run, no more and no less."""

from pathlib import Path

import pytest

from tests.conftest import is_ci
from tests.integration.clients import page
from tests.integration.clients.programs import PROGRAMS

LIBRARIES = [Path(path) for program in PROGRAMS for path in program.packages]
TOOLS = {tool for program in PROGRAMS for tool in program.tools}


@pytest.mark.needs(*TOOLS)
def test_the_page_is_fresh() -> None:
    release = Path("/etc/os-release")
    if not release.exists() or page.TESTED_ON not in release.read_text():
        pytest.skip("the page names the versions of Debian 12")
    if not is_ci() and not all(library.exists() for library in LIBRARIES):
        pytest.skip(f"needs {LIBRARIES}: `make tools` installs them")
    assert page.text() == page.PAGE.read_text(encoding="utf-8"), "python -m tests.integration.clients.page"
