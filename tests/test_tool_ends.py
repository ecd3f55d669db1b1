# SPDX-License-Identifier: BSD-2-Clause
"""However kexec-efi-test ends, it leaves no QEMU and no file, and prints no traceback."""

import os
import pathlib
import re
import resource
import signal
import subprocess
import time

import pytest

from fake_qemu import GOOD_BOOT, WAITS, qemu  # noqa: F401

SIGNALS = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL]

# From before Python has read the command to long after the machine has started: fractions of the time of a whole start
# on this machine.
INSTANTS = [step / 16 for step in range(20)]


def wait_for_machine(qemu, command):
    while not qemu.machine_processes():
        assert command.poll() is None, command.communicate()
        time.sleep(0.01)


def finish(command):
    out, err = command.communicate()
    assert b"Traceback" not in err, err
    return out, err


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_signal_at_any_instant(qemu, number):
    fake = qemu(GOOD_BOOT + WAITS)
    start = time.monotonic()
    command = fake.start("--expect", "never")
    wait_for_machine(fake, command)
    whole = time.monotonic() - start
    command.terminate()
    finish(command)
    fake.assert_nothing_left()
    for share in INSTANTS:
        command = fake.start("--expect", "never")
        time.sleep(share * whole)
        command.send_signal(number)
        _, err = command.communicate()
        # Python has started, and its own handler ran.
        if number != signal.SIGINT or b"KeyboardInterrupt" not in err:
            assert b"Traceback" not in err and command.returncode == -number, (share, err)
        assert b"/kexec" not in err
        fake.assert_no_machine()
        if number != signal.SIGKILL:
            fake.assert_nothing_left()
    # After SIGKILL, the next start or the one after it removes the files: a child that is about to become QEMU dies a
    # moment later than its parent, and holds its locks until then.
    for _ in range(10):
        command = fake.start("--expect", "Run /init")
        finish(command)
        assert command.returncode == 0
        if not list(fake.temporary.iterdir()):
            break
    fake.assert_nothing_left()


@pytest.mark.skipif(not os.access("/dev/kvm", os.R_OK | os.W_OK), reason="KVM is looked for where there is /dev/kvm")
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_signal_while_kvm_is_tried(qemu, number):
    fake = qemu("case \"$*\" in *accel=kvm*) exec sleep 600 ;; esac\n" + WAITS)
    del fake.environment["KEXEC_ACCEL"]
    command = fake.start("--expect", "never")
    while not fake.processes():
        assert command.poll() is None, command.communicate()
        time.sleep(0.01)
    command.send_signal(number)
    finish(command)
    assert command.returncode == -number
    deadline = time.monotonic() + 20
    while fake.processes():
        assert time.monotonic() < deadline, fake.processes()
        time.sleep(0.02)


def test_signal_is_said(qemu):
    fake = qemu(GOOD_BOOT + WAITS)
    command = fake.start("--expect", "never")
    wait_for_machine(fake, command)
    command.terminate()
    assert finish(command)[1] == b"kexec-efi-test: ended by SIGTERM\n"


