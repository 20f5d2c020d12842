"""Build the site of the documentation: ``python -m tools.site [FOLDER]``, or ``--serve``.

The pages are the Markdown of the repository, as it is read on a forge. There links may lead to
files outside of ``docs``; so all pages are staged in ``.site/docs`` first, where each link leads to
a page. The built site asks no other host, and needs a server for its search alone.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.site_pages import adapted

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
CONFIGURATION = ROOT / "zensical.toml"
MARK = ROOT / "src/benefit_programs/console/static/mark.svg"
STAGE = ROOT / ".site"
SITE = ROOT / "site"
ADDRESS = "127.0.0.1:8000"
PAUSE_SECONDS = 1.0

PLACES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "license.md",
    "SECURITY.md": "security.md",
    "bench/README.md": "benchmarks.md",
    "docs/adr": "adr/index.md",
    "docs/recipes/README.md": "recipes/index.md",
}
"""Where the site has what isn't at its own place in ``docs``."""

_FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_OTHER_HOST = re.compile(r"\w+:")
_FOLDER = re.compile(r'"([\w/-]+)/\*"')
_LANGUAGES = {".py": "python", ".yaml": "yaml", ".md": "markdown", ".sh": "bash"}


def place_of(path: Path) -> str:
    """Where the site has a file or folder of the repository; what isn't in docs is in files."""
    name = path.relative_to(ROOT).as_posix()
    if name in PLACES:
        return PLACES[name]
    return name.removeprefix("docs/") if path.is_relative_to(DOCS) else f"files/{name}.md"


def staged() -> dict[str, bytes]:
    """All pages with what they link, and the configuration, by their names in the stage."""
    files = {f"docs/site/{MARK.name}": MARK.read_bytes()}
    linked: set[Path] = set()
    for source in _sources():
        name = f"docs/{place_of(source)}"
        if source.suffix == ".md":
            page, found = _with_links_of_the_site(source)
            files[name] = adapted(page).encode()
            linked |= found
        else:
            files[name] = source.read_bytes()
    files |= {f"docs/{place_of(source)}": _shown(source).encode() for source in linked}
    configuration = CONFIGURATION.read_text("utf-8")
    listed = _FOLDER.sub(lambda match: _entries(files, match[1]), configuration)
    return files | {CONFIGURATION.name: listed.encode()}


def stage(folder: Path) -> None:
    """Make a folder hold what is staged; what is there already is left as it is."""
    files = staged()
    for path in [each for each in (folder / "docs").rglob("*") if each.is_file()]:
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _sources() -> Iterator[Path]:
    """All pages of the site that are Markdown already, and the files beside them."""
    yield from sorted(each for each in DOCS.rglob("*") if each.is_file())
    yield from (ROOT / name for name in PLACES if name.endswith(".md") and "docs/" not in name)


def _with_links_of_the_site(source: Path) -> tuple[str, set[Path]]:
    """A page whose links lead to pages of the site, and what must become a page for that."""
    here = Path(place_of(source)).parent
    missing: set[Path] = set()

    def moved(match: re.Match[str]) -> str:
        path, mark, anchor = match[1].partition("#")
        if not path or _OTHER_HOST.match(path):
            return match[0]
        target = (source.parent / path).resolve()
        if target.suffix != ".md" and not (target.is_file() and target.is_relative_to(DOCS)):
            missing.add(target)
        return f"]({os.path.relpath(place_of(target), here)}{mark}{anchor})"

    parts = _FENCE.split(source.read_text("utf-8"))
    parts[::2] = [_LINK.sub(moved, part) for part in parts[::2]]
    return "".join(parts), missing


def _shown(source: Path) -> str:
    """A page that shows a file, the files of a folder, or the list of its pages."""
    if source.is_file():
        return f"# {source.relative_to(ROOT)}\n\n{_block(source)}"
    if source.is_relative_to(DOCS):
        pages = sorted(source.glob("*.md"))
        titles = ((page, page.read_text("utf-8").partition("\n")[0][2:]) for page in pages)
        return "# Decisions\n\n" + "".join(f"- [{title}]({page.name})\n" for page, title in titles)
    files = sorted(each for each in source.rglob("*") if each.is_file())
    blocks = (f"## {each.relative_to(source)}\n\n{_block(each)}" for each in files)
    return f"# {source.relative_to(ROOT)}\n\n" + "\n".join(blocks)


def _block(source: Path) -> str:
    language = _LANGUAGES.get(source.suffix, "text")
    return f"```{language}\n{source.read_text('utf-8').rstrip()}\n```\n"


def _entries(files: Iterable[str], folder: str) -> str:
    """All pages of a folder, without its first, as entries of the navigation."""
    names = sorted(name.removeprefix("docs/") for name in files)
    pages = (name for name in names if name.startswith(f"{folder}/") and name.endswith(".md"))
    return ", ".join(f'"{page}"' for page in pages if page != f"{folder}/index.md")


def build(folder: Path = SITE, *, stage_in: Path = STAGE) -> None:
    """Build the site into a folder, in place of what is there.

    Raises CalledProcessError if a link leads nowhere.
    """
    stage(stage_in)
    _run(stage_in, "build", "--strict")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(stage_in / "site", folder)


def serve() -> None:
    """Serve the site on this machine, and build it anew after changes, until it is interrupted."""
    stage(STAGE)
    stop = threading.Event()
    watcher = threading.Thread(target=_stage_changes, args=(stop,))
    watcher.start()
    try:
        _run(STAGE, "serve", "--dev-addr", ADDRESS)
    except KeyboardInterrupt:
        pass
    finally:
        stop.set()
        watcher.join()


def _stage_changes(stop: threading.Event) -> None:
    seen = _times()
    while not stop.wait(PAUSE_SECONDS):
        now = _times()
        if now != seen:
            seen = now
            stage(STAGE)


def _times() -> dict[Path, float]:
    return {source: source.stat().st_mtime for source in (*_sources(), CONFIGURATION)}


def _run(stage_in: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "zensical", *arguments]
    subprocess.run(command, cwd=stage_in, check=True)  # noqa: S603 - our own arguments


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        build(*map(Path, sys.argv[1:]))
