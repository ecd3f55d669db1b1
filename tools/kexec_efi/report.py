# SPDX-License-Identifier: BSD-2-Clause
"""What a machine is like, as a dict that is printed as JSON, or as lines for people."""

import loader

from . import loader_words
from .configuration import FIRMWARE
from .errors import BAD_NEWS, Refused


def sets(machine):
    """What is on the ESP or in the menu, the newest first."""
    store, menu, record = machine.store, machine.menu, machine.record
    running = menu.running()
    found = []
    for one in sorted({*store.sets(), *menu.named()}, key=lambda one: one.key, reverse=True):
        state, why = menu.state(one, record, machine.system.boot_id)
        found.append({"version": one.version, "name": one.name, "state": state, "why": why, "running": one == running,
                      "tries": record.sets.get(one.name, {}).get("tries", 0)})
    return found


def listing(machine):
    """The kernels, without a look into their files."""
    found = sets(machine)
    lines = [f"{'*' if one['running'] else ' '} {one['version']:<28} {one['state']:<8} {one['why']}" for one in found]
    return {"sets": found}, lines or ["nothing is there"], 0


def verification(machine):
    """Each set, by the loader's own judgement."""
    results, lines = [], []
    for one in sorted({*machine.store.sets(), *machine.menu.named()}, key=lambda one: one.key, reverse=True):
        damage = machine.damage(one)
        results.append({"version": one.version, "name": one.name, "good": damage is None, "damage": damage})
        lines.append(f"{one.name}: {damage or 'good'}")
    is_good = all(result["good"] for result in results)
    return {"sets": results, "good": is_good}, lines or ["nothing is there"], 0 if is_good else BAD_NEWS


def status(machine):
    """What the machine boots, and what became of what was tried."""
    configuration, menu = machine.configuration, machine.menu
    log = loader_words.log(machine.variables)
    note = loader_words.note(machine.variables)
    found = sets(machine)
    verified, _, _ = verification(machine)
    damage = {result["name"]: result["damage"] for result in verified["sets"] if result["damage"]}
    for one in found:
        one["damage"] = damage.get(one["name"])
    value = {
        "installed": machine.record.is_installed, "mode": configuration.mode, "menu": menu.name, "esp": str(machine.esp.path),
        "partition": machine.esp.partition.uuid, "folder": machine.store.place,
        "loader": machine.loader_text("LoaderInfo") or None, "secure_boot": machine.has_secure_boot, "sets": found,
        "warnings": loader_words.warnings(log), "note": note,
    }
    lines = [
        f"       Set up: {'yes' if value['installed'] else 'no (kexec-efi install)'}",
        f"         Mode: {value['mode']}, entries of {'the firmware' if menu.name == FIRMWARE else menu.name}",
        f"          ESP: {value['esp']} (PARTUUID {value['partition']}), {value['folder']}",
        f"   Started by: {value['loader'] or 'nobody knows'}",
        f"  Secure Boot: {'on' if value['secure_boot'] else 'off'}",
    ]
    for one in found:
        mark = "*" if one["running"] else " "
        lines.append(f"{mark}      {one['state']:>6}: {one['name']}: {one['why']}")
        if one["damage"]:
            lines.append(f"       damaged: {one['damage']}")
    lines += [f"    The loader: {line}" for line in value["warnings"]]
    lines += [f"      The note: {note}"] if note else []
    is_bad = bool(damage) or any(one["state"] == "failed" for one in found)
    return value, lines, BAD_NEWS if is_bad else 0


def image_of(machine, version):
    """The arguments by which predict-pcrs and pcrlock know the newest set of a version."""
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
