"""Links between the pages of this project: which of them lead nowhere, and which pages of docs/ no index names.

Law: only what lies in the repository is looked at; whether a foreign site is there is not ours to test.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

_FENCED = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)<>\s]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$", re.MULTILINE)
_NAMED = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)

SKIPPED = frozenset({".git", ".venv", "node_modules", "var"})
"""Folders with pages of others."""


def pages_of(root: Path) -> list[Path]:
    """Every page below a folder."""
    return sorted(page for page in root.rglob("*.md") if not SKIPPED & set(page.relative_to(root).parts))


def dead_links(root: Path, pages: Iterable[Path]) -> Iterator[str]:
    """Page, line and link of each one that leads to no file, out of the repository, or to no heading of its page."""
    for page in pages:
        text = _without_code(page.read_text())
        for match in _LINK.finditer(text):
            flaw = None if _ELSEWHERE.match(match[1]) else _flaw(root, page, match[1])
            if flaw is not None:
                line = text.count("\n", 0, match.start()) + 1
                yield f"{page.relative_to(root)}:{line}: {match[1]}: {flaw}"


def unnamed_pages(index: Path, pages: Iterable[Path]) -> Iterator[str]:
    """The pages below the index's folder to which it has no link."""
    links = {link.partition("#")[0] for link in _LINK.findall(_without_code(index.read_text()))}
    named = {(index.parent / link).resolve() for link in links}
    for page in pages:
        if page != index and page.is_relative_to(index.parent) and page.resolve() not in named:
            yield f"{page.relative_to(index.parent.parent)}: {index.relative_to(index.parent.parent)} does not name it"


def anchors_of(text: str) -> set[str]:
    """What `#...` may say of a page: its headings as GitHub spells them, and names given by hand."""
    anchors, seen = set(_NAMED.findall(text)), Counter[str]()
    for heading in _HEADING.findall(_FENCED.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        anchors.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return anchors


def _flaw(root: Path, page: Path, link: str) -> str | None:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(root.resolve()):
        return "leads out of the repository"
    if not target.exists():
        return "no such file"
    if anchor and target.suffix == ".md" and anchor not in anchors_of(target.read_text()):
        return "no such heading"
    return None


def _without_code(text: str) -> str:
    """The same lines, with blanks where code is."""
    for pattern in (_FENCED, _CODE):
        text = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    return text
