# SPDX-License-Identifier: BSD-2-Clause
"""`kexec-efi check`: whether the loader would boot entries and images, by the loader's own code, from the files alone."""

import os
import pathlib

import loader

from .errors import FAILED, WRONG_CALL, Refused


def add_arguments(parser):
    parser.add_argument("files", metavar="FILE", nargs="+",
                        help="an entry, or an image of kexec-efi; paths begin at --root, or else where FILE's volume is "
                             "mounted")


def check(options):
    for name in options.files:
        if not name:
            raise Refused("expected the name of a file, found nothing", WRONG_CALL)
    root = options.root if options.is_root_given else None
    results = [_Check(root).file(pathlib.Path(name)) for name in options.files]
    return 0 if all(results) else FAILED


def _mount_point(path):
    folder = path.resolve().parent
    while not os.path.ismount(folder):
        folder = folder.parent
    return folder


class _Check:
    """The check of one file, and of the entries to which it falls back."""

    def __init__(self, root):
        self._root = root
        self._seen = set()

    def file(self, path):
        """Prints what the loader makes of the file. Returns whether it would boot the file, and each fallback."""
        self._seen.add(path.resolve())
        try:
            content = loader.read(path)
            found = self._image(path, content) if content.startswith(b"MZ") else self._entry(path, content)
        except SystemExit:
            loader.say(f"{path}: refused")
            return False
        return found

    def _image(self, path, content):
        image = loader.Image(str(path), content)
        if image.is_marked is None:
            loader.fail(f"{path}: expected an entry, or an image of kexec-efi, found another image")
        if not image.plan:
            loader.say(f"{path}: nothing is sealed in it: it boots the entry beside it")
            return self.file(path.with_suffix(".conf"))
        for number, plan in enumerate(image.plans(), 1):
            self._plan(f"{path}, entry {number}" if image.entries > 1 else str(path), path, plan, image)
        return True

    def _entry(self, path, content):
        plan = loader.entry(str(path), content)
        would_boot = self._would_boot(str(path), path, plan)
        if not plan["fallback"]:
            return would_boot
        # The path is on the volume of this entry, whatever `volume` says (doc/fallback.md).
        fallback = loader.file_below(self._root or _mount_point(path), {"name": plan["fallback"]})
        if fallback.resolve() in self._seen:
            return would_boot
        loader.say(f"{path}: falls back to {fallback}")
        return self.file(fallback) and would_boot

    def _would_boot(self, name, path, plan):
        """Also if the plan is refused, its fallback is checked."""
        try:
            self._plan(name, path, plan)
        except SystemExit:
            loader.say(f"{name}: refused")
            return False
        return True

    def _plan(self, name, path, plan, image=None):
        """Ends the program unless the loader would boot the plan."""
        contents = {}
        root = self._root or _mount_point(path)

        def read(part):
            if plan["volume"] and self._root is None and part["source"] == "volume":
                loader.fail(f"{name}: its paths begin at the volume {plan['volume']}: expected --root, where that is mounted, "
                            "found none")
            key = part["source"], part["name"]
            if key not in contents:
                contents[key] = loader.part_content(part, root, image)
            return contents[key]

        loader.expect_plan(plan, read)
        loader.say(f"{name}: the loader would boot it")
        for line in _lines(plan, read):
            loader.say(f"  {line}")


def _lines(plan, read):
    """Lines that describe a plan, with the lines of an entry that would require its files as they are now."""
    named = [("linux", plan["kernel"]), *(("initrd", part) for part in plan["initrds"]), ("pcrsig", plan["pcr_signature"]),
             ("pcrpkey", plan["pcr_key"])]
    parts = [(key, part) for key, part in named if part]
    for key, part in parts:
        yield f"{key:<8} {_described(key, part, read(part))}"
    if plan["command_line"]:
        yield f"options  {os.fsdecode(loader.to_bytes(plan['command_line']))}"
    for key in plan["unknown_keys"]:
        yield f"skipped  {key}: unknown key"
    free = [part for _, part in parts if part["source"] == "volume" and not any(part[key] for key in loader.DIGESTS)]
    if free:
        yield "To require these files as they are now, add"
    for part in free:
        yield f"  fsverity {loader.fsverity_digest(read(part))} {loader.path_of(part)}"


def _described(key, part, content):
    words = [f"{len(content)} bytes"]
    version = loader.kernel_version(content) if key == "linux" else b""
    if version:
        words.append(f"Linux {os.fsdecode(version)}")
    if part["source"] == "image":
        words.append("in the image")
    words += [f"{name} as expected" for name in loader.DIGESTS if part[name]]
    return f"{loader.path_of(part)}: {', '.join(words)}"
