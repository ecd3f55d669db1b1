# SPDX-License-Identifier: BSD-2-Clause
"""Checks signatures of images for Secure Boot. An image's headers show whether it is signed; only sbverify can tell by
whom."""

import pathlib
import ssl
import struct

import loader

# Data directory 4 of the optional header of a PE32+ image: the attribute certificate table (Microsoft, PE Format).
_PE_OFFSET, _OPTIONAL_HEADER, _DIRECTORIES, _CERTIFICATES = 0x3c, 24, 112, 4


def is_signed(content):
    """Whether an image has an attribute certificate table."""
    try:
        pe, = struct.unpack_from("<I", content, _PE_OFFSET)
        _, size = struct.unpack_from("<II", content, pe + _OPTIONAL_HEADER + _DIRECTORIES + 8 * _CERTIFICATES)
    except struct.error:
        return False
    return size != 0


def is_by(content, certificate):
    """Whether sbverify accepts the signature as that of a certificate, in PEM or DER."""
    with loader.temporary_folder("kexec-efi-") as folder:
        image, pem = pathlib.Path(folder) / "image", pathlib.Path(folder) / "certificate.pem"
        given = loader.read(certificate)
        image.write_bytes(content)
        pem.write_bytes(given if b"-----BEGIN" in given else ssl.DER_cert_to_PEM_cert(given).encode())
        succeeded, _ = loader.run_program(["sbverify", "--cert", pem, image], "sbsigntool")
    return succeeded
