# SPDX-License-Identifier: BSD-2-Clause
"""packaging/man: the pages name all that there is, and nothing else, and are pages."""

import dataclasses
import re
import subprocess

import pytest

from command_machine import COMMAND, ROOT
from kexec_efi import configuration

PAGES = sorted((ROOT / "packaging/man").glob("*.scd"))


def text(name):
    return (ROOT / f"packaging/man/{name}.scd").read_text()


def helped(*words):
    return subprocess.run([COMMAND, *words, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout


def section(page, name):
    return page.split(f"# {name}\n")[1].split("\n# ")[0]


def test_commands_and_options():
    page = text("kexec-efi.8")
    commands = set(re.findall(r"^    ([a-z]+)\b", helped(), re.MULTILINE))
    # A line that begins with a name in bold stands for what follows it.
    found = set(re.findall(r"\*([a-z]+)\*", " ".join(re.findall(r"^\*.*", section(page, "COMMANDS"), re.MULTILINE))))
    assert found == commands
    options = set()
    for command in commands - {"seal", "uki", "sign"}:
        options |= set(re.findall(r"--[a-z-]+", helped(command)))
    found = set(re.findall(r"\*(--[a-z-]+)\*", " ".join(re.findall(r"^\*.*", section(page, "OPTIONS"), re.MULTILINE))))
    assert found == options - {"--help"}


def test_exit_codes():
    """As the help has them, and kexec_efi/errors.py."""
    codes = set(re.findall(r"^\*(\d)\*", section(text("kexec-efi.8"), "EXIT STATUS"), re.MULTILINE))
    assert codes == set("012345") == set(re.findall(r"  (\d)  [a-z]", helped()))


def test_keys_of_the_configuration():
    page = section(text("kexec-efi.conf.5"), "KEYS")
    fields = {field.name: field.default for field in dataclasses.fields(configuration.Configuration)}
    found = set(re.findall(r"\*([a-z]+)\*=", " ".join(re.findall(r"^\*.*", page, re.MULTILINE))))
    assert found == set(fields)
    assert f"stay, {fields['keep']} by default" in page and f"new kernel, {fields['tries']} by default" in page
    example = re.search(r"```\n(.*?)```", text("kexec-efi.conf.5"), re.DOTALL)[1]
    assert configuration.parse("example", example).mode == "sealed"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_is_one(page):
    roff = subprocess.run(["scdoc"], input=page.read_bytes(), stdout=subprocess.PIPE, check=True).stdout
    result = subprocess.run(["groff", "-man", "-Kutf8", "-Tutf8", "-ww", "-rLL=80n"], input=roff, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, check=True)
    assert result.stderr == b"" and page.stem.split(".")[0].encode() in result.stdout


def test_there_are_pages():
    assert [page.name for page in PAGES] == ["kexec-efi.8.scd", "kexec-efi.conf.5.scd"]
