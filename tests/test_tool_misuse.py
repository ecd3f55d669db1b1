# SPDX-License-Identifier: BSD-2-Clause
"""Wrong calls of kexec-efi-test: one line that quotes the mistake, and status 2. Nothing is started, and nothing is
left."""

import re
import subprocess

import pytest

from fake_qemu import WAITS, FakeQemu, kernel

# The folder has the files `garbage`, `key.pem` and `unreadable/`. KEXEC is tests/fake_qemu.py's machine, which runs for
# ever.
MISUSES = {
    "no such kernel": (["--kernel", "none"], r"--kernel: cannot read none: No such file"),
    "kernel is a folder": (["--kernel", "."], r"--kernel: cannot read \.: Is a directory"),
    "kernel without a name": (["--kernel", ""], r"--kernel: cannot read a file without a name"),
    "kernel with a NUL": (["--kernel=a\0b"], None),
    "no such initrd": (["--initrd", "none"], r"--initrd: cannot read none"),
    "list of initrds with a quote": (["--initrds", "a 'b"], r"--initrds a 'b: No closing quotation"),
    "list of initrds that are not there": (["--initrds", "a b"], r"--initrds: cannot read a"),
    "no such option": (["--kernal", "x"], r"unrecognized arguments: --kernal x"),
    "abbreviated option": (["--exp", "x"], r"unrecognized arguments: --exp x"),
    "word without an option": (["vmlinuz"], r"unrecognized arguments: vmlinuz"),
    "option without a value": (["--expect"], r"--expect: expected one argument"),
    "broken expression": (["--expect", "("], r"--expect: expected a regular expression, found \(: missing \)"),
    "empty expression": (["--expect", ""], r"--expect: expected an expression that does not match everywhere, found ''"),
    "expression that forbids everything": (["--forbid", ".*"], r"--forbid: .* found '\.\*'"),
    "memory in words": (["--memory", "lots"], r"--memory: expected MiB from 1 on, or a number with M or G, found lots"),
    "memory with another unit": (["--memory", "2T"], r"--memory: .* found 2T"),
    "no memory": (["--memory", "0"], r"--memory: .* found 0"),
    "no CPU": (["--cpus", "0"], r"--cpus: .* found 0"),
    "negative CPUs": (["--cpus=-1"], r"--cpus: .* found -1"),
    "number with a blank": (["--cpus", "1 "], r"--cpus: .* found 1 "),
    "no time": (["--timeout", "0"], r"--timeout: expected seconds above 0, found 0"),
    "time that is no number": (["--timeout", "nan"], r"--timeout: .* found nan"),
    "time without end": (["--timeout", "inf"], r"--timeout: .* found inf"),
    "time with a unit": (["--line-timeout", "5s"], r"--line-timeout: .* found 5s"),
    "unknown firmware": (["--firmware", "seabios", "--expect", "x"],
                         r"--firmware seabios: expected one of ovmf, .*, or a file, found neither"),
    "firmware is a folder": (["--firmware", ".", "--expect", "x"], r"--firmware \.: expected one of"),
    "unknown way": (["--via", "lilo"], r"--via lilo: expected kexec-efi, stub, .* or an EFI application, found no such file"),
    "file without a path": (["--file", "vmlinuz"], r"--file: expected PATH=FILE with a PATH from / on, found vmlinuz"),
    "file that is not there": (["--file", "/a=none", "--expect", "x"], r"--file: cannot read none"),
    "ESP that is a file": (["--esp", "garbage", "--expect", "x"], r"--esp garbage: expected a folder, found none"),
    "empty ESP": (["--esp", "empty", "--expect", "x"], r"--esp empty: expected files in it, found none"),
    "ESP without a loader": (["--esp", "folder", "--via", "garbage/x", "--expect", "x"], r"--via garbage/x: expected .*"),
    "no such bus": (["--bus", "scsi"], r"--bus: invalid choice: 'scsi'"),
    "no such TPM": (["--tpm", "1.2"], r"--tpm: invalid choice: '1\.2'"),
    "nodes that do not divide": (["--numa", "3", "--memory", "1000", "--expect", "x"],
                                 r"--numa 3: expected --memory and --cpus that can be divided"),
    "share that is a file": (["--share", "garbage", "--expect", "x"], r"--share garbage: expected a folder, found none"),
    "one port": (["--forward", "22"], r"--forward: expected HOST:GUEST, two TCP ports, found 22"),
    "port that is too large": (["--forward", "70000:22"], r"--forward: .* found 70000:22"),
    "debug exit that QEMU cannot tell": (["--debug-exit", "128"], r"--debug-exit: expected a number from 1 to 127, found 128"),
    "keys without a text": (["--keys", "x"], r"--keys: expected 2 arguments"),
    "keys with a broken escape": (["--keys", "x", r"\x1"], r"--keys: expected text with \\r and the like"),
    "signature without a key": (["--sign", "--expect", "x"],
                                r"--sign: expected --key, or --secure-boot snakeoil, .* found neither"),
    "signature of something else": (["--sign", "initrd"], r"--sign: invalid choice: 'initrd'"),
    "certificate that is none": (["--secure-boot", "garbage", "--expect", "x"],
                                 r"--secure-boot garbage: expected snakeoil, ms or a certificate in PEM, found none"),
    "certificate that is not there": (["--secure-boot", "none", "--expect", "x"],
                                      r"--secure-boot none: expected snakeoil, ms or a certificate in PEM, found no "
                                      r"such file"),
    "command for a machine without a kernel": (["--disk", "garbage", "--run", "true"],
                                               r"--run: expected --kernel, by one of .*, found none"),
    "command for an application": (["--via", "garbage", "--kernel", "garbage", "--run", "true"],
                                   r"--run: expected --kernel, by one of .*, found another way"),
    "line for an entry that there is not": (["--via", "stub", "--entry", "verbose yes", "--expect", "x"],
                                            r"--entry: expected --via kexec-efi and a kernel beside it, found none"),
    "loader that is not used": (["--via", "uki", "--image", "garbage", "--expect", "x"], r"--image: expected --via kexec-efi"),
    "command line for no kernel": (["--disk", "garbage", "--cmdline", "x", "--expect", "x"],
                                   r"--cmdline: expected --kernel beside it, found none"),
    "initrd for no kernel": (["--esp", "folder", "--initrd", "garbage", "--expect", "x"],
                             r"--initrd: expected --kernel beside it"),
    "key without a wish to sign": (["--key", "garbage", "--expect", "x"], r"--key: expected --sign beside it"),
    "modules without a command": (["--modules", ".", "--expect", "x"], r"--modules: expected --run beside it"),
    "text for the stub": (["--via", "stub", "--kernel", "garbage", "--expect", "x"],
                          r"--kernel garbage: --via stub: expected a kernel with an EFI stub, found another file"),
    "text for us": (["--kernel", "garbage", "--run", "true"],
                    r"--kernel garbage: --via kexec-efi: expected a bzImage or a PE image, found another file"),
    "kernel that is empty": (["--via", "grub", "--kernel", "nothing", "--expect", "x"],
                             r"--kernel nothing: --via grub: expected a bzImage or a PE image, found an empty file"),
    "kernel that is vmlinux": (["--via", "uki", "--kernel", "vmlinux", "--expect", "x"],
                               r"--kernel vmlinux: --via uki: expected a kernel with an EFI stub, found an ELF file, "
                               r"as vmlinux is"),
    "kernel that is compressed": (["--kernel", "vmlinux.gz", "--expect", "x"],
                                  r"--kernel vmlinux\.gz: --via kexec-efi: .* found a compressed file"),
    "kernel without a stub": (["--via", "systemd-boot", "--kernel", "old", "--expect", "x"],
                              r"--kernel old: --via systemd-boot: .* found a bzImage without one"),
    "kernel of another machine": (["--via", "stub", "--kernel", "arm", "--expect", "x"],
                                  r"--kernel arm: --via stub: expected a PE image for x86-64, found one for the "
                                  r"machine 0xaa64"),
    "kernel that ends in its header": (["--via", "stub", "--kernel", "cut", "--expect", "x"],
                                       r"--kernel cut: --via stub: .* found another file"),
    "command for an image with an entry": (["--image", "sealed.efi", "--run", "true"],
                                           r"--run: expected an --image with nothing sealed in it, .* found section "
                                           r"\.entry in sealed\.efi"),
    "command for a unified image": (["--image", "uki.efi", "--run", "true"], r"--run: .* found section \.linux in uki\.efi"),
    "modules that are none": (["--kernel", "vmlinuz", "--run", "true", "--modules", "."],
                              r"--modules \.: expected a folder with modules\.dep, found none"),
    "results in no folder": (["--json", "none/out.json", "--expect", "x"],
                             r"--json: cannot write none/out\.json: No such file or directory"),
    "results in the place of a folder": (["--html", ".", "--expect", "x"], r"--html: cannot write \.: Is a directory"),
    "two lines for an entry": (["--entry", "a\nb"], r"--entry: expected one line, found 'a\\nb'"),
    "matrix that is not there": (["--matrix", "none.toml"], r"--matrix: cannot read none\.toml: No such file"),
    "matrix that is no TOML": (["--matrix", "garbage"], r"--matrix garbage: expected TOML: "),
    "matrix without boots": (["--matrix", "empty.toml"],
                             r"--matrix empty\.toml: expected at least one \[\[boot\]\], found none"),
    "matrix with another word": (["--matrix", "word.toml"],
                                 r"--matrix word\.toml: kernal: expected the name of an option for one boot"),
    "matrix with a wrong value": (["--matrix", "value.toml"],
                                  r"--memory: expected MiB from 1 on, or a number with M or G, found lots"),
}
TOML = {"empty.toml": "[common]\ncpus = 1\n", "word.toml": "[[boot]]\nkernal = 'x'\n",
        "value.toml": "[[boot]]\nexpect = 'x'\n[[boot]]\nmemory = 'lots'\n"}


