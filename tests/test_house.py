# SPDX-License-Identifier: BSD-2-Clause
"""The source tree is as HACKING.md describes it: which folder may include which, the size of a folder, and the test of
each file."""

import collections
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]

# From the bottom up: a file may include files of its own folder, and of these folders.
MAY_INCLUDE = {
    "common": set(),
    "boot": {"common"},
    "purgatory": {"common"},
    "efi/services": {"boot", "common"},
    "efi/console": {"efi/services", "boot", "common"},
    "efi/notes": {"efi/console", "efi/services", "boot", "common"},
    "efi/volumes": {"efi/services", "boot", "common"},
    "efi/network": {"efi/console", "efi/services", "boot", "common"},
    "efi/source": {"efi/volumes", "efi/network", "efi/console", "efi/services", "boot", "common"},
    "efi/plan": {"efi/source", "efi/services", "boot", "common"},
    "efi/extras": {"efi/source", "efi/services", "boot", "common"},
    "efi/load": {"efi/extras", "efi/source", "efi/services", "boot", "common"},
    "efi/trust": {"efi/load", "efi/extras", "efi/source", "efi/services", "boot", "common"},
    "efi/measure": {"efi/load", "efi/extras", "efi/source", "efi/services", "boot", "common"},
    "efi/linux": {"efi/measure", "efi/trust", "efi/load", "efi/extras", "efi/source", "efi/notes", "efi/console",
                  "efi/services", "boot", "common"},
    "efi": {"efi/linux", "efi/measure", "efi/trust", "efi/load", "efi/extras", "efi/plan", "efi/source", "efi/notes",
            "efi/console", "efi/services", "boot", "common"},
    "tools": {"boot", "common"},
}
ROOM_LINES_MAX = 1500

# The two sides of a seam may share a name: the core's header and the firmware's implementation; the loader's view of
# the purgatory and the purgatory's own code.
SEAMS = {"memory", "pool", "purgatory"}


def sources(folder):
    return sorted(path for path in (ROOT / folder).iterdir() if path.suffix in (".c", ".h"))


def includes(path):
    return re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("folder", MAY_INCLUDE)
def test_includes_run_one_way(folder):
    for path in sources(folder):
        for included in includes(path):
            # mbedTLS is not part of this tree.
            if included.startswith("mbedtls/"):
                continue
            assert (ROOT / included).exists(), f"{path}: {included}"
            assert str(pathlib.PurePath(included).parent) in MAY_INCLUDE[folder] | {folder}, f"{path}: {included}"


def test_no_header_includes_itself_on_a_way_round():
    graph = {str(path.relative_to(ROOT)): includes(path)
             for folder in MAY_INCLUDE for path in sources(folder) if path.suffix == ".h"}

    def visit(header, way):
        assert header not in way, " -> ".join([*way, header])
        for included in graph.get(header, ()):
            visit(included, [*way, header])

    for header in graph:
        visit(header, [])


@pytest.mark.parametrize("room", [folder for folder in MAY_INCLUDE if folder.startswith("efi/")])
def test_rooms_are_small(room):
    lines = sum(len(path.read_text().splitlines()) for path in (ROOT / room).iterdir())
    assert lines <= ROOM_LINES_MAX


def test_every_folder_of_the_loader_is_a_room():
    folders = {str(path.relative_to(ROOT)) for path in (ROOT / "efi").iterdir() if path.is_dir()}
    assert folders == {folder for folder in MAY_INCLUDE if folder.startswith("efi/")}


def test_each_name_stands_for_one_file():
    places = collections.defaultdict(set)
    for folder in MAY_INCLUDE:
        for path in (ROOT / folder).iterdir():
            if path.suffix in (".c", ".h", ".asm"):
                places[path.stem].add(folder)
    assert {stem for stem, folders in places.items() if len(folders) > 1} <= SEAMS


@pytest.mark.parametrize("path", sources("boot"), ids=lambda path: path.name)
def test_each_file_of_the_core_is_tested_by_its_name(path):
    if path.suffix == ".c":
        tests = [ROOT / f"tests/unit/test_{path.stem}.c", ROOT / f"tests/fuzz/fuzz_{path.stem}.c"]
        assert any(test.exists() for test in tests)


def test_each_promise_names_its_tests():
    promises = (ROOT / "SECURITY.md").read_text().split("## Promises\n")[1].split("\n## ")[0]
    bullets = re.findall(r"^- \*\*(.+?)\*\*(.*?)(?=^- |\n\n)", promises, re.MULTILINE | re.DOTALL)
    assert bullets
    for promise, text in bullets:
        assert re.search(r"\]\(tests/", text), promise
    for link in re.findall(r"\]\(((?:tests|doc)/[^)]+)\)", (ROOT / "SECURITY.md").read_text()):
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("name", ["flow", "house"])
def test_picture_is_drawn_from_the_source(name, tmp_path):
    subprocess.run([ROOT / "doc/draw", name, tmp_path / "picture"], check=True)
    assert (tmp_path / "picture").read_text() == (ROOT / f"doc/{name}.svg").read_text(), f"run doc/draw {name}"


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 90


def anchors(document):
    """The anchors of a document's headings."""
    heads = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub("[^a-z0-9 -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


DOCUMENTS = [path for path in sorted(ROOT.glob("**/*.md")) if "build" not in path.relative_to(ROOT).parts]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        if not re.match("[a-z]+:", link):
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link
