# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures for your own tests: pytest_plugins = ["kexec_efi_test.pytest_plugin"] in conftest.py."""

import contextlib

import pytest

from .boots import Boot
from .session import Expectation, judge


@pytest.fixture
def uefi_machine(tmp_path_factory):
    """uefi_machine(gdb=False, **fields of Boot) -> a running Machine, which ends with the test."""
    with contextlib.ExitStack() as stack:
        def start(gdb=False, **fields):
            return stack.enter_context(Boot(**fields).start(tmp_path_factory.mktemp("uefi"), gdb))
        yield start


@pytest.fixture
def uefi_run(tmp_path_factory):
    """uefi_run(command, timeout=..., **fields of Boot) -> the Result of a command in the guest."""
    def run(command, timeout=None, **fields):
        expectation = Expectation() if timeout is None else Expectation(timeout=timeout)
        return judge(Boot(run=command, **fields), expectation, tmp_path_factory.mktemp("uefi"))
    return run
