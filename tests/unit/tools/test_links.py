"""A reader who follows a link of the documentation arrives somewhere, and every page is found from the index."""

from pathlib import Path

import pytest

from tools.docs import ROOT, lost_pages
from tools.links import anchors_of, dead_links, pages_of, unnamed_pages


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with an index and one page."""
    root = tmp_path / "repository"
    (root / "docs").mkdir(parents=True)
    (root / "README.md").write_text("# The project\n")
    (root / "docs" / "README.md").write_text("# Index\n[page](page.md)\n")
    (root / "docs" / "page.md").write_text("# A page\n## Said `twice` (a.py)\n## Said `twice` (a.py)\n")
    (tmp_path / "outside.md").write_text("# Outside\n")
    return root


def dead(root: Path) -> list[str]:
    return list(dead_links(root, pages_of(root)))


def test_no_link_of_this_project_is_dead_and_no_page_unnamed() -> None:
    assert len(pages_of(ROOT)) > 30
    assert lost_pages() == []


@pytest.mark.parametrize(
    "link",
    [
        "page.md",
        "../README.md#the-project",
        "../docs/",
        "page.md#said-twice-apy",
        "page.md#said-twice-apy-1",
        "#index",
        "<page.md>",
        'page.md "with a title"',
        "https://nowhere.test/page.md",
        "mailto:somebody@nowhere.test",
    ],
)
def test_what_leads_somewhere_is_left_alone(root: Path, link: str) -> None:
    (root / "docs" / "README.md").write_text(f"# Index\n[`x` [1]]({link})\n")
    assert dead(root) == []


@pytest.mark.parametrize(
    ("link", "flaw"),
    [
        ("gone.md", "no such file"),
        ("page.md#gone", "no such heading"),
        ("page.md#said-twice-apy-2", "no such heading"),
        ("#gone", "no such heading"),
        ("../../outside.md", "leads out of the repository"),
    ],
)
def test_what_leads_nowhere_is_named_with_its_line(root: Path, link: str, flaw: str) -> None:
    (root / "docs" / "README.md").write_text(f"# Index\n\n[page](page.md) and [x]({link})\n")
    assert dead(root) == [f"docs/README.md:3: {link}: {flaw}"]


def test_code_is_no_link(root: Path) -> None:
    (root / "README.md").write_text("# A\n```\n[x](gone.md)\n```\n`[x](gone.md)` ``a ` [x](gone.md)``\n[x](gone.md)\n")
    assert dead(root) == ["README.md:6: gone.md: no such file"]


def test_pages_of_others_are_not_read(root: Path) -> None:
    (root / ".venv").mkdir()
    (root / ".venv" / "README.md").write_text("[x](gone.md)\n")
    assert dead(root) == []


def test_a_page_that_the_index_does_not_name_is_lost(root: Path) -> None:
    (root / "docs" / "decisions").mkdir()
    (root / "docs" / "decisions" / "0001-so.md").write_text("# So\n")
    index = root / "docs" / "README.md"
    assert list(unnamed_pages(index, pages_of(root))) == ["docs/decisions/0001-so.md: docs/README.md does not name it"]
    index.write_text("[page](page.md#a-page) [so](decisions/0001-so.md)\n")
    assert list(unnamed_pages(index, pages_of(root))) == []


def test_headings_inside_code_are_none() -> None:
    assert anchors_of('# One\n```\n# Two\n```\n## [Three](x.md)\n<a id="four"></a>\n') == {"one", "three", "four"}
