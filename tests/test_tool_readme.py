# SPDX-License-Identifier: BSD-2-Clause
"""The tasks of the test tool's README, each a script. Here another script replaces the machine, so every `make check`
runs them; tests/qemu/test_tool.py runs them on real machines."""

import os
import pathlib
import re
import subprocess

import pytest

from fake_qemu import ROOT, FakeQemu

README = ROOT / "tools/kexec_efi_test/README.md"
SECTIONS = re.split(r"^#+ (.*)\n", README.read_text(), flags=re.MULTILINE)[1:]
TASKS = {name: re.search(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]
         for name, text in zip(SECTIONS[::2], SECTIONS[1::2]) if "```sh" in text}

# The reader's first line: in a checkout, and with the package.
IN_CHECKOUT, WITH_PACKAGE = re.findall(r"^    (export .*)$", README.read_text(), re.MULTILINE)

# A machine like those that the tasks boot. It runs the guest's command on the host, with a few files of a guest.
GUEST = r"""
words=" $* "
folder=$(dirname "$(printf '%s\n' "$@" | sed -n 's/.*file=\(.*esp\.img\).*/\1/p; s/^\(.*command\.cpio\)$/\1/p' | head -n 1)")
append=$(while [ $# -gt 0 ]; do [ "$1" != -append ] || echo "$2"; shift; done)
echo 'BdsDxe: starting Boot0001 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x1,0x0)'
echo 'kexec: kexec-efi 0.1'
echo '[    0.000000] Linux version 6.1.0 (test)'
echo '[    0.000000] Command line: console=ttyS0 my-disk'
case $append$(cat "$folder"/esp.img 2>/dev/null | grep -a -m 1 '^options') in
*root=/dev/none*) echo '[    1.0] Kernel panic - not syncing: VFS: Unable to mount root fs' ;;
esac
echo '[    1.000000] Run /init as init process'
if [ -e "$folder/command.cpio" ]; then
	printf '%s\n' "$append" >cmdline.seen
	mark=$(grep -a -o -m 1 'kexec-efi-test-[0-9a-f]*' "$folder/command.cpio" | head -n 1)
	cpio --quiet -i --to-stdout .kexec-efi-test/command <"$folder/command.cpio" 2>/dev/null |
		sed 's,/proc/cmdline,cmdline.seen,; s,/share,share,; s,10\.0\.2\.2,127.0.0.1,; s,dmesg |,echo "Secure boot enabled" |,' >command
	printf '\n%s up\n' "$mark"
	PATH=$PWD/../bin:$PWD/bin:$PATH sh ./command 2>&1
	status=$?
	printf '\n%s pcr 4 00\n%s pcr 9 %s\n\n%s exit %s\n' "$mark" "$mark" "$(date +%N)" "$mark" "$status"
else
	printf '/ # '
fi
exec sleep 600
"""

# Tasks that need a real machine: Secure Boot, a screen, a debugger.
NEED_A_MACHINE = {"See Secure Boot refuse an unsigned kernel", "Take a screenshot",
                  "Stop at the kernel's entry with a debugger"}


def run_task(name, folder, environment, initrd, kernel, modules=None):
    """Runs a task as the README says: in a folder with a kernel, an initrd, and modules of the kernel."""
    for path in (modules.iterdir() if modules else ()):
        if path.is_dir() or path.suffix == ".ko":
            (folder / path.name).symlink_to(path)
    (folder / "bzImage").symlink_to(kernel)
    (folder / "initrd.img").symlink_to(initrd)
    environment = {**environment, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "PYTHONDONTWRITEBYTECODE": "1",
                   "FOLDER": str(folder), "PORT": str(8400 + os.getpid() % 1000)}
    environment.pop("PYTHONPATH", None)
    script = f"{IN_CHECKOUT}\ncd \"$FOLDER\"\nstatus=\n{TASKS[name]}"
    result = subprocess.run(["/bin/sh", "-eu", "-c", script], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, errors="replace")
    assert "Traceback" not in result.stdout, result.stdout
    assert result.returncode == 0, f"{TASKS[name]}\nended with {result.returncode}:\n{result.stdout}"
    return result.stdout


def test_there_are_fifteen():
    assert len(TASKS) == 15 and NEED_A_MACHINE < set(TASKS)


def test_package_has_the_module_where_the_readme_says():
    folder = WITH_PACKAGE.removeprefix("export PYTHONPATH=/")
    assert f"{folder}/kexec_efi_test" in (ROOT / "debian/kexec-efi-test.install").read_text().splitlines()


@pytest.mark.parametrize("name", [name for name in TASKS if name not in NEED_A_MACHINE])
def test_task(tmp_path, name):
    fake = FakeQemu(tmp_path, GUEST)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/wget").symlink_to("/bin/busybox")
    work = tmp_path / "work"
    work.mkdir()
    try:
        run_task(name, work, fake.environment, tmp_path / "vmlinuz", tmp_path / "vmlinuz")
        fake.assert_nothing_left()
    finally:
        fake.end()


def test_example_for_a_hosted_ci_is_understood(tmp_path):
    """The command accepts the options in its matrix."""
    text = (README.parent / "ci.yml").read_text()
    matrix = re.search(r"cat >boots.toml <<'EOF'\n(.*?)\n *EOF", text, re.DOTALL)[1].replace("arch/x86/boot/bzImage", "vmlinuz")
    (tmp_path / "boots.toml").write_text("\n".join(line.strip() for line in matrix.splitlines()))
    fake = FakeQemu(tmp_path, GUEST)
    try:
        result = subprocess.run([pathlib.Path(fake.words()[2]), "--matrix", "boots.toml"], cwd=tmp_path, env=fake.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        fake.end()
    # Signing needs a real kernel.
    rows = [re.split("  +", row)[:2] for row in result.stdout.splitlines()[1:4]]
    assert rows == [["ovmf", "pass"], ["secboot", "pass"], ["strictnx", "pass"]], result
    assert "Secure Boot on" in result.stdout
