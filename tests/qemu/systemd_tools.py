# SPDX-License-Identifier: BSD-2-Clause
"""The tools of Debian 13 that measure, sign and enrol: ukify, systemd-measure, systemd-cryptenroll, cryptsetup. `make
deps` has fetched them."""

import base64
import contextlib
import hashlib
import itertools
import json
import subprocess
import time

from conftest import IMAGE
from kexec_efi_test import uki
from kexec_efi_test.machine import BUILD, TIMEOUT

TOOLS = BUILD / "deps/boot-tools"

# The stubs of unified images: Debian 13's, which has room for many sections, and ours. "addon" is the stub of an addon,
# and of a profile, from which an image takes only the sections.
STUBS = {"systemd": BUILD / "deps/systemd-boot/linuxx64.efi.stub", "ours": IMAGE,
         "addon": BUILD / "deps/systemd-boot/addonx64.efi.stub"}

BANKS = ("sha1", "sha256", "sha384")

# Measured sections -> systemd-measure's options for them. ukify uses other names for two of them.
MEASURED = {".linux": "linux", ".osrel": "osrel", ".cmdline": "cmdline", ".initrd": "initrd", ".ucode": "ucode",
            ".splash": "splash", ".uname": "uname", ".sbat": "sbat", ".pcrpkey": "pcrpkey", ".profile": "profile"}
UKIFY = {".osrel": "os-release", ".ucode": "microcode"}


def run(name, *arguments):
    """The output of a tool."""
    return subprocess.run([TOOLS / name, *map(str, arguments)], check=True, stdout=subprocess.PIPE, text=True).stdout


def write(folder, sections):
    """Writes sections to files, because the tools read only files. Returns section -> file."""
    folder.mkdir(exist_ok=True)
    paths = {}
    for name, content in sections.items():
        paths[name] = folder / name.lstrip(".")
        if isinstance(content, bytes):
            paths[name].write_bytes(content)
        else:
            paths[name] = content
    return paths


def make_key(folder, name="key"):
    """A key pair that signs register values. Returns the private and the public key."""
    private, public = folder / f"{name}.private.pem", folder / f"{name}.public.pem"
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["openssl", "rsa", "-in", private, "-pubout", "-out", public], check=True, stderr=subprocess.DEVNULL)
    return private, public


def ukify(folder, stub, sections, key=None, extra=(), output="x.efi"):
    """Makes a unified image of `sections`, name -> bytes or file. With `key`, it contains signed values of register 11.

    `extra`: more arguments."""
    paths = write(folder / "sections", sections)
    if ".uname" in paths:
        paths[".uname"] = paths[".uname"].read_text()
    texts = {".cmdline", ".osrel", ".sbat", ".profile"}
    arguments = [f"--{UKIFY.get(name) or MEASURED[name]}={'@' if name in texts else ''}{path}"
                 for name, path in paths.items()]
    if key:
        private, public = key
        arguments += [f"--pcr-private-key={private}", f"--pcr-public-key={public}", f"--pcr-banks={','.join(BANKS)}"]
    run("ukify", "build", f"--tools={TOOLS}", f"--stub={STUBS[stub]}", *arguments, *extra, f"--output={folder / output}")
    return folder / output


def sections_of(image, index=0):
    """Section -> bytes, of the measured sections. If there are several sections of a name, takes number `index`, or the
    first if there are not so many."""
    found = {}
    for name in MEASURED:
        for number in (index, 0):
            try:
                offset, size = uki.section(image, name, number)
            except IndexError:
                continue
            found[name] = image[offset:offset + size]
            break
    return found


def calculate(folder, sections, phase=":"):
    """Bank -> the value of register 11 after these sections and that phase, by systemd-measure."""
    paths = write(folder / "measured", sections)
    printed = run("systemd-measure", "calculate", *(f"--{MEASURED[name]}={path}" for name, path in paths.items()),
                  *(f"--bank={bank}" for bank in BANKS), f"--phase={phase}", "--json=short")
    return {bank: value["hash"] for bank, (value,) in json.loads(printed).items()}


