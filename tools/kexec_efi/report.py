# SPDX-License-Identifier: BSD-2-Clause
"""Reports on a machine. Each makes a dict, to print as JSON, and lines for people. kexec-efi(8) documents the keys of
the dicts, and the words for a state, an outcome and a signature. Later versions may add some, but change none."""

import loader

from . import loader_words, outcomes
from .configuration import FIRMWARE
from .errors import BAD_NEWS, Refused


def _all(machine):
    """The sets on the ESP or in the menu, the newest first."""
    return sorted({*machine.store.sets(), *machine.menu.named()}, key=lambda one: one.key, reverse=True)


def _outcome(machine, witness, one, state):
    """The reason why a set has not come up, as a dict; None if none is known."""
    known = machine.record.sets.get(one.name, {})
    is_over = state == "failed" or (state == "waiting" and known.get("armed") not in ("", None, machine.system.boot_id))
    found = witness.outcome(one) if is_over else witness.refusal(one)
    return {"kind": found.kind, "reason": found.reason, "time": found.time} if found else None


def sets(machine):
    running, starts_next, witness = machine.menu.running(), machine.menu.starts_next(), outcomes.Witness(machine)
    found = []
    for one in _all(machine):
        state, why = machine.state(one)
        found.append({"version": one.version, "number": one.number, "name": one.name, "state": state, "why": why,
                      "running": one == running, "next": one == starts_next,
                      "tries": machine.record.sets.get(one.name, {}).get("tries", 0),
                      "outcome": _outcome(machine, witness, one, state)})
    return found


def listing(machine):
    """The kernels, without a check of their files."""
    found = sets(machine)
    return {"sets": found}, [_line(one) for one in found] or ["nothing is set up"], 0


def _line(one):
    """The line about a set. Sets of one version differ by their number."""
    words = [one["why"]]
    # The reasons of these two states say so already.
    if one["running"] and one["state"] != "trial":
        words.append("it runs")
    if one["next"] and one["state"] != "next":
        words.append("it is started next")
    return f"{'*' if one['running'] else ' '} {one['version']:<28} {one['number']:>3} {one['state']:<8} {'; '.join(words)}"


def verification(machine):
    """The state of each set, by the loader's own check, the digests of its files and its signature."""
    results, lines = [], []
    for one in _all(machine):
        damage = machine.damage(one)
        signature = machine.signature(one) if damage is None else "unknown"
        if signature == "none" and machine.has_secure_boot and machine.configuration.key:
            damage = f"expected the signature of {machine.configuration.certificate}, found none: Secure Boot is on"
        results.append({"version": one.version, "name": one.name, "good": damage is None, "damage": damage,
                        "signature": signature})
        words = {"good": "good, signed", "none": "good, not signed",
                 "other": f"good, signed by another than {machine.configuration.certificate}"}.get(signature, "good")
        lines.append(f"{one.name}: {damage or words}")
    # Without a set there is nothing to copy.
    copy = {"set": machine.removable.set_name, "damage": machine.removable.complaint() if results else None}
    if copy["set"] or copy["damage"]:
        lines.append(f"EFI/BOOT: {copy['damage'] or 'good'}")
    is_good = all(result["good"] for result in results) and copy["damage"] is None
    return {"sets": results, "removable": copy, "good": is_good}, lines or ["nothing is set up"], 0 if is_good else BAD_NEWS


def _head(machine, value):
    yield "Set up", "yes" if value["installed"] else "no (kexec-efi install)"
    menu = "the firmware" if value["menu"] == FIRMWARE else value["menu"]
    yield "Mode", f"{value['mode']}, entries of {menu}{', behind shim' if value['shim'] else ''}"
    yield "ESP", f"{value['esp']} (PARTUUID {value['partition']}), {value['folder']}"
    if value["removable_damage"]:
        yield "EFI/BOOT", f"damaged: {value['removable_damage']}"
    elif value["removable"]:
        yield "EFI/BOOT", f"boots {value['removable']}"
    yield "Started by", value["loader"] or "unknown"
    if value["variables"]:
        yield "Secure Boot", "on" if value["secure_boot"] else "off"
    else:
        yield "Firmware", "its variables are not used: a chroot, --root, --no-variables, or no UEFI"


def _lines_of(one):
    mark = "*" if one["running"] else " "
    yield f"{mark}{one['state']:>13}: {one['name']}: {one['why']}"
    if one["damage"]:
        yield f"{'damaged':>14}: {one['damage']}"
    if one["outcome"] and one["state"] not in ("failed", "waiting"):
        yield f"{'refused':>14}: at {one['outcome']['time'] or 'an earlier start'}: {one['outcome']['reason']}"


def _other_starts(machine, found):
    """The loader's notes about images that belong to no set."""
    ours = {f"{machine.store.place}/{one['name']}.efi".lower() for one in found}
    return [start for start in outcomes.Witness(machine).starts if start.what == "refused" and start.path.lower() not in ours]


def status(machine):
    """The state of the machine and of its sets, and the outcome of each trial."""
    log = loader_words.log(machine.variables)
    note = loader_words.note(machine.variables)
    found = sets(machine)
    verified, _, _ = verification(machine)
    damage = {result["name"]: result["damage"] for result in verified["sets"] if result["damage"]}
    for one in found:
        one["damage"] = damage.get(one["name"])
    others = _other_starts(machine, found)
    value = {
        "installed": machine.record.is_installed, "mode": machine.configuration.mode, "menu": machine.menu.name,
        "esp": str(machine.esp.path), "partition": machine.esp.partition.uuid, "folder": machine.store.place,
        "loader": machine.loader_text("LoaderInfo") or None, "secure_boot": machine.has_secure_boot,
        "variables": machine.variables is not None, "shim": machine.shim.name if machine.shim else None,
        "removable": machine.removable.set_name, "removable_damage": verified["removable"]["damage"],
        "sets": found, "warnings": loader_words.warnings(log), "note": note,
        "refused": [{"path": start.path, "reason": start.line, "time": start.time} for start in others],
    }
    lines = [f"{name:>14}: {text}" for name, text in _head(machine, value)]
    lines += [line for one in found for line in _lines_of(one)]
    lines += [f"{'The loader':>14}: {line}" for line in value["warnings"]]
    lines += [f"{'The note':>14}: {note}"] if note else []
    lines += [f"{'Refused':>14}: {start.path} at {start.time or 'an earlier start'}: {start.line}" for start in others]
    is_bad = not verified["good"] or any(one["state"] == "failed" for one in found)
    return value, lines, BAD_NEWS if is_bad else 0


def image_of(machine, version):
    """The arguments that describe the newest set of a version to predict-pcrs and pcrlock."""
    one = next((one for one in machine.store.sets() if one.version == version), None)
    if one is None:
        raise Refused(f"{version}: is not on the ESP: run kexec-efi add {version}")
    image = machine.store.image(one)
    entry = image.with_suffix("").with_name(f"{one.name}.conf")
    arguments = [f"--image={image}", f"--root={machine.esp.path}"]
    return arguments + ([f"--entry={entry}"] if entry.exists() else [])


def print_lines(lines):
    for line in lines:
        loader.say(line)