def test_signal_that_was_ignored(qemu):
    """The caller ignores the signal, as nohup does."""
    fake = qemu(GOOD_BOOT + "sleep 1\n")
    command = fake.start("--expect", "never", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_for_machine(fake, command)
    command.send_signal(signal.SIGHUP)
    finish(command)
    assert command.returncode == 1
    fake.assert_nothing_left()


def test_timeout_of_others(qemu):
    fake = qemu(GOOD_BOOT + WAITS)
    result = subprocess.run(["timeout", "2", *fake.words("--expect", "never")], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=fake.environment, cwd=fake.folder)
    assert result.returncode == 124 and b"Traceback" not in result.stderr
    fake.assert_nothing_left()


@pytest.mark.parametrize("then", ["while :; do echo and so on; sleep 0.05; done\n", WAITS], ids=["talks", "is silent"])
def test_closed_pipe(qemu, then):
    fake = qemu(GOOD_BOOT + then)
    reader, writer = os.pipe()
    command = fake.start("--expect", "never", stdout=writer)
    os.close(writer)
    assert b"BdsDxe" in os.read(reader, 100)
    os.close(reader)
    assert finish(command)[1] == b""
    assert command.returncode == -signal.SIGPIPE
    fake.assert_nothing_left()


@pytest.mark.parametrize("descriptors", [[0], [1], [2], [0, 1, 2]], ids=str)
def test_closed_streams(qemu, descriptors):
    fake = qemu(GOOD_BOOT + WAITS)
    command = fake.start("--expect", "Run /init", preexec_fn=lambda: [os.close(number) for number in descriptors],
                         stdout=None, stderr=None)
    assert command.wait() == 0
    fake.assert_nothing_left()


def test_two_at_once(qemu):
    fake = qemu(GOOD_BOOT + WAITS)
    commands = [fake.start("--expect", "never") for _ in range(2)]
    for _ in range(2000):
        if len(fake.machine_processes()) == 2:
            break
        time.sleep(0.01)
    commands[0].terminate()
    finish(commands[0])
    # The other machine keeps running.
    assert len(fake.machine_processes()) == 1 and commands[1].poll() is None
    assert len(list(fake.temporary.iterdir())) == 2
    commands[1].terminate()
    finish(commands[1])
    fake.assert_nothing_left()


@pytest.mark.parametrize("size", [0, 1000, 100000])
def test_full_disk(qemu, size):
    """A limit on the size of files simulates a full disk."""
    fake = qemu(GOOD_BOOT + WAITS)
    words = [word for word in fake.words("--expect", "never") if word not in ("--via", "stub")]
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=fake.environment, text=True,
                            cwd=fake.folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
    assert result.returncode == 2, result
    assert re.match("kexec-efi-test: error: .*(File too large|No usable temporary directory)", result.stderr), result.stderr
    assert len(result.stderr.splitlines()) == 1
    fake.assert_nothing_left()


@pytest.mark.parametrize("size", ["4k", "100k", "3m"])
def test_full_file_system(qemu, size):
    """The temporary folder is a small file system, which becomes full. Where mounts are not allowed, this test is
    skipped."""
    fake = qemu(GOOD_BOOT + WAITS)
    private = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'mount -t tmpfs -o "size={size}" t "$TMPDIR" && "$@"; '
               'status=$?; ls -A "$TMPDIR"; exit $status', "sh"]
    if subprocess.run([*private, "true"], env=fake.environment, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("mounts are not allowed here")
    (fake.folder / "large").write_bytes(bytes([1]) * 5000000)
    words = [word for word in fake.words("--expect", "never", "--file", "/large=large") if word not in ("--via", "stub")]
    result = subprocess.run([*private, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=fake.environment,
                            text=True, cwd=fake.folder)
    assert result.returncode == 2 and result.stdout == "", result
    assert re.fullmatch(r"kexec-efi-test: error: .*\n", result.stderr), result.stderr


@pytest.mark.parametrize("option", ["--log", "--junit", "--json", "--html"])
def test_results_on_a_full_disk(qemu, option):
    result = qemu(GOOD_BOOT + WAITS).run("--expect", "Run /init", option, "/dev/full")
    assert (result.returncode, result.stderr) == (2, "kexec-efi-test: error: cannot write /dev/full: No space left on device\n")


def test_serial_line_to_a_full_disk(qemu):
    fake = qemu(GOOD_BOOT + WAITS)
    with open("/dev/full", "wb") as full:
        command = fake.start("--expect", "never", stdout=full)
        assert finish(command)[1] == b"kexec-efi-test: error: No space left on device\n"
    assert command.returncode == 2
    fake.assert_nothing_left()


def test_machine_that_ignores_signals(qemu):
    fake = qemu("trap '' TERM HUP INT\n" + GOOD_BOOT + WAITS)
    command = fake.start("--expect", "never")
    wait_for_machine(fake, command)
    command.terminate()
    finish(command)
    fake.assert_nothing_left()


def test_folder_of_another_user_stays(qemu):
    """Folders of other users stay, and so do folders in use, whatever their names are."""
    fake = qemu(GOOD_BOOT + WAITS)
    outside = pathlib.Path(fake.folder / "outside")
    outside.mkdir()
    (outside / "file").write_text("")
    (fake.temporary / "kexec-efi-test-link").symlink_to(outside)
    assert subprocess.run(fake.words("--expect", "Run /init"), env=fake.environment, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, cwd=fake.folder).returncode == 0
    assert (outside / "file").exists()
    fake.assert_nothing_left(["kexec-efi-test-link"])
