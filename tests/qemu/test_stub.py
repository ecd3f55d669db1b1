# SPDX-License-Identifier: BSD-2-Clause
"""Other tools read the image: ukify and pefile of Debian 13, and bootctl of Debian 12 and 13."""

import json
import os
import re
import shutil
import subprocess

import pytest

from conftest import DEFAULT_OPTIONS, IMAGE, INITRD, entry, files, kernel, wait_for_report
from kexec_efi_test.machine import BUILD, FIRMWARE
from kexec_efi_test.signing import Key
from test_sealed import SEAL

TOOLS = BUILD / "deps/boot-tools"
PEFILE = TOOLS / "newer/usr/lib/python3/dist-packages"

# More sections than the 96 of the PE specification, and more than fit in 4096 bytes of headers.
MANY = 115


def ukify(folder, further=0, options=DEFAULT_OPTIONS):
    """A unified image with our stub, and `further` unused sections behind the five that are used."""
    (folder / "os-release").write_text('ID=debian\nVERSION_ID=13\nPRETTY_NAME="Debian by ukify"\n')
    (folder / "further").write_bytes(b"further")
    out = folder / "ukify.efi"
    subprocess.run([TOOLS / "ukify", "build", f"--stub={IMAGE}", f"--linux={kernel()}", f"--initrd={INITRD}",
                    f"--cmdline={options}", f"--os-release=@{folder / 'os-release'}", "--uname=6.1-ukify",
                    *[f"--section=.x{number}:@{folder / 'further'}" for number in range(further)], f"--output={out}"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return out


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Name -> image: a sealed entry for the usual files, and unified images by tools/seal and by ukify. Each image's
    title and command line contain its name."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "vmlinuz").symlink_to(kernel())
    (folder / "initrd").symlink_to(INITRD)
    titles = ("title Debian, sealed", "version 7.1-sealed", "sort-key debian-sealed")
    (folder / "my.conf").write_bytes(entry(options=f"{DEFAULT_OPTIONS} sealed", extra=titles))
    (folder / "osrel").write_text('ID=debian\nVERSION_ID=12\nPRETTY_NAME="Debian, unified"\n')
    made = {"sealed": ["--entry", folder / "my.conf", "--root", folder],
            "unified": ["--linux", kernel(), "--initrd", INITRD, "--cmdline", f"{DEFAULT_OPTIONS} unified\n", "--osrel",
                        folder / "osrel"]}
    for name, arguments in made.items():
        subprocess.run([SEAL, "--image", IMAGE, "--out", folder / f"{name}.efi", *arguments], check=True,
                       stdout=subprocess.DEVNULL)
    ukify(folder, 20, f"{DEFAULT_OPTIONS} ukify")
    return {name: folder / f"{name}.efi" for name in ("sealed", "unified", "ukify")}


def warnings(*paths):
    """pefile's warnings about each image."""
    code = "import json, pefile, sys; print(json.dumps([pefile.PE(path).get_warnings() for path in sys.argv[1:]]))"
    result = subprocess.run(["/usr/bin/python3", "-B", "-c", code, *paths], check=True, stdout=subprocess.PIPE,
                            env={**os.environ, "PYTHONPATH": str(PEFILE)})
    return json.loads(result.stdout)


def test_pefile_finds_nothing_amiss(images, tmp_path):
    assert warnings(IMAGE, *images.values()) == 4 * [[]]
    # pefile would complain: it notices a damaged .reloc.
    damaged = bytearray(IMAGE.read_bytes())
    damaged[damaged.rindex(b"\x0c\0\0\0\0\0\1\0") + 6] = 0
    (tmp_path / "damaged.efi").write_bytes(damaged)
    assert re.match("Overlapping offsets in relocation data", warnings(tmp_path / "damaged.efi")[0][0])


def test_room_for_120_sections(images, tmp_path):
    """ukify puts section headers into the room left for them, and moves nothing. A sealed image leaves room as well."""
    ukify(tmp_path, 120 - 5)
    with pytest.raises(subprocess.CalledProcessError) as raised:
        ukify(tmp_path, 140 - 5)
    assert "Not enough header space" in raised.value.stderr
    (tmp_path / "further").write_bytes(b"further")
    subprocess.run([TOOLS / "ukify", "build", f"--stub={images['unified']}", f"--output={tmp_path / 'more.efi'}",
                    *[f"--section=.y{number}:@{tmp_path / 'further'}" for number in range(120)]], check=True,
                   stdout=subprocess.DEVNULL)
    assert warnings(tmp_path / "ukify.efi", tmp_path / "more.efi") == 2 * [[]]


@pytest.mark.parametrize("firmware, further", [
    ("trixie", MANY), pytest.param("ovmf", 20, marks=pytest.mark.matrix),
    *[pytest.param(firmware, MANY, marks=pytest.mark.matrix) for firmware in ("ovmf", "u-boot", "strictnx", "trixie-snakeoil")],
])
def test_image_of_ukify(boot, tmp_path, firmware, further):
    options = DEFAULT_OPTIONS + (" efi=noruntime disable_mtrr_trim" if firmware == "u-boot" else "")
    image = ukify(tmp_path, further, options)
    if FIRMWARE[firmware].key:
        image = Key.of_firmware(FIRMWARE[firmware], tmp_path).sign(image)
    guest = boot({"/EFI/BOOT/BOOTX64.EFI": image}, firmware=FIRMWARE[firmware],
                 board="pc" if firmware == "u-boot" else "q35")
    report = wait_for_report(guest)
    assert report["cmdline"] == options
    assert report["payload"] == "payload: OK"


def test_kernel_in_an_image_of_many_sections(boot, tmp_path):
    image = ukify(tmp_path, MANY)
    report = wait_for_report(boot(files({"/x.efi": image, "/initrd": None}, conf=b"linux /x.efi\nverbose yes\n")))
    assert report["cmdline"] == DEFAULT_OPTIONS
    answer = subprocess.run([BUILD / "inspect", "kernel", "x"], input=image.read_bytes(), check=True,
                            stdout=subprocess.PIPE)
    assert json.loads(answer.stdout)["authenticode_covers"] is True


# --- bootctl -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def partition(images, tmp_path_factory):
    """A folder with the files of an ESP."""
    folder = tmp_path_factory.mktemp("partition")
    for path in ("EFI/BOOT", "EFI/Linux", "loader"):
        (folder / path).mkdir(parents=True)
    shutil.copy(IMAGE, folder / "EFI/BOOT/BOOTX64.EFI")
    for name, image in images.items():
        shutil.copy(image, folder / f"EFI/Linux/{name}.efi")
    return folder


MOUNT = ["unshare", "--map-root-user", "--mount"]
can_mount = pytest.mark.skipif(subprocess.run([*MOUNT, "mount", "--bind", TOOLS, TOOLS], stderr=subprocess.DEVNULL).returncode,
                               reason="bootctl wants a mounted ESP: no user namespaces here")


def bootctl(program, partition, *arguments):
    """bootctl's output, with the folder mounted in a mount namespace of its own."""
    script = 'mount --bind "$1" "$1" && exec "$2" --esp-path="$1" --no-pager "$3"'
    result = subprocess.run([*MOUNT, "sh", "-c", script, "sh", partition, TOOLS / program, *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env={**os.environ, "SYSTEMD_RELAX_ESP_CHECKS": "1", "LC_ALL": "C.UTF-8"})
    return result.stdout


def version_of_kernel():
    return (kernel().parent / "package").read_text().strip().removeprefix("linux-image-")


@can_mount
@pytest.mark.parametrize("program", ["bootctl", "bootctl-own"])
def test_bootctl_lists_what_is_sealed(partition, program):
    listed = {}
    for text in bootctl(program, partition, "list").split("\n\n"):
        fields = dict(line.strip().split(": ", 1) for line in text.splitlines() if ": " in line)
        listed[fields.pop("id", None)] = fields
    assert set(listed) == {"sealed.efi", "unified.efi", "ukify.efi"}
    for name, title, version, key in (("sealed", "Debian, sealed", "7.1-sealed", "debian-sealed"),
                                      ("unified", "Debian, unified", "12", "debian"),
                                      ("ukify", "Debian by ukify", "13", "debian")):
        fields = listed[f"{name}.efi"]
        assert fields["type"] == "Boot Loader Specification Type #2 (.efi)"
        assert fields["title"].startswith(title) and fields["sort-key"] == key and fields["version"] == version
        assert fields.get("options") == (None if name == "sealed" else f"{DEFAULT_OPTIONS} {name}")


@can_mount
@pytest.mark.parametrize("program", ["bootctl", "bootctl-own"])
def test_bootctl_knows_the_loader_and_its_version(partition, program):
    version = re.search(r"^VERSION := (\S+)$", (BUILD.parent / "GNUmakefile").read_text(), re.MULTILINE).group(1)
    assert re.search(rf"File: \S+/EFI/BOOT/BOOTX64\.EFI \(kexec-efi {re.escape(version)}\)\n",
                     bootctl(program, partition, "status"))


def test_bootctl_inspects_what_is_sealed(images):
    expected = {"sealed": (None, version_of_kernel(), "Debian, sealed"),
                "unified": (f"{DEFAULT_OPTIONS} unified\n", version_of_kernel(), "Debian, unified"),
                "ukify": (f"{DEFAULT_OPTIONS} ukify", "6.1-ukify", "Debian by ukify")}
    for name, (options, version, title) in expected.items():
        printed = subprocess.run([TOOLS / "bootctl", "kernel-inspect", images[name]], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout
        assert printed == ("Kernel Type: uki\n" + (f"    Cmdline: {options}\n" if options else "")
                           + f"    Version: {version}\n         OS: {title}\n")
        assert subprocess.run([TOOLS / "bootctl", "kernel-identify", images[name]], check=True,
                              stdout=subprocess.PIPE).stdout == b"uki\n"
