"""The files that docs/getting-started.md has its reader write, taken from that very page."""

import re
from pathlib import Path

from tests.deploy.rules import ROOT

PAGE = ROOT / "docs" / "getting-started.md"


def files() -> dict[str, str]:
    """Name, below /etc/relay, to content."""
    blocks = re.findall(r"```yaml\n# /etc/relay/(\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return dict(blocks)


def write_files(folder: Path) -> None:
    """Writes them as the page has them."""
    for name, content in files().items():
        (folder / name).write_text(content)
