"""The page on interoperability claims what the tests run, no more and no less."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import is_ci
from tests.integration.clients import page
from tests.integration.clients.programs import PROGRAMS

LIBRARIES = [Path(path) for program in PROGRAMS for path in program.packages]
TOOLS = {tool for program in PROGRAMS for tool in program.tools}
OF_THE_SYSTEM = {Path("/usr/bin"), Path("/bin")}
PYTHON = (3, 11)
"""The one of Debian 12."""

COMMAND = "python -m tests.integration.clients.page"


def are_those_of_the_page() -> bool:
    """Whether what runs here is Debian 12's own: another version may be installed beside it, and come first."""
    release = Path("/etc/os-release")
    is_debian = release.exists() and page.TESTED_ON in release.read_text()
    paths = [shutil.which(tool) for tool in TOOLS]
    return is_debian and sys.version_info[:2] == PYTHON and {Path(path or "").parent for path in paths} <= OF_THE_SYSTEM


def test_the_page_has_the_lists_of_the_tests() -> None:
    written = page.PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \| (.+) \| (yes|no: .+) \|$", written, re.MULTILINE)
    version_of = {title: version for title, version, _ in rows}
    assert page.text(lambda program: version_of[program.title]) == written, COMMAND


@pytest.mark.needs(*TOOLS)
def test_the_page_is_fresh(request: pytest.FixtureRequest) -> None:
    if not are_those_of_the_page():
        pytest.skip("the page names the versions of Debian 12")
    if not is_ci() and not all(library.exists() for library in LIBRARIES):
        pytest.skip(f"needs {LIBRARIES}: `make tools` installs them")
    request.getfixturevalue("nodemailer")
    assert page.text(page.version_here) == page.PAGE.read_text(encoding="utf-8"), COMMAND
