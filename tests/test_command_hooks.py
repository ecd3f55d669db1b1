# SPDX-License-Identifier: BSD-2-Clause
"""packaging/: the hooks call kexec-efi correctly, and are no-ops on a machine that is not set up."""

import os
import re
import subprocess

import pytest

from command_machine import COMMAND, ROOT, FolderMachine, cpio

PACKAGING = ROOT / "packaging"
POSTINST, POSTRM = PACKAGING / "kernel/postinst.d/zz-kexec-efi", PACKAGING / "kernel/postrm.d/zz-kexec-efi"
UPDATE = PACKAGING / "initramfs/post-update.d/kexec-efi"
PLUGIN = PACKAGING / "kernel-install/60-kexec-efi.install"
VERSION = "6.1.0-9-amd64"


@pytest.fixture
def machine(tmp_path):
    found = FolderMachine.new(tmp_path / "machine")
    found.kernel_package(VERSION)
    # A wrapper that runs the command on the test's machine, not on this one.
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "kexec-efi").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\ncommand=$1\nshift\n'
                                        f'test "$command" = uki || set -- --variables=yes "$@"\n'
                                        f'exec {COMMAND} "$command" --root={found.root} "$@"\n')
    (programs / "kexec-efi").chmod(0o755)
    found.programs = programs
    return found


def installed(machine):
    machine.run("install", VERSION)
    return machine


def run(machine, *words, expected=0, programs=True, **environment):
    path = f"{machine.programs}:{os.environ['PATH']}" if programs else os.environ["PATH"]
    result = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            stdin=subprocess.DEVNULL, text=True,
                            env={"PATH": path, "KEXEC_EFI_SYSTEM": str(machine.kernel), **environment})
    assert result.returncode == expected, result
    return result


def versions(machine):
    return {one.version for one in machine.machine().store.sets()}


def image_of(machine, version):
    return machine.root / f"boot/vmlinuz-{version}"


@pytest.mark.parametrize("hook", [POSTINST, POSTRM, UPDATE, PLUGIN], ids=lambda path: path.name)
def test_nothing_happens_before_install(machine, hook):
    before = machine.state()
    words = [hook, VERSION, image_of(machine, VERSION)]
    if hook == PLUGIN:
        words = [hook, "add", VERSION, "/nowhere", image_of(machine, VERSION)]
    if hook == UPDATE:
        words[2] = machine.root / f"boot/initrd.img-{VERSION}"
    result = run(machine, *words, KERNEL_INSTALL_LAYOUT="kexec-efi", KERNEL_INSTALL_STAGING_AREA="/nowhere")
    assert (result.stdout, result.stderr) == ("", "") and machine.state() == before
    # The hook did call the command.
    assert "--if-installed" in (machine.folder.parent / "calls").read_text()


@pytest.mark.parametrize("hook", [POSTINST, POSTRM, UPDATE], ids=lambda path: str(path.parent.name))
def test_command_that_is_gone(machine, hook):
    """The package was removed; its files in /etc are still there."""
    result = run(machine, hook, VERSION, image_of(machine, VERSION), programs=False)
    assert (result.stdout, result.stderr) == ("", "")


@pytest.mark.parametrize("parameters", ["", "configure 6.1", "'configure' ''"])
def test_kernel_that_is_installed(machine, parameters):
    installed(machine).kernel_package("6.2")
    result = run(machine, POSTINST, "6.2", image_of(machine, "6.2"), DEB_MAINT_PARAMS=parameters)
    # debconf reads standard output.
    assert result.stdout == "" and "on trial" in result.stderr
    assert versions(machine) == {VERSION, "6.2"}


def test_kernel_without_an_initrd(machine):
    installed(machine).kernel_package("6.2")
    (machine.root / "boot/initrd.img-6.2").unlink()
    assert "expected an initrd" in run(machine, POSTINST, "6.2", image_of(machine, "6.2"), expected=1).stderr
    run(machine, POSTINST, "6.2", image_of(machine, "6.2"), INITRD="No")
    assert versions(machine) == {VERSION, "6.2"}


@pytest.mark.parametrize("hook, parameters",
                         [(POSTINST, "abort-upgrade 6.1"), (POSTINST, "'triggered' 'x'"), (POSTRM, "upgrade 6.1"),
                          (POSTRM, "'failed-upgrade' '6.1'")])
def test_other_calls_of_the_package(machine, hook, parameters):
    installed(machine)
    before = machine.state()
    run(machine, hook, VERSION, image_of(machine, VERSION), DEB_MAINT_PARAMS=parameters)
    assert machine.state() == before and not (machine.folder.parent / "calls").exists()


