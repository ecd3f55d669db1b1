# SPDX-License-Identifier: BSD-2-Clause
"""packaging/man: the pages name exactly the existing commands, options, keys and variables, and are valid manual pages."""

import dataclasses
import json
import os
import re
import subprocess

import pytest

from command_machine import COMMAND, ROOT, loader
from kexec_efi import configuration
from kexec_efi_test import command as test_command
from kexec_efi_test import errors

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
    # A line that begins with a name in bold is the head of a description.
    found = set(re.findall(r"\*([a-z]+)\*", " ".join(re.findall(r"^\*.*", section(page, "COMMANDS"), re.MULTILINE))))
    assert found == commands
    options = set()
    for command in commands:
        options |= set(re.findall(r"--[a-z-]+", helped(command)))
    found = set(re.findall(r"\*(--[a-z-]+)\*", " ".join(re.findall(r"^\*.*", section(page, "OPTIONS"), re.MULTILINE))))
    assert found == options - {"--help"}


def test_exit_codes():
    """The page, the help and kexec_efi/errors.py list the same codes."""
    codes = set(re.findall(r"^\*(\d)\*", section(text("kexec-efi.8"), "EXIT STATUS"), re.MULTILINE))
    assert codes == set("012345") == set(re.findall(r"  (\d)  [a-z]", helped()))


def test_options_of_the_test_tool():
    page = text("kexec-efi-test.1")
    options = {f"--{name}" for name in test_command.known_options(test_command.parser())} | {"--keys"}
    found = set(re.findall(r"\*(--[a-z-]+)\*", " ".join(re.findall(r"^\*.*", section(page, "OPTIONS"), re.MULTILINE))))
    assert found == options - {"--help"}
    assert set(re.findall(r"^\*(\d)\*", section(page, "EXIT STATUS"), re.MULTILINE)) == set(map(str, errors.VERDICTS))


def test_keys_of_the_configuration():
    page = section(text("kexec-efi.conf.5"), "KEYS")
    fields = {field.name: field.default for field in dataclasses.fields(configuration.Configuration)}
    found = set(re.findall(r"\*([a-z_]+)\*=", " ".join(re.findall(r"^\*.*", page, re.MULTILINE))))
    assert found == set(fields)
    assert f"stay, {fields['keep']} by default" in page and f"new kernel, {fields['tries']} by default" in page
    example = re.search(r"```\n(.*?)```", text("kexec-efi.conf.5"), re.DOTALL)[1]
    assert configuration.parse("example", example).mode == "sealed"


# --- entries, as the loader's own parser takes them -------------------------------------------------------------------

VALUES = {"PATH": "/x", "TEXT": "x", "N": "1", "HEX": "0" * 64, "PARTUUID": "0d2f6b1c-4f0a-4e4d-9c7e-7b1f6a2c3d4e"}


def keys_of_the_page():
    """Key -> its values on the page: words in bold, or a name."""
    heads = re.findall(r"^(\*[a-z].*)", section(text("kexec-efi-entry.5"), "KEYS"), re.MULTILINE)
    return dict(re.fullmatch(r"\*([a-z0-9-]+)\* (.*)", head).groups() for head in ", ".join(heads).split(", "))


