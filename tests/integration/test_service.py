"""The relay as a process: mail comes in and goes out, it says how it is, and it stops in order."""

import base64
import email
import email.policy
import json
import signal
import smtplib
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from email.message import EmailMessage
from pathlib import Path

import pytest

from relay.sandbox import read_log
from tests.integration.relay_process import PATIENCE, Folder, RelayProcess
from tests.integration.sandbox_peer import SandboxProcess

PATIENT = "paziente@example.org"
PASSWORD = "parola-d-ordine"
"""Long enough to stand nowhere by chance."""


class Stage:
    """A provider with an inbox, a folder with a configuration, and relays on it."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self.inbox = path / "inbox"
        self._stack = stack
        self._folder: Folder | None = None

    def provider(self, *options: str) -> SandboxProcess:
        """Starts a provider; what it takes lies in the inbox."""
        running = SandboxProcess("--inbox", str(self.inbox), "--log", str(self.path / "provider.jsonl"), *options)
        self._stack.callback(running.kill)
        self._folder = Folder(self.path, provider=running.port)
        return running

    @property
    def folder(self) -> Folder:
        if self._folder is None:
            self._folder = Folder(self.path, provider=9)
        return self._folder

    def relay(self, *options: str, **environ: str) -> RelayProcess:
        """Starts a relay, and does not wait."""
        running = RelayProcess(self.folder.config, *options, environ=environ)
        self._stack.callback(running.kill)
        return running

    def ready_relay(self, **environ: str) -> RelayProcess:
        return self.relay(**environ).wait_until_ready()

    def wait_until_provider_heard(self, stage: str) -> None:
        """Waits until a session with it has come so far: of a mail the relay tells only when it is settled."""
        ends = time.monotonic() + PATIENCE
        while not any(record["stage"] == stage for record in read_log(self.path / "provider.jsonl")):
            assert time.monotonic() < ends, f"the provider heard nothing of {stage}"
            time.sleep(0.02)

    @property
    def delivered(self) -> list[EmailMessage]:
        """What the provider took, in order."""
        files = sorted(self.inbox.glob("*.eml")) if self.inbox.exists() else []
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(tmp_path, stack)


# mail


def test_a_mail_of_a_client_reaches_the_provider_as_it_was_written(stage: Stage) -> None:
    stage.provider()
    relay = stage.ready_relay()
    (ident,) = relay.send()
    assert relay.wait_for("delivered")["id"] == ident
    (mail,) = stage.delivered
    assert mail["To"] == PATIENT
    assert mail["Subject"] == "Ricetta segreta 0"
    assert mail.get_content() == "Buongiorno 0\r\n"
    assert relay.metric('relay_submissions_total{client="here",result="accepted"}') == 1
    assert relay.metric('relay_deliveries_total{outcome="delivered",plan="personal",provider="lab"}') == 1
    assert relay.stop() == 0


def test_a_burst_leaves_within_the_limit_and_all_of_it(stage: Stage) -> None:
    stage.provider("--limit", "10/1s")
    stage.folder.routing["providers"]["lab"]["limits"] = ["10/1s"]
    stage.folder.write()
    relay = stage.ready_relay()
    idents = relay.send(35)
    relay.wait_for("delivered", times=35)
    assert {record["id"] for record in relay.records if record["event"] == "delivered"} == set(idents)
    assert sorted(mail["Subject"] for mail in stage.delivered) == sorted(f"Ricetta segreta {n}" for n in range(35))
    assert relay.count("deferred") == 0, "the provider saw no more than its limit"
    assert relay.metric('relay_queue_deliveries{provider="lab",state="waiting"}') == 0


def test_an_unknown_recipient_comes_back_to_the_doctor_through_his_own_mailbox(stage: Stage) -> None:
    stage.provider("--reply", "rcpt:550 5.1.1 no such user*1")
    relay = stage.ready_relay()
    (ident,) = relay.send()
    relay.wait_for("reported", about=ident)
    relay.wait_for("delivered")
    (report,) = stage.delivered
    assert report.get_content_type() == "multipart/report"
    assert report["From"].addresses[0].addr_spec == "anna@d.test"
    assert report["To"].addresses[0].addr_spec == "anna@d.test"
    assert report["Auto-Submitted"] == "auto-replied"
    text, status, headers = report.iter_parts()
    assert PATIENT in text.get_content()
    assert b"5.1.1" in status.as_bytes()
    assert "Ricetta segreta 0" in headers.as_string()
    assert "Buongiorno" not in report.as_string()


def test_a_report_that_fails_is_not_reported(stage: Stage) -> None:
    stage.provider("--reply", "rcpt:550 5.1.1 no such user*2")
    relay = stage.ready_relay()
    relay.send()
    relay.wait_for("bounced", times=2)
    relay.send(sender="bruno@d.test")
    relay.wait_for("delivered")
    assert relay.count("reported") == 1
    assert len(stage.delivered) == 1


def test_a_stopped_mailboxs_report_goes_through_the_notices_account_without_the_patient(
    stage: Stage,
) -> None:
    users = stage.path / "users"
    users.write_text("anna@d.test:right\nbruno@d.test:pw\nvendor@d.test:pw\n")
    stage.provider("--users", str(users))
    stage.folder.service |= {
        "queue": {"lifetime": "1s", "hold_lifetime": "1s"},
        "notices": {"from": "vendor@d.test"},
        "language": "it",
    }
    stage.folder.write()
    relay = stage.ready_relay()
    (ident,) = relay.send()
    relay.wait_for("login_failed", mailbox="anna@d.test")
    while not relay.count("given_up", id=ident, reason="auth-rejected"):
        relay.wait_for("delivered", id=relay.send(sender="bruno@d.test")[0])  # mail that moves lets it look at the rest
    relay.wait_for("delivered", account="vendor@d.test")
    (report,) = [mail for mail in stage.delivered if mail.get_content_type() == "multipart/report"]
    assert report["From"].addresses[0].addr_spec == "vendor@d.test"
    assert report["To"].addresses[0].addr_spec == "anna@d.test"
    text, _ = report.iter_parts()
    assert ident in text.get_content()
    assert "Un Suo messaggio non è stato recapitato" in text.get_content()
    for trace in ("paziente", "segreta", "Buongiorno"):
        assert trace not in report.as_string() + text.get_content()


def test_one_doctors_wrong_password_stays_his_own_and_mends_without_a_restart(stage: Stage) -> None:
    users = stage.path / "users"
    users.write_text("anna@d.test:right\nbruno@d.test:pw\n")
    stage.provider("--users", str(users))
    relay = stage.ready_relay()
    relay.send(3)
    relay.wait_for("login_failed", mailbox="anna@d.test")
    relay.send(3, sender="bruno@d.test")
    relay.wait_for("delivered", account="bruno@d.test", times=3)
    assert relay.get("/readyz")[0] == 200
    assert relay.count("delivered", account="anna@d.test") == 0
    assert relay.count("login_failed", mailbox="anna@d.test") == 1
    stage.folder.set_password("anna@d.test", "right")
    relay.wait_for("delivered", account="anna@d.test", times=3)


def test_kill_9_loses_nothing_that_was_accepted(stage: Stage) -> None:
    stage.provider("--limit", "5/1s")
    stage.folder.routing["providers"]["lab"] |= {"limits": ["5/1s"], "linger": "1s"}
    stage.folder.write()
    first = stage.ready_relay()
    first.send(12)
    first.wait_for("delivered", times=2)
    first.stop(signal.SIGKILL)
    second = stage.ready_relay()
    every = {f"Ricetta segreta {n}" for n in range(12)}
    second.wait_until(lambda _: {mail["Subject"] for mail in stage.delivered} == every)


# what it says


def test_neither_log_nor_metrics_name_a_patient_or_a_subject(stage: Stage) -> None:
    stage.provider("--reply", f"rcpt:550 5.1.1 <{PATIENT}> unknown*1")
    stage.folder.set_password("anna@d.test", PASSWORD)
    relay = stage.ready_relay()
    relay.send(2)
    relay.wait_for("delivered", times=2)
    with smtplib.SMTP("127.0.0.1", relay.smtp, timeout=PATIENCE) as client:
        client.ehlo()
        client.mail("stranger@x.test")
        client.mail("anna@d.test")
        client.rcpt(f"<{PATIENT}")
    pages = relay.get("/metrics")[1] + relay.get("/readyz")[1]
    assert relay.stop() == 0
    said = "".join(relay.lines) + pages
    for trace in (PATIENT, "paziente", "Ricetta", "segreta", "Buongiorno", PASSWORD):
        assert trace not in said


def test_every_line_of_the_log_is_json_and_begins_with_time_event_and_id(stage: Stage) -> None:
    stage.provider()
    relay = stage.ready_relay(RELAY_KEY=base64.b64encode(bytes(32)).decode())
    relay.send()
    relay.wait_for("delivered")
    relay.stop()
    for line in relay.lines:
        assert list(json.loads(line))[:3] == ["time", "event", "id"]


def test_a_reader_of_the_log_that_stops_reading_holds_up_neither_mail_nor_the_end(stage: Stage) -> None:
    stage.provider()
    relay = stage.ready_relay()
    relay.send()
    relay.wait_for("delivered")
    relay.stop_reading()
    relay.send(400)
    while len(stage.delivered) < 401:
        relay.get("/healthz")
    relay.tell(signal.SIGTERM)
    assert relay.process.wait(PATIENCE) == 0


def test_health_and_readiness_answer_and_the_api_needs_the_token(stage: Stage) -> None:
    stage.provider()
    relay = stage.ready_relay()
    assert relay.get("/healthz") == (200, "ok\n")
    assert json.loads(relay.get("/readyz")[1]) == {"ready": True, "problems": []}
    path = stage.path / "var" / "admin.token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert relay.get("/api/v1/openapi.json")[0] == 401
    assert relay.get("/api/v1/openapi.json", token=path.read_text().strip())[0] == 200
    assert relay.metric("relay_config_reload_success") == 1


def test_nothing_in_the_data_folder_is_readable_for_others(stage: Stage) -> None:
    stage.provider()
    relay = stage.ready_relay()
    relay.send()
    relay.wait_for("delivered")
    for file in [*(stage.path / "var").rglob("*"), *(stage.path / "keys").rglob("*"), stage.path / "var"]:
        with suppress(FileNotFoundError):  # the relay has done with it meanwhile
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_a_bad_edit_is_refused_and_the_running_routing_stays(stage: Stage) -> None:
    stage.provider()
    relay = stage.ready_relay()
    stage.folder.replace_routing("accounts: {x@d.test: {plan: golden}}\n")
    refused = relay.wait_for("routing_refused")
    assert "routing.yaml:1:" in refused["problem"]
    status, body = relay.get("/readyz")
    assert status == 200
    assert [each["what"] for each in json.loads(body)["problems"]] == ["routing-edit"]
    assert relay.metric("relay_config_reload_success") == 0
    relay.send()
    relay.wait_for("delivered")
    stage.folder.routing["accounts"]["dora@d.test"] = {"provider": "lab", "password": "file:anna@d.test.password"}
    stage.folder.write()
    relay.wait_for("routing_applied", times=2)
    relay.send(sender="dora@d.test")
    relay.wait_for("delivered", account="dora@d.test")
    assert json.loads(relay.get("/readyz")[1]) == {"ready": True, "problems": []}


# its end


def test_sigterm_lets_what_is_under_way_finish_and_keeps_the_rest(stage: Stage) -> None:
    stage.provider("--fault", "slow:1", "--slow", "0.3")
    relay = stage.ready_relay()
    relay.send(60)
    relay.wait_for("delivered")
    assert relay.stop() == 0
    assert relay.count("stopping", cause="SIGTERM") == 1
    assert relay.wait_for("stopped")["cut_short"] == 0
    done = relay.count("delivered")
    assert done < 60
    assert len(stage.delivered) == done, "what the provider took is known to be delivered"
    assert relay.count("left_in_doubt") == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_a_terminal_that_closes_drain_too(stage: Stage, how: signal.Signals) -> None:
    stage.provider()
    relay = stage.ready_relay()
    relay.send()
    assert relay.stop(how) == 0
    assert relay.count("stopping", cause=how.name) == 1


def test_a_second_signal_is_in_a_hurry(stage: Stage) -> None:
    stage.provider("--reply", "eod:!hang")
    relay = stage.ready_relay()
    relay.send()
    stage.wait_until_provider_heard("eod")
    relay.tell(signal.SIGTERM)
    relay.wait_for("stopping")
    relay.tell(signal.SIGINT)
    assert relay.wait() == 0
    assert relay.wait_for("stopped")["cut_short"] == 1
    assert relay.count("in-doubt") == 1, "the dot was sent and nobody read the answer: it is not lost"


def test_while_it_drains_no_new_client_comes_in(stage: Stage) -> None:
    stage.provider("--fault", "slow:1", "--slow", "0.5")
    relay = stage.ready_relay()
    port = relay.smtp
    relay.send()
    stage.wait_until_provider_heard("mail")
    relay.tell(signal.SIGTERM)
    relay.wait_for("stopping")
    with pytest.raises(OSError, match=r"refused|reset"), socket.create_connection(("127.0.0.1", port), PATIENCE):
        pass
    status, body = relay.get("/readyz")
    assert status == 503, "the admin port closes last"
    assert [each["what"] for each in json.loads(body)["problems"]] == ["service"]
    assert relay.wait() == 0
    assert relay.count("delivered") == 1


def test_a_stop_before_it_is_ready_is_a_stop(stage: Stage) -> None:
    relay = stage.relay()
    relay.wait_for("starting")
    assert relay.stop() in (0, -signal.SIGTERM)


# what it refuses


def refused(relay: RelayProcess) -> tuple[int, str]:
    """The exit code and what was said, of a relay that does not start."""
    code = relay.wait()
    assert relay.count("ready") == 0
    assert not any("Traceback" in line for line in relay.lines)
    return code, "\n".join(relay.complaints)


def test_a_config_that_cannot_be_opened_is_wrong_use(stage: Stage) -> None:
    stage.folder.config.unlink()
    code, said = refused(stage.relay())
    assert code == 2
    assert "relay.yaml" in said


def test_a_bad_config_is_named_and_nothing_is_started(stage: Stage) -> None:
    stage.folder.service["lifetime"] = "3d"
    stage.folder.write()
    code, said = refused(stage.relay())
    assert code == 1
    assert "relay.yaml:1:" in said
    assert "error" in said
    assert not (stage.path / "var").exists()


def test_a_bad_routing_refuses_the_first_start_and_not_a_later_one(stage: Stage) -> None:
    stage.provider()
    stage.folder.replace_routing("accounts: [\n")
    code, said = refused(stage.relay())
    assert code == 1
    assert "routing.yaml:" in said
    stage.folder.write()
    stage.ready_relay().stop()
    stage.folder.replace_routing("accounts: [\n")
    relay = stage.ready_relay()
    assert any("routing.yaml:" in line for line in relay.complaints)
    assert relay.count("routing_refused") >= 1
    relay.send()
    relay.wait_for("delivered")


def test_a_port_that_is_taken_is_named(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        stage.folder.service["http"]["listen"] = address
        stage.folder.write()
        code, said = refused(stage.relay())
    assert code == 1
    assert said == f"relay: cannot listen at {address}: another process listens there"


def test_a_data_dir_in_use_is_named_and_the_first_relay_goes_on(stage: Stage) -> None:
    stage.provider()
    first = stage.ready_relay()
    code, said = refused(stage.relay())
    assert code == 1
    assert "another relay uses" in said
    first.send()
    first.wait_for("delivered")


def test_a_data_dir_that_cannot_be_made_is_named(stage: Stage) -> None:
    (stage.path / "file").write_text("")
    stage.folder.service["data_dir"] = "file/var"
    stage.folder.write()
    code, said = refused(stage.relay())
    assert code == 1
    assert "file/var cannot be used: not a directory" in said


def test_a_store_is_never_opened_with_another_key(stage: Stage) -> None:
    stage.ready_relay().stop()
    for file in (stage.path / "keys").iterdir():
        file.unlink()
    code, said = refused(stage.relay())
    assert code == 1
    assert "key of this store is missing" in said
    assert list((stage.path / "keys").iterdir()) == []


def test_a_store_that_is_not_there_is_named_at_the_start(stage: Stage) -> None:
    stage.folder.service.update({"store": "redis://127.0.0.1:1/0"})
    stage.folder.write()
    code, said = refused(stage.relay())
    assert code == 1
    assert "127.0.0.1:1 is not reached" in said


def test_a_role_that_sqlite_cannot_have_is_refused_before_anything_is_opened(stage: Stage) -> None:
    code, said = refused(stage.relay("--role", "submission"))
    assert code == 1
    assert "with SQLite a node does all" in said
    assert '"listening"' not in said
