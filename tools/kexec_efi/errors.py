# SPDX-License-Identifier: BSD-2-Clause
"""The exit codes, and the exception that ends a command early."""

FAILED, WRONG_CALL, BAD_NEWS, NO_ROOM, NOT_INSTALLED = 1, 2, 3, 4, 5


class Refused(Exception):
    """The command refuses, and has changed no file or boot entry that boots. The message says why."""

    def __init__(self, message, code=FAILED):
        super().__init__(message)
        self.code = code
