# SPDX-License-Identifier: BSD-2-Clause
"""Enrols the keys of Secure Boot: writes db, dbx, KEK and PK, in this order. The firmware must be in its setup mode,
where it takes them without a signature (UEFI specification 32.3). The files are in the format of sign-efi-sig-list of
efitools, and have the names that systemd-boot uses in loader/keys."""

import base64
import pathlib
import re
import struct
import uuid

import loader

from .errors import Refused
from .operations import SetVariable
from .variables import GLOBAL, STORED

# UEFI specification 32.4.1: the vendor of variables like IMAGE_SECURITY_DATABASE.
DATABASE = "d719b2cb-3d3a-4596-a3bc-dad00e67656f"

# PK ends the setup mode, so it comes last.
FILES = (("db", DATABASE), ("dbx", DATABASE), ("KEK", GLOBAL), ("PK", GLOBAL))
OPTIONAL = {"dbx"}

# EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS.
ATTRIBUTES = STORED | 0x20

# EFI_VARIABLE_AUTHENTICATION_2: a time, then WIN_CERTIFICATE_UEFI_GUID with PKCS #7 (8.2.2, 32.2.4).
_TIME_SIZE = 16
_CERTIFICATE = struct.Struct("<IHH16s")
_REVISION, _TYPE = 0x0200, 0x0ef1
_PKCS7 = uuid.UUID("4aafd29d-68df-49ee-8aa9-347d375665a7")

# EFI_SIGNATURE_LIST (32.4.1).
_LIST = struct.Struct("<16sIII")
_OWNER_SIZE = 16
_X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")

SIZE_MAX = 1 << 20


def _payload(name, content):
    """The signature lists behind the authentication header. Refuses a file without that header."""
    def refuse(expected, found):
        raise Refused(f"{name}: expected {expected} (sign-efi-sig-list of efitools writes it), found {found}")

    head = _TIME_SIZE + _CERTIFICATE.size
    if not head <= len(content) <= SIZE_MAX:
        refuse(f"{head} to {SIZE_MAX} bytes of a signed variable", f"{len(content)}")
    length, revision, kind, guid = _CERTIFICATE.unpack_from(content, _TIME_SIZE)
    if (revision, kind, guid) != (_REVISION, _TYPE, _PKCS7.bytes_le):
        refuse("a signed variable", "something else")
    if not _CERTIFICATE.size <= length <= len(content) - _TIME_SIZE:
        refuse(f"at most {len(content) - _TIME_SIZE} bytes of a signature", f"{length}")
    return content[_TIME_SIZE + length:]


def certificates(name, lists):
    """The certificates in signature lists, in DER."""
    found = []
    while lists:
        if len(lists) < _LIST.size:
            raise Refused(f"{name}: expected {_LIST.size} bytes of a signature list, found {len(lists)}")
        kind, size, header, one = _LIST.unpack_from(lists)
        room = size - _LIST.size - header
        if not _LIST.size <= size <= len(lists) or room < 0 or one <= _OWNER_SIZE or room % one:
            raise Refused(f"{name}: expected a signature list of whole signatures, found {size} bytes, each of {one}")
        body = lists[_LIST.size + header:size]
        if kind == _X509.bytes_le:
            found += [body[start + _OWNER_SIZE:start + one] for start in range(0, len(body), one)]
        lists = lists[size:]
    return found


def _certificate(path):
    """The certificate in a file, as DER."""
    content = loader.read(path)
    match = re.search(rb"-----BEGIN CERTIFICATE-----(.*?)-----END", content, re.DOTALL)
    return base64.b64decode(match[1]) if match else content


def expect_setup_mode(machine):
    if machine.variables is None:
        raise Refused("expected the firmware's variables, found none that can be reached: no keys are enrolled")
    mode = machine.variables.data("SetupMode")
    if mode != b"\1":
        found = f"SetupMode {mode[0]}" if mode else "no SetupMode"
        raise Refused(f"expected the firmware in its setup mode, found {found}: delete its platform key in the firmware's "
                      "setup first; keys that are there are never replaced")


def read(machine, folder, is_forced=False):
    """The operations that enrol the keys in a folder. All keys are checked before any is written."""
    expect_setup_mode(machine)
    plan = []
    for name, vendor in FILES:
        path = pathlib.Path(folder) / f"{name}.auth"
        if not path.exists() and name in OPTIONAL:
            continue
        content = loader.read(path)
        trusted = certificates(path, _payload(path, content))
        if not trusted and name not in OPTIONAL:
            raise Refused(f"{path}: expected a certificate, found none")
        if name == "db" and not is_forced:
            _expect_ours(machine, path, trusted)
        plan.append(SetVariable(machine.variables, name, content, f"enrol {path}", vendor, ATTRIBUTES))
    return plan


def _expect_ours(machine, path, trusted):
    """Refuses a db without our certificate: with these keys Secure Boot is on at the next start."""
    certificate = machine.configuration.certificate
    if certificate and _certificate(certificate) in trusted:
        return
    found = f"{certificate}, which is not in it" if certificate else "none"
    raise Refused(f"{path}: expected a certificate= that it trusts, found {found}: the firmware would start nothing of "
                  "ours (--force)")
