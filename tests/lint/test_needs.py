"""A test that needs a program of the system says so: it skips with the reason, and fails where CI=true."""

from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
TEST = """
import pytest

@pytest.mark.needs({tools})
def test_talks_to_it():
    pass
"""


def outcomes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, *, tools: str, ci: str | None
) -> tuple[dict[str, int], str]:
    if ci is None:
        monkeypatch.delenv("CI", raising=False)
    else:
        monkeypatch.setenv("CI", ci)
    pytester.makeconftest(CONFTEST.read_text())
    pytester.makepyfile(TEST.format(tools=tools))
    result = pytester.runpytest_subprocess("-rs", "-p", "no:cacheprovider")
    return result.parseoutcomes(), result.stdout.str()


def test_a_missing_tool_skips_and_is_named(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, text = outcomes(pytester, monkeypatch, tools="'sh', 'no-such-tool'", ci=None)
    assert counts == {"skipped": 1}
    assert "needs no-such-tool, not installed here: `make tools`" in text


def test_a_missing_tool_fails_in_ci(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, text = outcomes(pytester, monkeypatch, tools="'no-such-tool'", ci="true")
    assert counts.get("errors", 0) + counts.get("failed", 0) == 1
    assert "passed" not in counts
    assert "skipped" not in counts
    assert "needs no-such-tool" in text


@pytest.mark.parametrize("ci", [None, "true"])
def test_a_tool_that_is_there_is_used(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str | None
) -> None:
    counts, _ = outcomes(pytester, monkeypatch, tools="'sh'", ci=ci)
    assert counts == {"passed": 1}
