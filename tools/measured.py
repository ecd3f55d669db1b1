# SPDX-License-Identifier: BSD-2-Clause
"""The measurements of a boot, from its files only: events in the order of the TPM's log, as in the table of
SECURITY.md. loader.py asks the loader's own code for the loader's decisions."""

import collections
import functools
import hashlib

import loader
import sidecars

# The usual banks of a TPM, by their usual names.
BANKS = ("sha1", "sha256", "sha384", "sha512")

# The registers that a boot through this loader extends, or leaves at a value that others rely on.
REGISTERS = (4, 9, 11, 12, 13)

# The firmware's events in register 4 before the first image (TCG PC Client Platform Firmware Profile, 3.3.4.5 and
# 10.4.4): the attempt to boot an entry, and the separator behind the firmware's own events.
SEPARATOR = bytes(4)
BEFORE_THE_IMAGE = [("boot attempt", b"Calling EFI Application from Boot Option"), ("firmware's separator", SEPARATOR)]

# `digest` is a function from the name of a bank to the digest that extends it.
Event = collections.namedtuple("Event", "pcr what digest")


def event(pcr, what, content):
    """An event that measures the content itself."""
    return Event(pcr, what, functools.cache(lambda bank: hashlib.new(bank, content).digest()))


def image_event(what, file):
    """An event that measures an image by its Authenticode digest."""
    return Event(4, what, functools.cache(file.authenticode))


def before_the_image():
    """The events in register 4 of firmware that starts the image by itself, and has tried nothing before."""
    return [event(4, what, content) for what, content in BEFORE_THE_IMAGE]


def _kernel(name, loaded):
    """The event of a kernel. If its Authenticode digest omits bytes that run, the whole file is measured; such a kernel
    boots only with Secure Boot off."""
    if loaded.authenticode_covers:
        return image_event("kernel", loader.File(name, loaded.kernel))
    return event(4, "kernel", loaded.kernel)


def _text(pcr, what, text):
    """An event of a text in UTF-16 with a NUL. A text that is not UTF-8 is measured unchanged, with a NUL."""
    try:
        wide = text.decode().encode("utf-16-le") + b"\0\0"
    except UnicodeDecodeError:
        wide = text + b"\0"
    return event(pcr, what, wide)


def _sections(sections):
    """The events of sections. .pcrsig has none, because it signs the values of the register."""
    for name, content in sections.items():
        if name != ".pcrsig":
            yield event(11, name, name.encode() + b"\0")
            yield event(11, name, content)


def _as_sections(plan, loaded, initrd, key):
    """A kernel, its command line, initrd and key as the sections of a unified image."""
    sections = {".linux": loaded.kernel, ".cmdline": loaded.command_line, ".initrd": initrd, ".pcrpkey": key}
    return {name: content for name, content in sections.items() if content}


def _separators(found):
    """A separator for each of registers 9 and 11 that has no other event."""
    return [event(register, "separator", SEPARATOR) for register in (9, 11)
            if not any(measured.pcr == register for measured in found)]


def _plain_events(plan, loaded, read):
    """The events behind that of a plain kernel. Those as sections come first."""
    initrd = loader.joined(read(part) for part in plan["initrds"])
    named = {".pcrsig": plan["pcr_signature"], ".pcrpkey": plan["pcr_key"]}
    files = {section: read(part) for section, part in named.items() if part}
    handed_over = loader.joined([*filter(None, [initrd]), *sidecars.of_sections(files)])
    as_image = _sections(_as_sections(plan, loaded, initrd, files.get(".pcrpkey"))) if plan["measured_as_image"] else []
    return [*as_image,
            event(12, "entry", loader.to_bytes(plan["text"])),
            *([event(9, "initrd", handed_over)] if handed_over else []),
            _text(12, "command line", loaded.command_line)]


def _extra_events(extras):
    """The events of sidecars and addons."""
    return [*([_text(12, "options of addons", extras.options)] if extras.options else []),
            *(event(register, "sidecars", content) for register, content in extras.archives),
            *(event(12, "microcode of an addon", content) for content in extras.microcode),
            *(event(12, "initrd of an addon", content) for content in extras.initrds)]


def _all_initrds(unified, added, extras):
    """All initrds in the order of systemd-stub, joined. Several are padded to a multiple of 4 bytes."""
    own = [unified.sections[name] for name in (".ucode", ".initrd") if name in unified.sections]
    microcode = own[:1] if ".ucode" in unified.sections else []
    initrds = [*extras.microcode, *microcode, *own[len(microcode):], *(content for _, content in extras.archives),
               *sidecars.of_sections(unified.sections), *added, *extras.initrds]
    joined = loader.joined(initrds)
    return joined + bytes(-len(joined) % 4 if len(initrds) > 1 else 0)


def _unified_events(unified, plan, loaded, added, extras):
    """The events of a unified image: of its sections, of the additions to it, and those that Linux's own EFI stub would
    make. `added` are an entry's initrds."""
    options = loader.to_bytes(plan["command_line"])
    in_image = plan["kernel"]["source"] == "image" and not plan["options_are_added"]
    profile = plan["chosen_profile"]
    line = b" ".join(filter(None, [loaded.command_line, extras.options]))
    initrd = _all_initrds(unified, added, extras)
    return [*([_text(12, "profile", str(profile).encode())] if profile else []),
            *_sections(unified.sections),
            *([_text(12, "options", options)] if options and not in_image else []),
            *(image_event("addon", addon) for addon in extras.addons),
            *(event(12, "added initrd", content) for content in added),
            *_extra_events(extras),
            *([_text(9, "command line", line)] if line or ".cmdline" in unified.sections else []),
            *([event(9, "initrd", initrd)] if initrd else [])]


def events(image, plan, loaded, read, extras):
    """All events from our image on. The program that starts the image measures it; the image measures the rest. `read`
    returns the content of a part of the plan; `extras` are the sidecars of the unified image, if it is one."""
    found = [image_event("image", image)]
    if image.unified:
        found += _unified_events(image.unified, plan, loaded, [], extras)
    else:
        found.append(_kernel(loader.path_of(plan["kernel"]), loaded))
        if loaded.unified:
            added = [read(part) for part in [*plan["initrds"], *loaded.more]]
            found += _unified_events(loaded.unified, plan, loaded, added, extras)
        else:
            found += _plain_events(plan, loaded, read)
    return found + _separators(found)


def extended(bank, found, pcr):
    """The value of a register in a bank after these events. It begins with zeros."""
    value = bytes(hashlib.new(bank).digest_size)
    for measured in found:
        if measured.pcr == pcr:
            value = hashlib.new(bank, value + measured.digest(bank)).digest()
    return value
