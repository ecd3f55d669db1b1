# SPDX-License-Identifier: BSD-2-Clause
"""`kexec-efi check`: its verdict on entries and images is the loader's, and it says what the loader would boot."""

import pathlib
import subprocess

import pytest

from command_machine import COMMAND, KERNEL, ROOT, SHIM, cpio, loader

IMAGE = ROOT / "build/kexecx64.efi"
INITRD = cpio("an initrd")
CONF = b"linux /vmlinuz\ninitrd /initrd\noptions root=/dev/x\n"


def check(*words, cwd):
    """(exit status, standard output, standard error)"""
    result = subprocess.run([COMMAND, "check", *words], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "Traceback" not in result.stderr, result.stderr
    assert "\x1b" not in result.stdout + result.stderr
    return result.returncode, result.stdout, result.stderr


@pytest.fixture
def volume(tmp_path):
    (tmp_path / "vmlinuz").write_bytes(KERNEL.read_bytes())
    (tmp_path / "initrd").write_bytes(INITRD)
    (tmp_path / "a.conf").write_bytes(CONF)
    return tmp_path


def digest_lines():
    kernel = loader.fsverity_digest(KERNEL.read_bytes())
    return ("  To require these files as they are now, add\n"
            f"    fsverity {kernel} /vmlinuz\n    fsverity {loader.fsverity_digest(INITRD)} /initrd\n")


def test_entry(volume):
    size = KERNEL.stat().st_size
    code, printed, complaint = check("--root=.", "a.conf", cwd=volume)
    version = loader.kernel_version(KERNEL.read_bytes()).decode()
    assert (code, complaint) == (0, "")
    assert printed == (f"a.conf: the loader would boot it\n  linux    /vmlinuz: {size} bytes, Linux {version}\n"
                       f"  initrd   /initrd: {len(INITRD)} bytes\n  options  root=/dev/x\n" + digest_lines())


def test_its_lines_require_the_files(volume):
    """The lines that it prints make an entry that boots these files only."""
    _, printed, _ = check("--root=.", "a.conf", cwd=volume)
    lines = [line.strip() for line in printed.splitlines() if line.startswith("    fsverity ")]
    assert len(lines) == 2
    (volume / "a.conf").write_bytes(CONF + "\n".join([*lines, ""]).encode())
    code, printed, _ = check("--root=.", "a.conf", cwd=volume)
    assert code == 0 and printed.count("fsverity as expected") == 2 and "To require" not in printed
    (volume / "initrd").write_bytes(INITRD.replace(b"an initrd", b"an imitrd"))
    code, printed, complaint = check("--root=.", "a.conf", cwd=volume)
    assert (code, printed) == (1, "a.conf: refused\n") and "/initrd: fsverity mismatch: expected " in complaint


REFUSED = {
    "misspelled": (CONF + b"Initrd /initrd\n", "a.conf: line 4: Initrd: expected initrd"),
    "missing": (CONF.replace(b"/initrd", b"/missing"), "cannot read missing: No such file or directory"),
    "no kernel": (CONF.replace(b"/vmlinuz", b"/initrd"), "/initrd: expected a kernel (bzImage), found a cpio archive"),
    "leads out": (CONF.replace(b"/vmlinuz", b"/../vmlinuz"), ""),
    "empty": (b"", 'a.conf: expected a line "linux PATH", found none'),
    "control character": (b"\x1b[31m\n", ""),
}


@pytest.mark.parametrize("content, expected", REFUSED.values(), ids=REFUSED)
def test_refused_entry(volume, content, expected):
    (volume / "a.conf").write_bytes(content)
    code, printed, complaint = check("--root=.", "a.conf", cwd=volume)
    assert (code, printed) == (1, "a.conf: refused\n") and complaint and expected in complaint


def test_each_file_has_a_verdict(volume):
    code, printed, complaint = check("--root=.", "missing.conf", "a.conf", ".", cwd=volume)
    assert code == 1 and "cannot read missing.conf" in complaint
    assert [line for line in printed.splitlines() if not line.startswith(" ")] == [
        "missing.conf: refused", "a.conf: the loader would boot it", ".: refused"]


def test_skipped_keys_are_named(volume):
    (volume / "a.conf").write_bytes(CONF + b"colour red\n")
    assert "\n  skipped  colour: unknown key\n" in check("--root=.", "a.conf", cwd=volume)[1]


def test_paths_begin_at_the_mount_point(volume):
    """Without --root."""
    if subprocess.run(["unshare", "--mount", "--map-root-user", "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("expected a mount namespace, found none")
    esp = volume / "esp"
    esp.mkdir()
    script = ('mount -t tmpfs none esp && mkdir esp/EFI && cp vmlinuz initrd esp && cp a.conf esp/EFI && '
              'exec "$0" check esp/EFI/a.conf')
    result = subprocess.run(["unshare", "--mount", "--map-root-user", "sh", "-c", script, COMMAND], cwd=volume,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("esp/EFI/a.conf: the loader would boot it\n  linux    /vmlinuz: ")


def test_another_volume_must_be_named(volume):
    (volume / "a.conf").write_bytes(CONF + b"volume xbootldr\n")
    code, _, complaint = check("a.conf", cwd=volume)
    assert code == 1
    assert "a.conf: its paths begin at the volume xbootldr: expected --root, where that is mounted, found none" in complaint
    assert check("--root=.", "a.conf", cwd=volume)[0] == 0


# --- fallbacks -------------------------------------------------------------------------------------------------------


def verdicts(printed):
    return [line for line in printed.splitlines() if not line.startswith(" ")]


def test_fallback_is_checked(volume):
    (volume / "a.conf").write_bytes(CONF + b"fallback /b.conf\n")
    (volume / "b.conf").write_bytes(CONF.replace(b"/initrd", b"/missing"))
    code, printed, _ = check("--root=.", "a.conf", cwd=volume)
    assert code == 1
    assert verdicts(printed) == ["a.conf: the loader would boot it", "a.conf: falls back to b.conf", "b.conf: refused"]
    (volume / "b.conf").write_bytes(CONF)
    assert check("--root=.", "a.conf", cwd=volume)[0] == 0


def test_fallback_of_a_refused_entry_is_checked(volume):
    (volume / "a.conf").write_bytes(CONF.replace(b"/initrd", b"/missing") + b"fallback /b.conf\n")
    (volume / "b.conf").write_bytes(CONF)
    code, printed, _ = check("--root=.", "a.conf", cwd=volume)
    assert code == 1
    assert verdicts(printed) == ["a.conf: refused", "a.conf: falls back to b.conf", "b.conf: the loader would boot it"]


def test_circle_of_fallbacks_ends(volume):
    (volume / "a.conf").write_bytes(CONF + b"fallback /b.conf\n")
    (volume / "b.conf").write_bytes(CONF + b"fallback /a.conf\n")
    code, printed, _ = check("--root=.", "a.conf", cwd=volume)
    assert code == 0 and printed.count("the loader would boot it") == 2


# --- images ----------------------------------------------------------------------------------------------------------


def test_image_boots_the_entry_beside_it(volume):
    (volume / "a.efi").write_bytes(IMAGE.read_bytes())
    code, printed, _ = check("--root=.", "a.efi", cwd=volume)
    assert code == 0 and verdicts(printed) == ["a.efi: nothing is sealed in it: it boots the entry beside it",
                                               "a.conf: the loader would boot it"]
    (volume / "a.conf").unlink()
    code, printed, complaint = check("--root=.", "a.efi", cwd=volume)
    assert code == 1 and "cannot read a.conf" in complaint


def made(volume, command, *words):
    subprocess.run([COMMAND, command, "--image", IMAGE, "--out", "image.efi", *words], cwd=volume, check=True,
                   stdout=subprocess.DEVNULL)
    return volume / "image.efi"


def test_sealed_entries(volume):
    (volume / "b.conf").write_bytes(CONF + b"options second\n")
    made(volume, "seal", "--root=.", "--entry=a.conf", "--entry=b.conf")
    code, printed, _ = check("--root=.", "image.efi", cwd=volume)
    assert code == 0 and printed.count("fsverity as expected") == 4 and "To require" not in printed
    assert verdicts(printed) == ["image.efi, entry 1: the loader would boot it", "image.efi, entry 2: the loader would boot it"]
    (volume / "initrd").write_bytes(INITRD + bytes(512))
    code, printed, complaint = check("--root=.", "image.efi", cwd=volume)
    assert code == 1 and "/initrd: fsverity mismatch" in complaint


def test_unified_image(volume):
    made(volume, "uki", "--linux=vmlinuz", "--initrd=initrd", "--cmdline=a b")
    code, printed, complaint = check("image.efi", cwd=volume)
    assert (code, complaint) == (0, "")
    assert printed.startswith("image.efi: the loader would boot it\n  linux    .linux: ")
    assert f"\n  initrd   .initrd: {len(INITRD)} bytes, in the image\n  options  a b\n" in printed


@pytest.mark.parametrize("content", [SHIM, KERNEL], ids=["shim", "kernel"])
def test_image_of_others(volume, content):
    (volume / "x.efi").write_bytes(pathlib.Path(content).read_bytes())
    code, printed, complaint = check("x.efi", cwd=volume)
    assert (code, printed) == (1, "x.efi: refused\n") and complaint


@pytest.mark.parametrize("words", [[], [""]])
def test_wrong_call(volume, words):
    assert check(*words, cwd=volume)[0] == 2