def entry(*lines):
    """The plan of an entry with a kernel and these lines, or None if it is refused."""
    result = subprocess.run([loader.PROGRAMS[1], "entry", "x"], input="\n".join(["linux /x", *lines]).encode(),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return json.loads(result.stdout) if result.returncode == 0 else None


def lines_with(key):
    """A line for each value that the page lists for a key."""
    form = re.sub(r"_([A-Z]+)_", lambda name: VALUES[name[1]], keys_of_the_page()[key]).replace("*", "")
    return [f"{key} {value}" for value in form.split("|")]


def test_keys_of_an_entry():
    assert sorted(keys_of_the_page()) == sorted(loader.keys())


@pytest.mark.parametrize("key", sorted(keys_of_the_page()))
def test_values_of_an_entry(key):
    """The parser accepts the page's values. If the page lists all values, the parser refuses any other."""
    around = {"pcrsig": ["measure uki"], "pcrpkey": ["measure uki"], "linux": [], "uki": []}.get(key, [])
    for line in lines_with(key):
        # The entry has a kernel already.
        assert (entry(*around, line) is None) == (key in ("linux", "uki")), line
    if "_" not in keys_of_the_page()[key]:
        assert entry(f"{key} nonsense") is None and entry(key) is None


def test_defaults_of_an_entry():
    page = section(text("kexec-efi-entry.5"), "KEYS")
    defaults = re.findall(r"^\*([a-z-]+)\* .*\n(?:\t.*\n)*?\t.*Default: \*?([a-z0-9]+)\*?\.", page, re.MULTILINE)
    assert len(defaults) == page.count("Default: ") >= 6
    for key, value in defaults:
        plan, other = entry(), entry(f"{key} {value}")
        for one in (plan, other):
            # `profile` is whether the entry names one; `chosen_profile` is the one that is booted.
            one.pop("text", None)
            one.pop("profile", None)
        assert plan == other, key


def test_keys_that_may_be_repeated():
    sentence = re.search(r"say so below\. A second line (.*?) is\s+refused", text("kexec-efi-entry.5"), re.DOTALL)[1]
    once = set(re.findall(r"\*([a-z]+)\*", sentence))
    for key in keys_of_the_page():
        around = ["measure uki"] if key.startswith("pcr") else []
        line = lines_with(key)[0]
        assert (entry(*around, line, line) is None) == (key in once), key


@pytest.mark.parametrize("example", re.findall(r"```\n(.*?)```", text("kexec-efi-entry.5"), re.DOTALL))
def test_examples_of_entries(example):
    result = subprocess.run([loader.PROGRAMS[1], "entry", "x"], input=example.encode(), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)
    assert (result.returncode, result.stderr) == (0, b"")
    # The digests on the page have the right number of digits.
    assert json.loads(result.stdout)["kernel"]


# --- the loader
# ---------------------------------------------------------------------------------------------------------


def sources(*folders):
    return "".join(path.read_text() for folder in folders for path in sorted((ROOT / folder).rglob("*.[ch]")))


def test_load_options():
    """The page names the load options that the loader's refusal names."""
    page = section(text("kexec-efi.7"), "LOAD OPTIONS")
    named = re.search(r'"load options ignored: expected (linux=, [^"]*, or --) "', sources("boot"))[1]
    known = {word for word in re.findall(r"[a-z-]+=?", named) if word != "or"}
    heads = set(re.findall(r"^\*([a-z-]+=?)", page, re.MULTILINE))
    assert heads == known


def test_messages():
    """The sources of loader and purgatory contain the messages that the page quotes."""
    page = section(text("kexec-efi.7"), "MESSAGES")
    heads = re.findall(r"\*((?:kexec|purgatory): [^*]*)\*", " ".join(re.findall(r"^\*.*", page, re.MULTILINE)))
    assert len(heads) >= 5
    for head in heads:
        side, _, words = head.partition(": ")
        said = sources("purgatory") if side == "purgatory" else sources("boot", "efi")
        for word in words.replace("warning: ", "").strip().split("; "):
            assert word.strip(": ") in said, head
    assert re.search(r'LOG_WARNING_MARK "warning: "', sources("boot")) and 'L"kexec: ' in sources("efi")


def test_variables():
    page = section(text("kexec-efi.7"), "VARIABLES")
    vendors = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", page)
    assert len(vendors) == 2 and all(vendor in (ROOT / "common/vendor.h").read_text() for vendor in vendors)
    found = set(re.findall(r"\*([A-Z][A-Za-z0-9]+)\*", page))
    code = sources("efi", "common")
    note = re.search(r"define STOP_NOTE_NAME[^{]*\{([^}]*)\}", code)[1]
    ours = {"".join(re.findall(r"'(.)'", note)), *re.findall(r'L"(Kexec\w+)"', code)}
    interface = set(re.findall(r'L"((?:Loader|Stub)[A-Za-z0-9]+)"', sources("efi/linux", "efi/measure")))
    assert found == ours | interface | {"MemoryOverwriteRequestControl", "RandomSeed"}


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_is_one(page, tmp_path):
    roff = subprocess.run(["scdoc"], input=page.read_bytes(), stdout=subprocess.PIPE, check=True).stdout
    (tmp_path / page.stem).write_bytes(roff)
    result = subprocess.run(["man", "-l", "--warnings", tmp_path / page.stem], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, check=True,
                            env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANROFFOPT": "-ww"})
    assert result.stderr == b"" and page.stem.split(".")[0].encode() in result.stdout


def test_pages_name_each_other():
    """Each page names other pages of ours, and only existing ones."""
    names = {page.name.removesuffix(".scd") for page in PAGES}
    assert names == {"kexec-efi-test.1", "kexec-efi.7", "kexec-efi.8", "kexec-efi-entry.5", "kexec-efi.conf.5"}
    for page in PAGES:
        named = re.findall(r"\*(kexec-efi[a-z.-]*)\*\(([0-9])\)", section(page.read_text(), "SEE ALSO"))
        others = {f"{name}.{number}" for name, number in named}
        assert others <= names - {page.name.removesuffix(".scd")} and others
