# SPDX-License-Identifier: BSD-2-Clause
"""kexec-efi-test's verdicts on the output of a machine, which is a script: the line, the status, the files."""

import json
import re
import xml.dom.minidom

import pytest

from fake_qemu import GOOD_BOOT, WAITS, kernel, qemu  # noqa: F401
from kexec_efi_test import command


def assert_verdict(result, status, line):
    """Asserts the status, and the one line with the reason."""
    assert result.returncode == status, result
    assert re.fullmatch(f"kexec-efi-test: {line}\n", result.stderr), result.stderr


# Name -> (script of the machine, options, status, line).
VERDICTS = {
    "expected lines come": (GOOD_BOOT + WAITS, ["--expect", "Linux version", "--expect", "Run /init"], 0,
                            r"pass: --expect 'Run /init' came: .*Run /init as init process"),
    "prompt without a line end": ("printf 'debian login: '\n" + WAITS, ["--expect", "login: $"], 0,
                                  r"pass: --expect 'login: \$' came: debian login:"),
    "expected line does not come": (GOOD_BOOT, ["--expect", "login:"], 1,
                                    r"fail: --expect 'login:' did not come: the machine switched itself off or reset"),
    "line in parts": ("printf 'Linux ver'; sleep 0.3; printf 'sion 6'; sleep 0.3; echo; echo 'Run /init'\n" + WAITS,
                      ["--expect", "Linux version", "--expect", "^Run"], 0, r"pass: --expect '\^Run' came: Run /init"),
    "two in one line": ("echo 'abcabc'\n" + WAITS, ["--expect", "b", "--expect", "a", "--expect", "bc$"], 0, r"pass: .*"),
    "long log": ("seq 200000; echo done\n" + WAITS, ["--quiet", "--expect", "^199999$", "--expect", "^done$"], 0, r"pass: .*"),
    "order counts": (GOOD_BOOT, ["--expect", "Run /init", "--expect", "Linux version"], 1,
                     r"fail: --expect 'Linux version' did not come: .*"),
    "panic is found at once": (GOOD_BOOT + "echo '[ 2.0] Kernel panic - not syncing: VFS: no root'\n" + WAITS,
                               ["--expect", "login:"], 1,
                               r"fail: forbidden unless --no-default-forbid: 'Kernel panic - not syncing' came: "
                               r"\[ 2.0\] Kernel panic - not syncing: VFS: no root"),
    "panic before what is expected": ("echo 'Kernel panic - not syncing'; echo login:\n" + WAITS, ["--expect", "login:"], 1,
                                      r"fail: forbidden .*"),
    "panic that is expected": ("echo '[ 2.0] Kernel panic - not syncing: x'\n" + WAITS, ["--expect", "Kernel panic"], 0,
                               r"pass: --expect 'Kernel panic' came: .*"),
    "panic that is expected later": ("echo 'Kernel panic - not syncing: x'\n" + WAITS,
                                     ["--expect", "login:", "--expect", "Kernel panic",
                                     "--timeout", "0.5"], 3, r"timeout: --expect 'login:' did not come within 0.5 s"),
    "panic that is welcome": ("echo 'Kernel panic - not syncing: x'; echo login:\n" + WAITS,
                              ["--no-default-forbid", "--expect", "login:"], 0, r"pass: .*"),
    "oops": ("echo '[    1.0] BUG: kernel NULL pointer dereference, address: 0'\n" + WAITS, ["--expect", "x"], 1,
             r"fail: .* came: .*BUG: kernel NULL.*"),
    "hung task": ("echo 'INFO: task init:1 blocked for more than 120 seconds.'\n" + WAITS, ["--expect", "x"], 1,
                  r"fail: .*blocked for more.*"),
    "exception in the firmware": ("echo '!!!! X64 Exception Type - 0D(#GP - General Protection) !!!!'\n" + WAITS,
                                  ["--expect", "login:"], 1, r"fail: .* X64 Exception Type - 0D.*"),
    "forbidden line": (GOOD_BOOT + WAITS, ["--forbid", "Run /in", "--expect", "login:"], 1,
                       r"fail: --forbid 'Run /in' came: .*Run /init as init process"),
    "forbidden line without another wish": (GOOD_BOOT, ["--forbid", "tainted"], 0, r"pass: the machine switched itself off"),
    "time runs out": (GOOD_BOOT + WAITS, ["--expect", "login:", "--timeout", "0.7"], 3,
                      r"timeout: --expect 'login:' did not come within 0.7 s"),
    "no line for some time": (GOOD_BOOT + WAITS, ["--expect", "login:", "--line-timeout", "0.7"], 3,
                              r"timeout: --expect 'login:' did not come: no line for 0.7 s, the last: .*Run /init as "
                              r"init process"),
    "debug exit is good": (GOOD_BOOT + "exit 33\n", ["--debug-exit", "0x10"], 0, r"pass: --debug-exit 16 came"),
    "debug exit is bad": (GOOD_BOOT + "exit 35\n", ["--debug-exit", "0x10"], 1, r"fail: --debug-exit: expected 16, found 17"),
    "debug exit before what is expected": (GOOD_BOOT + "exit 33\n", ["--debug-exit", "16", "--expect", "login:"], 1,
                                           r"fail: .*"),
    "reset before the debug exit": (GOOD_BOOT, ["--debug-exit", "16"], 1,
                                    r"fail: --debug-exit did not come: the machine switched .*"),
    "no machine": ("echo \"$0: cannot set up guest memory 'pc.ram': Cannot allocate memory\" >&2; exit 1\n",
                   ["--expect", "x"], 2,
                   r"QEMU said: .*\n.*error: QEMU: cannot set up guest memory 'pc.ram': Cannot allocate memory"),
    "what QEMU says is not what the guest says": ("echo 'qemu: memory' >&2\nexit 1\n", ["--expect", "memory"], 2,
                                                  r"QEMU said: qemu: memory\n.*error: QEMU: memory"),
    "QEMU crashes": (GOOD_BOOT + "kill -SEGV $$\n", ["--expect", "login:"], 1,
                     r"fail: --expect 'login:' did not come: QEMU ended with signal 11"),
    "loader gives its reason": ("echo 'kexec: /vmlinuz: truncated: expected 5, found 4'\n"
                                "echo 'BdsDxe: failed to start Boot0001'\n", ["--expect", "Linux version"], 1,
                                r"fail: --expect 'Linux version' did not come: .*: kexec: /vmlinuz: truncated: "
                                r"expected 5, found 4"),
    "keys": ("printf 'login: '; read name; echo \"hello $name\"\n" + WAITS,
             ["--keys", "login: $", r"ro\x6ft\n", "--expect", "hello root"], 0, r"pass: .* hello root"),
    "keys with Enter": ("printf 'Shell> '; head -c 3 | od -An -c\n" + WAITS,
                        ["--keys", "Shell> $", r"ls\r", "--expect", r"l +s +\\r"], 0, r"pass: .*"),
    "escape sequences in a reason": ("printf '\\033]0;x\\007Kernel panic - not syncing\\n'\n" + WAITS,
                                     ["--expect", "x\\d"], 1, r"fail: .*\\x1b\]0;x\\x07Kernel.*"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict(qemu, name):
    scenario, arguments, status, line = VERDICTS[name]
    assert_verdict(qemu(scenario).run(*arguments), status, line)


def in_guest(status, output="hello"):
    """The output of the first process of --run, with the mark from its archive."""
    return GOOD_BOOT + f"""initrd=$(printf '%s\\n' "$@" | grep '\\.cpio$\\|/initrd$')
mark=$(grep -a -o -m 1 'kexec-efi-test-[0-9a-f]*' "$initrd" | head -n 1)
printf '\\n%s up\\n' "$mark"; echo '{output}'
printf '\\n%s pcr 4 ABCDEF\\n%s log kexec-efi 0.1\\n\\n%s exit {status}\\n' "$mark" "$mark" "$mark"
""" + WAITS


def run_in_guest(qemu, status, *arguments):
    """`busybox` may be any program, because nothing runs it."""
    return qemu(in_guest(status)).run("--run", "echo hello", *arguments)


def test_command_passes(qemu):
    result = run_in_guest(qemu, 0)
    assert_verdict(result, 0, "pass: --run ended with status 0")
    assert "hello" in result.stdout.splitlines() and "kexec-efi-test-" not in result.stdout


@pytest.mark.parametrize("status", [1, 2, 7, 125, 255])
def test_status_of_the_command_is_ours(qemu, status):
    assert_verdict(run_in_guest(qemu, status), status, f"fail: --run ended with status {status}")


def test_guest_cannot_forge_the_end(qemu):
    result = qemu(GOOD_BOOT + "echo 'kexec-efi-test-0123456789abcdef exit 0'\n").run("--run", "true")
    assert_verdict(result, 1, "fail: --run did not end: .*")


MARK_OF_GUEST = ("mark=$(grep -a -o -m 1 'kexec-efi-test-[0-9a-f]*' "
                 "\"$(printf '%s\\n' \"$@\" | grep '\\.cpio$')\" | head -n 1)\n")


@pytest.mark.parametrize("option, what", [("--share=.", "share"), ("--net", "net"), ("--forward=2222:22", "net")])
def test_guest_without_the_device_that_was_asked_for(qemu, option, what):
    """The run fails at once, even if it still expects a line."""
    printed = f"printf '\\n%s can[  1.0] x\\nnot {what}\\n\\n%s cannot {what}\\n' \"$mark\" \"$mark\"\n"
    scenario = GOOD_BOOT + MARK_OF_GUEST + printed + WAITS
    result = qemu(scenario).run("--run", "true", "--expect", "login:", option)
    assert_verdict(result, 1,
                   rf"fail: --{what}: the guest .*: expected .* in the kernel or as modules, found no folder of "
                   rf"modules: give one by --modules")
    assert "cannot " + what not in result.stdout.splitlines()


def test_json(qemu, tmp_path):
    run_in_guest(qemu, 3, "--json", tmp_path / "out.json", "--name", "mine")
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["name"], found["verdict"], found["status"], found["output"]) == ("mine", "fail", 3, "hello")
    assert (found["pcrs"], found["loader_log"]) == ({"4": "abcdef"}, ["kexec-efi 0.1"])
    assert list(found["times"]) == ["firmware", "loader", "kernel", "userspace"]
    assert sorted(found["times"].values()) == list(found["times"].values()) and found["times"]["userspace"] <= found["seconds"]
    assert "Linux version 6.1.0" in found["log"] and "-kernel" in found["qemu_command"]


def test_json_without_a_command_has_no_registers(qemu, tmp_path):
    """The help says so."""
    fake = qemu(GOOD_BOOT + WAITS)
    fake.run("--expect", "Run /init", "--json", tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text())["pcrs"] == {}
    assert "with --run the registers of the TPM" in " ".join(command.parser().format_help().split())


def test_log_is_the_serial_line(qemu, tmp_path):
    qemu("printf 'a\\r\\nb\\033[1m c\\n'; echo QEMU >&2\n").run("--log", tmp_path / "log")
    assert (tmp_path / "log").read_text() == "a\nb c\n"


def test_junit(qemu, tmp_path):
    """The file is valid XML, whatever the guest prints."""
    qemu(GOOD_BOOT + "printf 'x\\001<&]]>\\377\\n'\n").run("--expect", "<a & \"b\"", "--junit", tmp_path / "out.xml")
    suite = xml.dom.minidom.parse(str(tmp_path / "out.xml")).documentElement
    assert (suite.getAttribute("tests"), suite.getAttribute("failures"), suite.getAttribute("errors")) == ("1", "1", "0")
    failure, = suite.getElementsByTagName("failure")
    assert failure.getAttribute("message").startswith("--expect '<a & \"b\"' did not come")
    assert "<&]]>" in suite.getElementsByTagName("system-out")[0].firstChild.data


def test_quiet(qemu):
    result = qemu(GOOD_BOOT + WAITS).run("--quiet", "--expect", "Run /init")
    assert result.returncode == 0 and result.stdout == ""


MATRIX = """
[common]
kernel = "vmlinuz"
via = "stub"
timeout = 50

[[boot]]
cpus = [1, 2]
memory = [512, 1024]
expect = ["Linux version", "Run /init"]

[[boot]]
name = "panic"
expect = "login:"

[[boot]]
name = "slow"
expect = "<login>"
timeout = 0.5
qemu-arg = ["-slow"]
"""
MATRIX_SCENARIO = GOOD_BOOT + """case "$*" in
*-slow*) ;;
*) case "$*" in *'-smp 1'*'-m 1024'*|*'-m 1024'*'-smp 1'*) echo 'Kernel panic - not syncing: one' ;; esac ;;
esac
""" + WAITS


def test_matrix(qemu, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "vmlinuz").write_bytes(kernel())
    (folder / "boots.toml").write_text(MATRIX)
    result = qemu(MATRIX_SCENARIO).run("--matrix", folder / "boots.toml", "--junit", "out.xml", "--html", "out.html",
                                       "--json", "out.json")
    assert result.returncode == 1, result
    rows = result.stdout.splitlines()
    assert [re.split("  +", row)[:2] for row in rows] == [
        ["boot", "verdict"], ["1 512", "pass"], ["1 1024", "pass"], ["2 512", "pass"], ["2 1024", "pass"],
        ["panic", "fail"], ["slow", "timeout"]]
    assert result.stderr.splitlines()[-1] == "kexec-efi-test: 4 of 6 boots passed, panic is the first that did not"
    assert [one["verdict"] for one in json.loads((tmp_path / "out.json").read_text())] == ["pass"] * 4 + ["fail", "timeout"]
    page = (tmp_path / "out.html").read_text()
    assert "4 of 6 passed" in page and "&lt;login&gt;" in page and "<login>" not in page
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert len(xml.dom.minidom.parse(str(tmp_path / "out.xml")).getElementsByTagName("testcase")) == 6