@pytest.mark.parametrize("parameters", ["remove", "'purge'", ""])
def test_kernel_that_is_removed(machine, parameters):
    installed(machine).kernel_package("6.2")
    machine.run("add", "6.2")
    image_of(machine, "6.2").unlink()
    assert run(machine, POSTRM, "6.2", image_of(machine, "6.2"), DEB_MAINT_PARAMS=parameters).stdout == ""
    assert versions(machine) == {VERSION}


def test_kernel_that_cannot_be_removed(machine):
    """The hook warns, and does not stop the removal of the kernel's package."""
    installed(machine)
    (machine.kernel / "proc/self/mountinfo").write_text("")
    result = run(machine, POSTRM, VERSION)
    assert f"warning: {VERSION} may still be on the ESP: later, run: kexec-efi remove {VERSION}\n" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("hook, remedy", [(POSTINST, "run: dpkg --configure -a"),
                                          (UPDATE, f"update-initramfs -u -k {VERSION}")])
def test_kernel_that_cannot_be_added(machine, hook, remedy):
    """The package stays half configured, as with other boot loaders, and the hook says how to go on."""
    installed(machine)
    (machine.kernel / "proc/self/mountinfo").write_text("")
    file = image_of(machine, VERSION) if hook == POSTINST else machine.root / f"boot/initrd.img-{VERSION}"
    assert remedy in run(machine, hook, VERSION, file, expected=1).stderr


def test_initrd_that_is_updated(machine):
    installed(machine)
    initrd = machine.root / f"boot/initrd.img-{VERSION}"
    names = machine.names()
    run(machine, UPDATE, VERSION, initrd)
    assert machine.names() == names
    initrd.write_bytes(cpio("updated"))
    run(machine, UPDATE, VERSION, initrd)
    assert machine.names() != names
    machine.expect_bootable()
    # The hook runs for a kernel that does not exist.
    other = machine.root / "boot/initrd.img-9"
    other.write_bytes(cpio("other"))
    run(machine, UPDATE, "9", other)
    assert versions(machine) == {VERSION}


# --- kernel-install --------------------------------------------------------------------------------------------------


def plugin(machine, *words, **options):
    staging = machine.folder / "staging"
    staging.mkdir(exist_ok=True)
    return run(machine, PLUGIN, *words, KERNEL_INSTALL_STAGING_AREA=str(staging), **options)


def test_plugin_adds_and_removes(machine):
    installed(machine).kernel_package("6.2")
    words = ["6.2", machine.esp / "token/6.2", image_of(machine, "6.2"), machine.root / "boot/initrd.img-6.2"]
    plugin(machine, "add", *words, KERNEL_INSTALL_LAYOUT="kexec-efi")
    assert versions(machine) == {VERSION, "6.2"}
    plugin(machine, "remove", *words[:2], KERNEL_INSTALL_LAYOUT="kexec-efi")
    assert versions(machine) == {VERSION}


def test_plugin_takes_what_is_staged(machine):
    """Microcode comes first, then the initrd that another plugin has made."""
    installed(machine).kernel_package("6.2")
    (machine.root / "boot/initrd.img-6.2").unlink()
    (machine.folder / "staging").mkdir()
    for name in ("initrd-b", "initrd-a", "microcode"):
        (machine.folder / "staging" / name).write_bytes(cpio(name))
    plugin(machine, "add", "6.2", "/nowhere", image_of(machine, "6.2"), KERNEL_INSTALL_LAYOUT="kexec-efi")
    conf = next(path for path in machine.esp.rglob("6.2.*.conf")).read_text()
    contents = [(machine.esp / path[1:]).read_bytes() for path in re.findall("^initrd (.*)", conf, re.MULTILINE)]
    assert contents == [cpio("microcode"), cpio("initrd-a"), cpio("initrd-b")]


def test_plugin_makes_a_unified_image(machine):
    """The plugin makes the image for 90-uki-copy.install, even if kexec-efi is not set up."""
    out = machine.folder / "staging/uki.efi"
    plugin(machine, "add", VERSION, "/nowhere", image_of(machine, VERSION), machine.root / f"boot/initrd.img-{VERSION}",
           KERNEL_INSTALL_LAYOUT="uki", KERNEL_INSTALL_UKI_GENERATOR="kexec-efi")
    (machine.esp / "uki.efi").write_bytes(out.read_bytes())
    machine.judge("/uki.efi")
    content = out.read_bytes()
    assert VERSION.encode() in content and b"PRETTY_NAME" in content and b"root=/dev/vda2 ro quiet" in content


@pytest.mark.parametrize("environment", [
    {"KERNEL_INSTALL_LAYOUT": "bls"}, {"KERNEL_INSTALL_LAYOUT": "uki"},
    {"KERNEL_INSTALL_LAYOUT": "uki", "KERNEL_INSTALL_UKI_GENERATOR": "ukify"},
    {"KERNEL_INSTALL_LAYOUT": "uki", "KERNEL_INSTALL_UKI_GENERATOR": "kexec-efi", "KERNEL_INSTALL_IMAGE_TYPE": "uki"}, {}])
