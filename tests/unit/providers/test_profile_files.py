"""A profile is a file: checked by the config's schema, and a new one needs no code."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from relay.config.ground import lay_ground
from relay.config.problems import Report
from relay.config.profiles import profile_problems
from relay.core.classify import Context, classify
from relay.core.limits import HOUR, MINUTE
from relay.core.meaning import ReplyClass
from relay.core.remedy import Needs, needs_of
from relay.core.reply import read_reply
from relay.core.words import Stage
from relay.providers import BadProfile, load_profiles, next_steps, read_profile, read_shelf
from tools.provider_pages import FIELD_NOTES, provider_pages

FOLDER = files("relay.providers").joinpath("profiles")
PROFILES = load_profiles()
GOOD = """
title = "Lab"
domains = ["lab.example"]
[about]
en = "A laboratory."
it = "Un laboratorio."
[settings]
host = "smtp.lab.example"
limits = ["5/m"]
[sender]
rule = "rewrites"
domains = ["lab.example"]
null_sender = false
[message]
size = "20MB"
recipients = 50
[blocks]
account-blocked = "4h"
[[source]]
fact = "all of it"
it = "tutto"
where = "https://lab.example/help"
date = "2026-11-22"
[[rule]]
class = "spam-blocked"
stages = ["eod"]
codes = ["554"]
enhanced = ["5.7.1"]
text = ["zork ~ quux"]
unless = ["ham"]
retry_after = "20m"
[steps.auth-rejected]
en = "Ask for a new password."
it = "Chieda una nuova password."
"""


def data(name: str) -> dict[str, Any]:
    return tomllib.loads(FOLDER.joinpath(f"{name}.toml").read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_profile_keeps_to_the_schema(name: str) -> None:
    assert profile_problems(data(name)) == []


def test_no_file_is_left_out() -> None:
    shelf = read_shelf(FOLDER)
    assert shelf.problems == ()
    assert len(shelf.profiles) == sum(1 for file in FOLDER.iterdir() if file.name.endswith(".toml"))


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_profile_says_where_it_is_known_from_and_who_may_send(name: str) -> None:
    profile = PROFILES[name]
    assert profile.sources
    assert all(re.fullmatch(r"2026-\d\d-\d\d", str(fact.date)) for fact in profile.sources)
    assert set(profile.about) == {"en", "it"}
    assert profile.sender.rule in ("own-address-only", "authorised-aliases", "rewrites", "own-domains", "unknown")


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_every_class_that_somebody_has_to_mend_has_steps_in_both_languages(name: str) -> None:
    for reply_class in ReplyClass:
        if needs_of(reply_class) is Needs.OWNER:
            steps = next_steps(PROFILES[name], reply_class)
            assert steps is not None
            assert steps["en"] != steps["it"]
            assert all(20 < len(text) < 400 for text in steps.values())


@pytest.mark.parametrize(
    ("name", "reply_class", "word"),
    [
        ("gmail", "auth-method", "apppasswords"), ("gmail", "auth-rejected", "apppasswords"),
        ("yahoo", "auth-method", "app password"), ("icloud", "auth-rejected", "app-specific password"),
        ("outlook", "auth-method", "Microsoft"), ("libero", "auth-rejected", "login.libero.it"),
        ("virgilio", "auth-rejected", "login.virgilio.it"), ("aruba", "sender-refused", "webmail.aruba.it"),
        ("register", "account-blocked", "4 hours"), ("tim", "sender-refused", "alice.it"),
    ],
)  # fmt: skip
def test_the_steps_are_those_of_the_provider(name: str, reply_class: str, word: str) -> None:
    steps = next_steps(PROFILES[name], reply_class)
    assert steps is not None
    assert word.lower() in steps["en"].lower()


@pytest.mark.parametrize("name", sorted(name for name in PROFILES if PROFILES[name].is_personal))
def test_the_owner_of_a_personal_mailbox_is_sent_to_nobody_who_runs_its_domain(name: str) -> None:
    for steps in (next_steps(PROFILES[name], reply_class) for reply_class in ReplyClass):
        assert steps is None or "chi gestisce il dominio" not in steps["it"].lower()
        assert steps is None or "whoever runs the domain" not in steps["en"].lower()


def test_whose_domain_is_their_own_is_told_who_runs_it() -> None:
    steps = next_steps(PROFILES["aruba"], "policy-refused")
    assert steps is not None
    assert "Chi gestisce il dominio" in steps["it"]
    assert {name for name in PROFILES if PROFILES[name].login == "app-password"} == {"gmail", "yahoo", "icloud"}


def test_aruba_is_asked_for_no_app_password() -> None:
    steps = next_steps(PROFILES["aruba"], "auth-method")
    assert steps is not None
    assert "app" not in steps["it"].lower().replace(",", " ").replace(":", " ").split()


def pages() -> dict[str, str]:
    return {path.rpartition("/")[2].removesuffix(".md"): make() for path, make in provider_pages().items()}


def test_a_page_says_which_password_works_and_what_the_call_centre_types() -> None:
    made = pages()
    for name in ("gmail", "yahoo", "icloud"):
        assert "password per le app; la password normale non funziona" in made[name]
    assert made["README"].count("password per le app; la password normale non funziona") == 3
    for name in PROFILES:
        option = " --oauth" if PROFILES[name].settings.get("auth") == "oauth2" else ""
        end = made[name].rpartition("## ")[2]
        assert f"`relay account set-password INDIRIZZO{option}`" in end
        assert "`relay account fixed INDIRIZZO`" in end
        assert "`relay account test INDIRIZZO`" in end


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_where_a_page_is_known_from_is_said_in_italian(name: str) -> None:
    for fact in PROFILES[name].sources:
        assert fact.it != fact.fact
        assert fact.where.startswith("https://") or fact.where in FIELD_NOTES


def test_a_provider_without_a_profile_has_general_steps_and_a_recipients_trouble_none() -> None:
    assert next_steps(None, "auth-rejected") is not None
    assert next_steps(None, "tls-expired") == next_steps(None, "unknown")
    assert next_steps(PROFILES["gmail"], "recipient-unknown") is None


def test_facts_are_read() -> None:
    assert PROFILES["register"].blocks == {ReplyClass.ACCOUNT_BLOCKED: 4 * HOUR}
    assert (PROFILES["icloud"].size, PROFILES["icloud"].recipients) == ("20MB", 500)
    assert PROFILES["tim"].recipients == 50
    assert PROFILES["gmail"].sender.rule == "rewrites"
    assert PROFILES["aruba"].sender.rule == "authorised-aliases"


@pytest.mark.parametrize(
    ("name", "other"),
    [("outlook", "microsoft365"), ("virgilio", "libero"), ("alice", "tim"), ("google-workspace", "gmail")],
)
def test_what_the_same_company_answers_is_written_once(name: str, other: str) -> None:
    shared = PROFILES[other].rules
    assert shared
    assert PROFILES[name].rules[-len(shared) :] == shared


# a new one


def test_a_new_provider_is_a_file_and_no_code(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(GOOD)
    profiles = {**PROFILES, **read_shelf(tmp_path).profiles}
    ground = lay_ground([], profiles, Report)
    assert profile_problems(tomllib.loads(GOOD)) == []
    assert ground.domains["lab.example"] == "lab"
    provider = ground.providers["lab"]
    assert provider is not None
    assert (provider.host, provider.port, provider.profile) == ("smtp.lab.example", 587, "lab")
    rules = profiles["lab"].rules
    found = classify(Stage.EOD, read_reply(554, "5.7.1 zork and a quux"), Context(rules=rules))
    assert found.reply_class == "spam-blocked"
    assert rules[0].retry_after == 20 * MINUTE
    assert (
        classify(Stage.EOD, read_reply(554, "5.7.1 zork quux ham"), Context(rules=rules)).reply_class != "spam-blocked"
    )


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('title = "Lab"\n', "", "title"),
        ('title = "Lab"\n', 'title = "Lab"\ncolour = "red"\n', "colour"),
        ('it = "Un laboratorio."\n', "", "it"),
        ('it = "Chieda una nuova password."', 'de = "Bitte"', "de"),
        ("[steps.auth-rejected]", "[steps.auth-refused]", "auth-refused"),
        ("[steps.auth-rejected]", "[steps.auth-rejected.it]", "steps"),
        ('class = "spam-blocked"', 'class = "spam"', "spam"),
        ('class = "spam-blocked"\n', "", "class"),
        ('stages = ["eod"]', 'stages = ["dot"]', "stages"),
        ('codes = ["554"]', 'codes = ["55"]', "codes"),
        ('codes = ["554"]', "codes = []", "codes"),
        ('enhanced = ["5.7.1"]', 'enhanced = ["5.7"]', "enhanced"),
        ('text = ["zork ~ quux"]', 'text = ["(zork)+"]', "text"),
        ('text = ["zork ~ quux"]', 'text = ["Zork"]', "text"),
        ('text = ["zork ~ quux"]', "text = []", "text"),
        ('unless = ["ham"]', 'unless = "ham"', "unless"),
        ('retry_after = "20m"', 'retry_after = "soon"', "retry_after"),
        ('retry_after = "20m"', 'colour = "red"', "colour"),
        ('account-blocked = "4h"', 'account-blocked = "4 moons"', "blocks"),
        ('size = "20MB"', 'size = "large"', "size"),
        ('rule = "rewrites"', 'rule = "anything"', "rule"),
        ('date = "2026-11-22"', 'date = "lately"', "date"),
        ('where = "https://lab.example/help"\n', "", "where"),
        ('limits = ["5/m"]', 'limits = ["many"]', "limits"),
        ('limits = ["5/m"]', 'limit = ["5/m"]', "limit"),
        ('domains = ["lab.example"]', 'domains = ["Lab"]', "domains"),
    ],
)
def test_a_mistake_in_a_profile_is_named(before: str, after: str, said: str) -> None:
    assert before in GOOD
    problems = profile_problems(tomllib.loads(GOOD.replace(before, after)))
    assert problems
    assert any(said in problem for problem in problems), problems


def test_a_rule_without_a_condition_on_what_is_said_is_refused() -> None:
    text = GOOD.replace('codes = ["554"]\nenhanced = ["5.7.1"]\ntext = ["zork ~ quux"]\n', "")
    assert profile_problems(tomllib.loads(text))
    with pytest.raises(BadProfile):
        read_profile("lab", text)


@pytest.mark.parametrize(
    "bad", ["title = ", 'title = "x"', GOOD.replace("spam-blocked", "spam"), GOOD.replace('"20m"', "20"), "\x00"]
)
def test_a_file_that_is_no_profile_breaks_no_other(bad: str, tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(GOOD)
    (tmp_path / "bad.toml").write_text(bad)
    (tmp_path / "notes.txt").write_text("no profile")
    (tmp_path / "lost.toml").write_text(GOOD.replace('title = "Lab"', 'title = "Lost"\nlike = "nobody"'))
    shelf = read_shelf(tmp_path)
    assert list(shelf.profiles) == ["lab"]
    assert [problem.partition(":")[0] for problem in shelf.problems] == ["bad.toml", "lost.toml"]


def test_where_credentials_of_its_own_are_needed_nobody_is_sent_to_look_for_an_app_password():
    for name, profile in PROFILES.items():
        steps = next_steps(profile, "auth-method")
        assert steps is not None
        if profile.login == "smtp-credentials":
            assert "credenziali SMTP" in steps["it"], name
            assert "password per le app" not in steps["it"], name


def test_a_limit_is_written_in_words_for_the_call_centre():
    pages = {path: make() for path, make in provider_pages().items()}
    assert "| limiti iniziali | 8 al minuto, 150 in 20 minuti |" in pages["docs/providers/aruba.md"]
    assert "| limiti iniziali | 25 al minuto, 8.000 al giorno |" in pages["docs/providers/microsoft365.md"]
    assert "| limiti iniziali | 4 al minuto, 900 in un giorno solare |" in pages["docs/providers/register.md"]
    assert "| limite di tutte le caselle del dominio | 900 in un giorno solare |" in pages["docs/providers/register.md"]
    assert "non conta gli errori di un'ora" in pages["docs/providers/register.md"]
