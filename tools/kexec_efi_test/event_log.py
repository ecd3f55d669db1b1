# SPDX-License-Identifier: BSD-2-Clause
"""The TPM's event log as Linux shows it, and the values that the PCRs must have if it is complete and has no event
twice.

TCG PC Client Platform Firmware Profile Specification, 10 "Event Logging".
"""

import collections
import hashlib
import struct

# TCG Algorithm Registry
SHA256 = 0x0b
BANKS = {0x04: "sha1", SHA256: "sha256", 0x0c: "sha384", 0x0d: "sha512"}
EV_NO_ACTION = 3

# `digests` maps from the number of the algorithm to the digest.
Event = collections.namedtuple("Event", "pcr kind sha256 content digests")


def parse(log):
    """The events of a log in the format of TPM 2.0, without its header."""
    at = 0

    def take(layout):
        nonlocal at
        values = struct.unpack_from("<" + layout, log, at)
        at += struct.calcsize("<" + layout)
        return values if len(values) > 1 else values[0]

    _, _, _, size = take("II20sI")
    content = log[at:at + size]
    assert content[:16] == b"Spec ID Event03\0"
    sizes = dict(struct.iter_unpack("<HH", content[28:28 + 4 * struct.unpack_from("<I", content, 24)[0]]))
    at += size

    events = []
    while at < len(log):
        pcr, kind, count = take("III")
        digests = {}
        for _ in range(count):
            algorithm = take("H")
            digests[algorithm] = take(f"{sizes[algorithm]}s")
        size = take("I")
        assert size <= len(log) - at, "an event passes the end of the log"
        events.append(Event(pcr, kind, digests.get(SHA256), log[at:at + size], digests))
        at += size
    return events


def replay(events, algorithm=SHA256):
    """A dict from each PCR that these events extend to its value after them."""
    values = {}
    for event in events:
        if event.kind == EV_NO_ACTION:
            continue
        digest = event.digests[algorithm]
        before = values.get(event.pcr, bytes(len(digest)))
        values[event.pcr] = hashlib.new(BANKS[algorithm], before + digest).digest()
    return values
