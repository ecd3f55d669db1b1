# SPDX-License-Identifier: BSD-2-Clause
"""`forensics on`: the purgatory names the changed pages, the next start repeats their names, and Linux can read them."""

import re
import shutil

import pytest

from conftest import entry, files, wait_for_report
from kexec_efi_test import esp
from kexec_efi_test.machine import OVMF, Machine
from test_loader_interface import log_left
from test_boot import segments
from test_tampering import Stopped, layout, saved, stopped  # noqa: F401, fixtures: of this file's disk

PAGE = 4096


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    return esp.make(tmp_path_factory.mktemp("forensics") / "esp.img", files(conf=entry(extra=["verbose yes", "forensics on"])))


def expect_pages(stopped, count, *lines):
    stopped.expect_refusal("kernel|initrd")
    said = re.findall(r"^purgatory: (page.*)$", stopped.guest.log[stopped._before:], re.MULTILINE)
    assert said == [f"pages that differ: {count}", *lines]


def page_in(stopped, region, number):
    """A page within a region, even if the region does not begin at a page."""
    start, size = stopped.region(region)
    address = (start + PAGE - 1) // PAGE * PAGE + number * PAGE
    assert address + PAGE <= start + size
    return address


@pytest.mark.parametrize("region", ["kernel", "initrd"])
def test_bit_that_flipped(stopped, region):
    page = page_in(stopped, region, 5)
    stopped.debugger.flip(page + 1234, 6)
    stopped.debugger.run()
    expect_pages(stopped, 1, f"page {page:#x}: one bit, bit 6 of the byte at {page + 1234:#x}")


@pytest.mark.parametrize("region", ["kernel", "initrd"])
def test_page_that_is_zeros(stopped, region):
    page = page_in(stopped, region, 9)
    assert any(stopped.guest.memory(page, PAGE))
    for start in range(page, page + PAGE, 1024):
        stopped.debugger.write(start, bytes(1024))
    stopped.debugger.run()
    expect_pages(stopped, 1, f"page {page:#x}: all zeros")


@pytest.mark.parametrize("region", ["kernel", "initrd"])
def test_pages_that_a_device_wrote_to(stopped, region):
    """A write across three pages that begins and ends within a page."""
    page = page_in(stopped, region, 3)
    for start in range(page + 4000, page + 4000 + 2 * PAGE, 1024):
        stopped.debugger.write(start, b"\xa5" * 1024)
    stopped.debugger.run()
    expect_pages(stopped, 3, *(f"page {page + i * PAGE:#x}: more than one bit" for i in range(3)))


def test_many_pages(stopped):
    pages = [page_in(stopped, "initrd", i * 2) for i in range(6)]
    for page in pages:
        stopped.debugger.flip(page, 0)
    stopped.debugger.run()
    expect_pages(stopped, 6, *(f"page {page:#x}: one bit, bit 0 of the byte at {page:#x}" for page in pages[:4]))


def test_ends_of_the_files(stopped):
    """Pages that hold the beginning or the end of a file, and its neighbours."""
    start, size = stopped.region("kernel")
    stopped.debugger.flip(start, 1)
    stopped.debugger.flip(start + size - 1, 2)
    stopped.debugger.run()
    last = start + size - 1
    expect_pages(stopped, 2, f"page {start & -PAGE:#x}: one bit, bit 1 of the byte at {start:#x}",
                 f"page {last & -PAGE:#x}: one bit, bit 2 of the byte at {last:#x}")


def test_record_that_has_changed_as_well(stopped):
    stopped.debugger.flip(page_in(stopped, "initrd", 5), 0)
    stopped.debugger.flip(stopped.region("page_record")[0] + 8, 0)
    stopped.debugger.run()
    stopped.expect_refusal("initrd")
    log = stopped.guest.log[stopped._before:]
    assert "purgatory: no page can be named: the record of pages cannot be trusted either\n" in log
    assert "pages that differ" not in log


def test_nothing_changed(stopped):
    stopped.debugger.run()
    stopped.expect("payload: OK")
    assert "purgatory: page" not in stopped.guest.log[stopped._before:]


def test_reported_by_the_next_start_and_left_for_linux(disk, layout, tmp_path):
    variables = shutil.copyfile(OVMF.variables, tmp_path / "vars.fd")
    with Machine(disk, variables=variables, gdb=True) as guest:
        debugger = guest.connect_gdb()
        debugger.run_to(layout[-1])
        guest.expect(r"^kexec: fsverity purgatory .*\n")
        page = page_in(Stopped(guest, debugger, (segments(guest.log),)), "initrd", 7)
        debugger.flip(page + 100, 3)
        debugger.resume()
        guest.expect(r"^purgatory: the kernel was not started; halted$")
        assert f"purgatory: page {page:#x}: one bit, bit 3 of the byte at {page + 100:#x}\n" in guest.log
    quiet = esp.make(tmp_path / "quiet.img", files(conf=entry(extra=[])))
    with Machine(quiet, variables=variables) as guest:
        log = log_left(wait_for_report(guest))
        for text in (guest.log, log):
            assert "kexec: warning: pages that had changed: 1\n" in text
            assert f"kexec: warning: a page that had changed: one bit differed; memmap=4K${page // 1024}K spares it\n" in text
