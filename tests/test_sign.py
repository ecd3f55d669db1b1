# SPDX-License-Identifier: BSD-2-Clause
"""tools/sign: sbverify accepts each signed image. If the tool cannot sign, it says why and writes nothing."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/qemu"))

from kexec_efi_test.signing import Key, without_signature  # noqa: E402

SIGN = ROOT / "tools/sign"
IMAGE = ROOT / "build/kexecx64.efi"
KERNEL = ROOT / "build/deps/kernels/amd64/vmlinuz"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Kind of input -> file."""
    folder = tmp_path_factory.mktemp("keys")
    ours, other = Key.new(folder, "ours"), Key.new(folder, "other")
    found = {"key": ours.key, "cert": ours.certificate, "other key": other.key, "other cert": other.certificate,
             "empty": folder / "empty", "folder": folder, "generic": IMAGE, "missing": folder / "mis\x1b[31msing"}
    found["empty"].touch()
    for name, form in (("cert", "x509"), ("key", "rsa")):
        found[f"{name} in DER"] = folder / f"{name}.der"
        openssl(form, "-in", found[name], "-outform", "DER", "-out", found[f"{name} in DER"])
    found["damaged cert"] = folder / "damaged.pem"
    found["damaged cert"].write_text(re.sub(r"\n\w{20}", "\nMIIDAAAA", ours.certificate.read_text(), count=1))
    found["key and cert in one"] = folder / "both.pem"
    found["key and cert in one"].write_text(ours.certificate.read_text() + ours.key.read_text())
    for name, dates in (("expired", ("20010101000000Z", "20020101000000Z")),
                        ("not yet valid", ("20400101000000Z", "20500101000000Z"))):
        found[name] = folder / f"{name}.pem"
        (folder / "index").write_text("")
        (folder / "ca.conf").write_text(f"[ca]\ndatabase={folder}/index\nnew_certs_dir={folder}\nserial={folder}/serial\n"
                                        "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        openssl("req", "-new", "-key", ours.key, "-subj", "/CN=dated", "-out", folder / "request")
        openssl("ca", "-batch", "-config", folder / "ca.conf", "-name", "ca", "-create_serial", "-selfsign", "-keyfile",
                ours.key, "-in", folder / "request", "-startdate", dates[0], "-enddate", dates[1], "-notext", "-out",
                found[name])
    found["sealed"] = folder / "sealed.efi"
    subprocess.run([ROOT / "tools/seal", f"--image={IMAGE}", f"--out={found['sealed']}", f"--linux={KERNEL}"], check=True,
                   stdout=subprocess.DEVNULL)
    found["signed"] = folder / "signed.efi"
    found["signed"].write_bytes(ours.sign(found["sealed"]))
    found["kernel"] = folder / "vmlinuz"
    found["kernel"].write_bytes(without_signature(KERNEL.read_bytes()))
    # Made by objcopy, as by programs that use our image as a stub: no mark demands a seal.
    found["unmarked"] = folder / "unmarked.efi"
    subprocess.run(["objcopy", "--add-section", f".linux={KERNEL}", "--change-section-vma", ".linux=0x100000",
                    "--set-section-flags", ".linux=data,readonly", IMAGE, found["unmarked"]], check=True)
    return found


def sign(files, out, *names, flags=(), **options):
    paths = [files.get(name, name) for name in names]
    return subprocess.run([SIGN, *flags, *paths, out], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def verifies(files, out, cert="cert"):
    return not subprocess.run(["sbverify", "--cert", files[cert], out], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode


@pytest.mark.parametrize("cert", ["cert", "cert in DER", "key and cert in one"])
@pytest.mark.parametrize("image", ["sealed", "unmarked"])
def test_signing(tmp_path, files, cert, image):
    out = tmp_path / "out.efi"
    result = sign(files, out, "key", cert, image)
    assert (result.returncode, result.stderr) == (0, "")
    assert verifies(files, out) and not verifies(files, out, "other cert")


@pytest.mark.parametrize("image", ["generic", "kernel"])
def test_image_in_which_nothing_is_sealed(tmp_path, files, image):
    """A key that has signed both kinds of image would no longer vouch for a seal."""
    out = tmp_path / "out.efi"
    result = sign(files, out, "key", "cert", image)
    assert result.returncode == 1 and not out.exists()
    assert re.fullmatch(r"sign: \S+: expected an image with something sealed in it, found none: it boots any files beside "
                        r"it, so images sealed with the same key protect nothing. If there are none: --generic "
                        r"\(GENERIC=yes\)\n", result.stderr)
    assert sign(files, out, "key", "cert", image, flags=["--generic"]).returncode == 0
    assert verifies(files, out)


def test_signing_in_place(tmp_path, files):
    image = tmp_path / "image.efi"
    shutil.copy(files["sealed"], image)
    assert sign({**files, "image": image}, image, "key", "cert", "image").returncode == 0
    assert verifies(files, image)


@pytest.mark.parametrize("cert, words", [("expired", r"found one that expired on 2002-01-01 00:00:00 UTC"),
                                         ("not yet valid", r"found one that is not before 2040-01-01 00:00:00 UTC")])
def test_certificate_out_of_its_time(tmp_path, files, cert, words):
    """Firmware ignores the dates, so the tool signs with a warning."""
    out = tmp_path / "out.efi"
    result = sign(files, out, "key", cert, "sealed")
    assert result.returncode == 0 and verifies(files, out, cert)
    assert re.fullmatch(rf"sign: warning: .*{cert}.pem: expected a certificate that is valid, {words}\n", result.stderr)


@pytest.mark.parametrize("key, cert, image, complaint", [
    ("", "cert", "sealed", "sign: expected KEY=, found none"),
    ("key", "", "sealed", "sign: expected CERT=, found none"),
    ("missing", "cert", "sealed", r"sign: cannot read \S+/mis\\x1b\[31msing: No such file or directory"),
    ("key", "missing", "sealed", r"sign: cannot read \S+/mis\\x1b\[31msing: No such file or directory"),
    ("key", "cert", "missing", r"sign: cannot read \S+/mis\\x1b\[31msing: No such file or directory"),
    ("folder", "cert", "sealed", r"sign: cannot read \S+: Is a directory"),
    ("cert", "key", "sealed",
     r"sign: \S+ours.key: expected a certificate \(CERT\), found a private key: are KEY and CERT swapped\?"),
    ("cert", "cert", "sealed",
     r"sign: \S+ours.pem: expected a private key \(KEY\), found a certificate: are KEY and CERT swapped\?"),
    ("key in DER", "cert", "sealed", r"sign: \S+key.der: expected a private key \(KEY\) in PEM, found none"),
    ("empty", "cert", "sealed", r"sign: \S+empty: expected a private key \(KEY\) in PEM, found none"),
    ("key", "empty", "sealed", r"sign: \S+empty: expected a certificate \(CERT\) in PEM or DER, found something else"),
    ("key", "key in DER", "sealed",
     r"sign: \S+key.der: expected a certificate \(CERT\) in PEM or DER, found something else"),
    ("key", "damaged cert", "sealed",
     r"sign: \S+damaged.pem: expected a certificate \(CERT\) in PEM or DER, found damage"),
    ("other key", "cert", "sealed",
     r"sign: \S+other.key: expected the private key of the certificate \(CERT\), found that of another"),
    ("key", "cert", "signed",
     r"sign: \S+signed.efi: expected an image without a signature, found one \(sbattach --remove .*\)"),
    ("key", "cert", "cert", r"sign: \S+ours.pem: expected a PE32\+ image, found none"),
    ("key", "cert", "empty", r"sign: \S+empty: expected a PE32\+ image, found none"),
])
@pytest.mark.parametrize("before", [None, b"from an earlier run"])
def test_what_cannot_be_signed(tmp_path, files, key, cert, image, complaint, before):
    """The twin is test_signing. An existing output file stays, and no other file is left."""
    out = tmp_path / "out.efi"
    if before:
        out.write_bytes(before)
    result = sign(files, out, key, cert, image)
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(complaint + "\n", result.stderr), result.stderr
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([before] if before else [])


def program(folder, name, script):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


# A fake sbsign that copies a given file as the signed image.
COPY = "while [ $# -gt 2 ]; do [ $1 = --output ] && out=$2; shift; done; cp {} $out"


@pytest.mark.parametrize("script, complaint", [
    ('printf "\\033[31mno\\n" >&2; exit 1', r"sign: sbsign: \\x1b\[31mno\nsign: sbsign failed: see above"),
    # It signs another file, or nothing, and reports success.
    (COPY.format("$2"),
     r"(sign: sbverify: .*\n)+sign: sbverify failed: see above"),
    (COPY.format("$SIGNED"),
     r"sign: \S+: expected the image in what sbsign has signed, found another"),
])
def test_signer_that_fails(tmp_path, files, script, complaint):
    out, programs = tmp_path / "out.efi", tmp_path / "bin"
    programs.mkdir()
    program(programs, "sbsign", script)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "SIGNED": str(files["signed"])}
    result = sign(files, out, "key", "cert", "unmarked", env=environment)
    assert result.returncode == 1 and re.fullmatch(complaint + "\n", result.stderr), result.stderr
    assert not out.exists()


@pytest.mark.parametrize("name", ["sbsign", "sbverify"])
def test_signer_that_is_not_there(tmp_path, files, name):
    out, programs = tmp_path / "out.efi", tmp_path / "bin"
    programs.mkdir()
    for other in {"sbsign", "sbverify"} - {name}:
        (programs / other).symlink_to(shutil.which(other))
    result = sign(files, out, "key", "cert", "sealed", env={**os.environ, "PATH": str(programs)})
    assert (result.returncode, result.stderr) == (1, f"sign: {name} is not there: install sbsigntool\n")
    assert not out.exists()


def test_key_of_a_token(tmp_path, files):
    """sbsign's engine gets the URI unchanged. The engine itself is not tested."""
    out, programs = tmp_path / "out.efi", tmp_path / "bin"
    programs.mkdir()
    uri = "pkcs11:token=a%20b;object=k;type=private?pin-value=1234"
    program(programs, "sbsign", f'echo "$1 $2 $3 $4" >{tmp_path}/called\n'
                                f'exec {shutil.which("sbsign")} --key {files["key"]} "$5" "$6" "$7" "$8" "$9"')
    result = sign(files, out, uri, "cert", "sealed", env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"})
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "called").read_text() == f"--engine pkcs11 --key {uri}\n"
    assert verifies(files, out)


def test_signal(tmp_path, files):
    out, temporary, programs = tmp_path / "out.efi", tmp_path / "tmp", tmp_path / "bin"
    temporary.mkdir()
    programs.mkdir()
    program(programs, "sbsign", f"touch {tmp_path}/called; exec sleep 60")
    process = subprocess.Popen([SIGN, files["key"], files["cert"], files["sealed"], out], stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "TMPDIR": str(temporary), "PATH": f"{programs}:{os.environ['PATH']}"})
    deadline = time.monotonic() + 60
    while not (tmp_path / "called").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate()
    assert (process.returncode, error) == (128 + signal.SIGTERM, "")
    assert not out.exists() and not list(temporary.iterdir())


@pytest.mark.parametrize("arguments", [[], ["a", "b", "c"], ["a", "b", "c", "d", "e"], ["--gen", "a", "b", "c", "d"]])
def test_wrong_calls(arguments):
    result = subprocess.run([SIGN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 2 and result.stderr.startswith("usage: ")
