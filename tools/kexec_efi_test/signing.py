# SPDX-License-Identifier: BSD-2-Clause
"""Keys, signatures and damage to them, for the boots with Secure Boot."""

import pathlib
import struct
import subprocess
import uuid

SHIM = uuid.UUID("605dab50-e046-4300-abb6-3dd810dd8b23")
SHA256 = uuid.UUID("c1c41626-504c-4092-aca9-41f936934328")
X509 = uuid.UUID("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")

# Section characteristics (PE Format, "Section Flags")
UNINITIALIZED_DATA = 0x80
READ = 0x40000000
WRITE = 0x80000000


class Key:
    """A key without a password, and its certificate."""

    def __init__(self, key, certificate):
        self.key, self.certificate = pathlib.Path(key), pathlib.Path(certificate)

    @classmethod
    def of_firmware(cls, firmware, folder):
        key = pathlib.Path(folder) / "firmware.key"
        subprocess.run(["openssl", "rsa", "-in", firmware.key, "-passin", "pass:snakeoil", "-out", key], check=True,
                       stderr=subprocess.DEVNULL)
        return cls(key, firmware.certificate)

    @classmethod
    def new(cls, folder, name):
        key, certificate = pathlib.Path(folder) / f"{name}.key", pathlib.Path(folder) / f"{name}.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj",
                        f"/CN={name}", "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)
        return cls(key, certificate)

    def sign(self, image):
        """The image `image`, a path or bytes, with a signature by this key."""
        source, out = self.key.with_suffix(".in"), self.key.with_suffix(".out")
        source.write_bytes(image if isinstance(image, bytes) else pathlib.Path(image).read_bytes())
        subprocess.run(["sbsign", "--key", self.key, "--cert", self.certificate, "--output", out, source], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return out.read_bytes()

    def signature_list(self, owner):
        """An EFI_SIGNATURE_LIST (UEFI specification 32.4.1) that holds the certificate."""
        der = subprocess.run(["openssl", "x509", "-in", self.certificate, "-outform", "DER"], check=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        return X509.bytes_le + struct.pack("<III", 28 + 16 + len(der), 0, 16 + len(der)) + owner.bytes_le + der


def certificates(image):
    """(offset of the data directory, offset of the certificates, their size) of a PE32+ image."""
    directory = struct.unpack_from("<I", image, 0x3c)[0] + 24 + 144
    return directory, *struct.unpack_from("<II", image, directory)


def checksum(image):
    """The place of the CheckSum, which no signature covers."""
    return struct.unpack_from("<I", image, 0x3c)[0] + 24 + 64


def without_signature(image):
    directory, offset, _ = certificates(image)
    return image[:directory] + bytes(8) + image[directory + 8:offset]


def with_one_bit_flipped(image, offset):
    return image[:offset] + bytes([image[offset] ^ 1]) + image[offset + 1:]


def with_junk_for_a_certificate(image):
    """Damages the content of the certificate, and leaves its header."""
    _, offset, size = certificates(image)
    return image[:offset + 8] + bytes(7 * i & 0xff for i in range(size - 8)) + image[offset + size:]


def cut_down(image, size):
    """Debian's kernel without a signature and with at most `size` bytes of its protected-mode part: still a PE image
    and a kernel by its header, and small enough to be verified quickly."""
    image = bytearray(without_signature(image))
    pe, = struct.unpack_from("<I", image, 0x3c)
    optional = pe + 24
    table = optional + struct.unpack_from("<H", image, pe + 20)[0]
    for number in range(struct.unpack_from("<H", image, pe + 6)[0]):
        name, = struct.unpack_from("<8s", image, table + 40 * number)
        start, = struct.unpack_from("<I", image, table + 40 * number + 20)
        if name.rstrip(b"\0") == b".text":
            setup_size = start
            end = start + size
            struct.pack_into("<IIII", image, table + 40 * number + 8, size, start, size, start)
        elif name.rstrip(b"\0") == b".data":
            struct.pack_into("<IIII", image, table + 40 * number + 8, 0x1000, end, 0, 0)
            # The header of a section without bytes in the file must say so, or shim takes it for a section inside the
            # headers.
            struct.pack_into("<I", image, table + 40 * number + 36, READ | WRITE | UNINITIALIZED_DATA)
    struct.pack_into("<I", image, optional + 16, setup_size)       # AddressOfEntryPoint
    struct.pack_into("<I", image, optional + 56, end + 0x1000)     # SizeOfImage
    struct.pack_into("<I", image, 0x1f4, size // 16)               # syssize
    return bytes(image[:end])
