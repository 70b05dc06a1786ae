"""Every command that the documents show is run, and every file that they name exists."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("datasets/*.md"), *ROOT.glob("reports/*.md")]
)


def shown_commands() -> list[tuple[str, str]]:
    """Document and command, for every ``$`` line in a console block."""
    found = []
    for document in DOCUMENTS:
        for block in re.findall(r"^```console\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S):
            text = block.replace("\\\n", " ")
            found += [(document.name, line[2:]) for line in text.splitlines() if line.startswith("$ ")]
    return found


def make_targets() -> set[str]:
    """Targets of the Makefile."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))


def test_the_readme_shows_commands() -> None:
    assert any(document == "README.md" for document, _ in shown_commands())


@pytest.fixture(scope="module")
def notes() -> Iterator[Path]:
    """Where laboratories are noted that one command makes and another one ends; short, since sockets are in it."""
    folder = Path(tempfile.mkdtemp(prefix="ipsecbench-docs-"))
    yield folder
    down = [sys.executable, "-m", "ipsecbench", "lab", "down", "--all"]
    subprocess.run(down, cwd=ROOT, env={**os.environ, "TMPDIR": str(folder)}, timeout=60, check=True)
    shutil.rmtree(folder)


@pytest.mark.agent
@pytest.mark.parametrize(("document", "command"), shown_commands())
def test_a_shown_command_works(document: str, command: str, tmp_path: Path, notes: Path) -> None:
    for name in ("datasets", "reports", "docs", "ipsecbench", "agent"):
        os.symlink(ROOT / name, tmp_path / name)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    assert shutil.which("ipsecbench", path=path)
    done = subprocess.run(
        ["sh", "-ec", command],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "TMPDIR": str(notes)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, f"{document}: {command}\n{done.stderr}"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_targets_and_linked_files_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"`make ([a-z]+)", text) + re.findall(r"^make ([a-z]+)", text, re.M):
        assert target in make_targets(), target
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (document.parent / link).exists(), link


def test_every_command_is_in_the_readme() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ipsecbench", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    commands = re.findall(r"^  ([a-z]+) {2,}\S", done.stdout.split("Commands:")[1], re.M)
    assert commands
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in commands:
        assert f"`ipsecbench {command}" in readme, command
