# SPDX-License-Identifier: BSD-2-Clause
"""The section .sbat, by which shim revokes images (github.com/rhboot/shim: SBAT.md, csv.c and sbat.c)."""

import re

import loader

FIELDS = ("component", "generation", "vendor", "package", "version", "url")

# Shim keeps a generation in 16 bits.
GENERATION_MAX = 65535


def check_line(line):
    """Returns the component of a line. Ends the program if shim would misread the line: shim knows no quotes, and stops
    at an empty field."""
    fields = line.split(",")
    if len(fields) != len(FIELDS):
        loader.fail(f"sbat: {line}: expected {len(FIELDS)} fields ({','.join(FIELDS)}), found {len(fields)}")
    for name, field in zip(FIELDS, fields):
        if not re.fullmatch(r"[!-~]([ -~]*[!-~])?", field):
            loader.fail(f"sbat: {line}: {name}: expected ASCII without a blank at either end, found \"{field}\"")
    if not re.fullmatch("[1-9][0-9]{0,4}", fields[1]) or int(fields[1]) > GENERATION_MAX:
        loader.fail(f"sbat: {line}: generation: expected a number from 1 to {GENERATION_MAX}, found \"{fields[1]}\"")
    return fields[0]


def with_lines(present, lines):
    """The content of a .sbat with more lines."""
    components = [line.split(b",")[0].decode("ascii", "replace") for line in present.split(b"\n")]
    if components[0] != "sbat":
        loader.fail(f"the image's .sbat: expected a first line for the component sbat, found one for {components[0]}")
    added = [line.rstrip("\r") for line in lines.split("\n") if line.rstrip("\r")]
    if not added:
        loader.fail("sbat: expected at least one line, found none")
    for line in added:
        component = check_line(line)
        if component in components:
            loader.fail(f"sbat: {line}: expected a component of your own, found {component}, which is there already")
        components.append(component)
    return present.rstrip(b"\0\n") + b"\n" + "".join(f"{line}\n" for line in added).encode()


def check(content):
    """Checks an image's .sbat as it is in the file. Shim reads lines until the first zero byte."""
    lines = content.rstrip(b"\0").decode("ascii", "replace").split("\n")
    if lines.pop() != "" or not lines:
        loader.fail("sbat: expected lines, each with a line end, found one without")
    components = [check_line(line) for line in lines]
    if components[0] != "sbat":
        loader.fail(f"sbat: expected a first line for the component sbat, found one for {components[0]}")
    for component in components:
        if components.count(component) > 1:
            loader.fail(f"sbat: expected one line for the component {component}, found {components.count(component)}")