@pytest.fixture
def qemu(tmp_path):
    fake = FakeQemu(tmp_path, f"touch {tmp_path}/started\n" + WAITS)
    for name, content in {"garbage": "garbage\xff", **TOML}.items():
        (tmp_path / name).write_text(content, "latin-1")
    for name, content in {"nothing": b"", "vmlinux": b"\x7fELF", "vmlinux.gz": b"\x1f\x8b\x08",
                          "old": kernel(machine=None), "arm": kernel(machine=0xaa64),
                          "cut": kernel()[:0x50], "sealed.efi": kernel(b"", sections=[".text", ".entry", ".linux"]),
                          "uki.efi": kernel(b"", sections=[".text", ".linux"])}.items():
        (tmp_path / name).write_bytes(content)
    for name in ("empty", "folder"):
        (tmp_path / name).mkdir()
    (tmp_path / "folder/file").write_text("")
    yield fake
    fake.end()


def assert_refused(fake, result, line):
    assert result.returncode == 2, result
    assert re.fullmatch(rf"kexec-efi-test: error: (argument )?{line}.*\n", result.stderr), result.stderr
    assert result.stdout == ""
    assert not (fake.folder / "started").exists(), "a machine was started"
    fake.assert_nothing_left()


def call(fake, words, **environment):
    return subprocess.run([*fake.words()[:3], *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          cwd=fake.folder, env={**fake.environment, **environment}, errors="replace")


@pytest.mark.parametrize("name", [name for name, (_, line) in MISUSES.items() if line])
def test_misuse(qemu, name):
    words, line = MISUSES[name]
    assert_refused(qemu, call(qemu, words), line)


def test_esp_without_a_loader(qemu):
    assert_refused(qemu, call(qemu, ["--esp", "folder", "--expect", "x"]),
                   r"expected /EFI/BOOT/BOOTX64\.EFI on the ESP, which firmware looks for, found /file")


@pytest.mark.parametrize("program, words",
                         [("mformat", ["--kernel", "vmlinuz", "--image", "garbage"]),
                          ("grub-mkstandalone", ["--via", "grub", "--kernel", "vmlinuz"]),
                          ("busybox", ["--kernel", "vmlinuz", "--image", "garbage", "--run", "true"]),
                          ("swtpm", ["--tpm", "crb", "--via", "stub", "--kernel", "vmlinuz"])])
def test_program_that_is_not_installed(qemu, program, words):
    """The programs are missing from PATH, whether or not this machine has them."""
    (qemu.folder / "bin").mkdir()
    for name in ("openssl", "dpkg-query", "sh", "sleep", "touch"):
        path = subprocess.check_output(["/bin/sh", "-c", f"command -v {name}"], text=True).strip()
        (qemu.folder / "bin" / name).symlink_to(path)
    result = call(qemu, [*words, "--expect", "x"], PATH=str(qemu.folder / "bin"))
    assert_refused(qemu, result, rf".*{program}")


def test_no_qemu(qemu):
    result = call(qemu, ["--expect", "x", "--kernel", "vmlinuz"], KEXEC_QEMU="/none/qemu")
    assert_refused(qemu, result, r"expected QEMU, found no /none/qemu")


def test_qemu_that_is_no_program(qemu):
    (qemu.folder / "script").write_text("#!/none\n")
    (qemu.folder / "script").chmod(0o755)
    result = call(qemu, ["--expect", "x", "--kernel", "vmlinuz", "--via", "stub"], KEXEC_QEMU=str(qemu.folder / "script"))
    assert_refused(qemu, result, r".*script")