@pytest.mark.parametrize("command", ["add", "remove", "inspect"])
def test_plugin_of_others(machine, environment, command):
    installed(machine)
    before = machine.state()
    plugin(machine, command, VERSION, "/nowhere", image_of(machine, VERSION), **environment)
    assert machine.state() == before and not (machine.folder.parent / "calls").exists()


def test_plugin_with_an_initrd_that_is_missing(machine):
    installed(machine)
    result = plugin(machine, "add", VERSION, "/nowhere", image_of(machine, VERSION), "/nowhere/initrd", expected=1,
                    KERNEL_INSTALL_LAYOUT="kexec-efi")
    assert "expected an initrd /nowhere/initrd, found none" in result.stderr


# --- other parts of a package -----------------------------------------------------------------------------------------


def options_of(*words):
    result = subprocess.run([COMMAND, *words, "--help"], stdout=subprocess.PIPE, text=True, check=True)
    return set(re.findall(r"--[a-z-]+", result.stdout.split("options:")[-1]))


def bash_completed(machine, *words):
    script = f"source {PACKAGING}/bash-completion/kexec-efi; " \
             f"COMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}; " \
             "_kexec_efi; printf '%s\\n' \"${COMPREPLY[@]}\""
    return set(run(machine, "bash", "-c", script).stdout.split())


def zsh_completed(machine, *words):
    """The arguments for zsh's own functions, without descriptions: options, or the words of a list."""
    script = "_describe() { print -rl -- ${(P)4%%:*} }; _arguments() { print -rl -- $@ }; _files() {}; " \
             f"words=({' '.join(map(repr, words))}); CURRENT={len(words)}; source {PACKAGING}/zsh/_kexec-efi"
    found = set()
    for line in run(machine, "zsh", "-f", "-c", script).stdout.splitlines():
        values = re.fullmatch(r":version:\((.*)\)", line)
        # Before an option stand the options that it excludes, and the mark that it may be repeated.
        option = re.match(r"(?:\([^)]*\))?[*]?(--[a-z-]+)", line)
        found |= set(values[1].split()) if values else {option[1]} if option else {line} - set(re.findall("^:.*", line))
    return {word for word in found if word.startswith("-") == words[-1].startswith("-")}


SHELLS = pytest.mark.parametrize("completed", [bash_completed, zsh_completed])


@SHELLS
def test_completion_knows_all_words(machine, completed):
    helped = subprocess.run([COMMAND, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    commands = set(re.findall(r"^    ([a-z]+) ", helped + " ", re.MULTILINE)) | {"uninstall"}
    assert completed(machine, "kexec-efi", "") == commands
    assert completed(machine, "kexec-efi", "-") == options_of()
    for command in commands:
        assert completed(machine, "kexec-efi", command, "-") == options_of(command), command
    # Common options may precede the command.
    assert completed(machine, "kexec-efi", "--root", "/", "--json", "uki", "-") == options_of("uki")
    assert completed(machine, "kexec-efi", "--root", "/", "") == commands


@SHELLS
def test_completion_of_versions(machine, completed):
    installed(machine)
    assert completed(machine, "kexec-efi", "remove", "") == {VERSION}
    assert completed(machine, "kexec-efi", "--json", "remove", "--force", "") == {VERSION}


def test_completion_of_values(machine):
    """Bash may split an option and its value in several ways."""
    for words in (["--variables", ""], ["--variables", "=", ""], ["--variables", "="]):
        assert bash_completed(machine, "kexec-efi", "status", *words) == {"auto", "yes", "no"}
    assert bash_completed(machine, "kexec-efi", "predict", "--bank", "sha3") == {"sha384"}
    folder = str(machine.folder)
    assert bash_completed(machine, "kexec-efi", "--root", folder + "/ro") == {folder + "/root"}
    assert bash_completed(machine, "kexec-efi", "add", "--initrd", folder + "/ke") == {folder + "/kernel"}
    assert bash_completed(machine, "kexec-efi", "uki", "--cmdline", "") == set()


@pytest.mark.parametrize("hook", [POSTINST, POSTRM, UPDATE, PLUGIN], ids=lambda path: path.name)
def test_hooks_are_programs(hook):
    assert os.access(hook, os.X_OK)
    subprocess.run(["sh", "-n", hook], check=True)


def test_service_names_the_record():
    from kexec_efi import record
    unit = (PACKAGING / "systemd/kexec-efi-bless.service").read_text()
    assert f"ConditionPathExists={record.FILE}\n" in unit and "After=local-fs.target boot-complete.target\n" in unit