def sign(folder, sections, key, phase="enter-initrd"):
    """The signature of the value of register 11 after these sections and that phase, as JSON."""
    private, public = key
    paths = write(folder / "measured", sections)
    return run("systemd-measure", "sign", *(f"--{MEASURED[name]}={path}" for name, path in paths.items()), "--bank=sha256",
               f"--phase={phase}", f"--private-key={private}", f"--public-key={public}", "--json=short").strip().encode()


def extended(sections, phase):
    """The value of register 11 in SHA-256 after sections, pairs of name and bytes, in this order."""
    value = bytes(32)
    for content in (*itertools.chain(*((name.encode() + b"\0", content) for name, content in sections)), phase.encode()):
        value = hashlib.sha256(value + hashlib.sha256(content).digest()).digest()
    return value


def signed_value(key, value):
    """A signature as `sign` makes it, for this value: it signs the policy that requires the value (TPM 2.0 Library,
    Part 3, 23.7 TPM2_PolicyPCR)."""
    private, public = key
    # TPM_CC_PolicyPCR, then TPML_PCR_SELECTION: one bank, SHA-256, three bytes of bits, the bit of register 11.
    policy = hashlib.sha256(bytes(32) + bytes.fromhex("0000017f" "00000001" "000b" "03000800") +
                            hashlib.sha256(value).digest()).digest()
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", private], input=policy, check=True,
                               stdout=subprocess.PIPE).stdout
    der = subprocess.run(["openssl", "rsa", "-pubin", "-in", public, "-RSAPublicKey_out", "-outform", "DER"], check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return json.dumps({"sha256": [{"pcrs": [11], "pkfp": hashlib.sha256(der).hexdigest(), "pol": policy.hex(),
                                   "sig": base64.b64encode(signature).decode()}]}, separators=(",", ":")).encode()


SECRET = "what only the right system can read"
MIB = 1 << 20


def make_volume(folder, public):
    """A LUKS2 volume that begins with SECRET, and a TPM that opens it when register 11 holds a value that `public` has
    signed.

    Returns the volume's bytes and the folder with the TPM's state."""
    volume, key, password = folder / "volume", folder / "volume.key", folder / "password"
    volume.write_bytes(bytes(2 * MIB))
    key.write_bytes(hashlib.sha256(b"volume").digest())
    password.write_bytes(b"password")
    run("cryptsetup", "luksFormat", "--batch-mode", "--type=luks2", "--cipher=aes-cbc-plain64", "--key-size=256",
        f"--volume-key-file={key}", f"--key-file={password}", "--pbkdf=pbkdf2", "--pbkdf-force-iterations=1000",
        "--luks2-metadata-size=16k", "--luks2-keyslots-size=512k", f"--offset={MIB // 512}", "--sector-size=512", volume)
    # A sector's number is its initialization vector: 0.
    sector = subprocess.run(["openssl", "enc", "-aes-256-cbc", "-K", key.read_bytes().hex(), "-iv", "0" * 32, "-nopad"],
                            input=SECRET.encode().ljust(512, b"\0"), check=True, stdout=subprocess.PIPE).stdout
    state = folder / "tpm"
    state.mkdir()
    with swtpm(folder, state) as device:
        run("systemd-cryptenroll", f"--unlock-key-file={password}", f"--tpm2-device={device}", "--tpm2-pcrs=",
            f"--tpm2-public-key={public}", "--tpm2-public-key-pcrs=11", "--tpm2-pcrlock=", volume)
    content = volume.read_bytes()
    return content[:MIB] + sector + content[MIB + len(sector):], state


@contextlib.contextmanager
def swtpm(folder, state):
    """A TPM with this state. Yields the name by which tools reach it."""
    path = folder / "swtpm"
    command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--server", f"type=unixio,path={path}",
               "--ctrl", f"type=unixio,path={path}.ctrl", "--flags", "not-need-init,startup-clear"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + TIMEOUT
            while not path.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            yield f"swtpm:path={path}"
        finally:
            process.terminate()
