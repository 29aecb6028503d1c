"""The recipe by which a call centre comes by a refresh token of Microsoft's, given to bash as it stands on its page."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from tests.integration.relay_process import PATIENCE

PAGE = Path(__file__).parents[2] / "docs" / "accounts.md"
SECTION = PAGE.read_text().partition("## Signing in with Microsoft")[2].partition("\n## ")[0]
FIRST, SECOND = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
MICROSOFT = "https://login.microsoftonline.com"
CODE, TOKEN = "GMMh+mHCX/hWE==", "M.C5 & token+of/the=doctor"

pytestmark = pytest.mark.needs("curl", "jq")


class Microsoft(ThreadingHTTPServer):
    """Answers as its documentation says; `is_done`: the doctor has agreed."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.is_done = True


class _Answering(BaseHTTPRequestHandler):
    server: Microsoft

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), strict_parsing=True)
        self.server.asked.append((self.path, form))
        code, answer = self._answer()
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def _answer(self) -> tuple[int, dict[str, str]]:
        if self.path.endswith("/devicecode"):
            return 200, {"device_code": CODE, "message": "Open https://microsoft.com/devicelogin and enter ABC123"}
        if not self.server.is_done:
            return 400, {"error": "authorization_pending"}
        return 200, {"access_token": "short-lived", "refresh_token": TOKEN}

    def log_message(self, *_: object) -> None:
        """Nothing to the terminal."""


@pytest.fixture
def microsoft() -> Iterator[Microsoft]:
    server = Microsoft()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def follow(folder: Path, microsoft: Microsoft) -> subprocess.CompletedProcess[str]:
    """Both parts in one shell, with a `relay` that writes down what it is given, and takes no empty token."""
    relay = folder / "bin" / "relay"
    relay.parent.mkdir()
    relay.write_text('#!/bin/sh\necho "$@" > given.arguments\ncat > given.stdin\ntest -s given.stdin\n')
    relay.chmod(0o755)
    script = (FIRST + SECOND).replace(MICROSOFT, f"http://127.0.0.1:{microsoft.server_port}")
    assert "http://127.0.0.1" in script
    return subprocess.run(
        ["bash", "-c", f'PATH="{relay.parent}:$PATH"\n{script}'],
        cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


def test_the_doctor_is_read_where_to_sign_in_and_the_token_goes_to_the_relay_alone(
    tmp_path: Path, microsoft: Microsoft
) -> None:
    done = follow(tmp_path, microsoft)
    assert "enter ABC123" in done.stdout
    assert (tmp_path / "given.stdin").read_text() == TOKEN + "\n"
    assert (tmp_path / "given.arguments").read_text() == "account set-password m.rossi@outlook.it --oauth --stdin\n"
    assert TOKEN not in done.stdout + done.stderr
    assert not (tmp_path / "device.json").exists()
    (first, asked), (second, then) = microsoft.asked
    assert (first, second) == ("/consumers/oauth2/v2.0/devicecode", "/consumers/oauth2/v2.0/token")
    assert asked["scope"] == ["https://outlook.office.com/SMTP.Send offline_access"]
    assert then["grant_type"] == ["urn:ietf:params:oauth:grant-type:device_code"]
    assert then["device_code"] == [CODE]
    assert asked["client_id"] == then["client_id"]


def test_who_has_not_agreed_yet_sets_nothing_reads_why_and_can_go_on(tmp_path: Path, microsoft: Microsoft) -> None:
    microsoft.is_done = False
    done = follow(tmp_path, microsoft)
    assert "authorization_pending" in done.stderr
    assert (tmp_path / "given.stdin").read_text() == ""
    assert (tmp_path / "device.json").stat().st_mode & 0o077 == 0, "the second part can be given again"
