# SPDX-License-Identifier: BSD-2-Clause
"""A boot, described by files: our image, the plan that it boots, and the folder of the plan's files."""

import argparse
import re

import loader
import measured
import sidecars


def _number_of_entry(text):
    if not re.fullmatch("[1-9][0-9]{0,3}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, found {text}")
    return int(text)


def add_arguments(parser):
    """Adds the options that describe a boot."""
    parser.add_argument("--image", required=True)
    parser.add_argument("--entry")
    parser.add_argument("--root", default=".")
    parser.add_argument("--load-options", default="", metavar="TEXT")
    parser.add_argument("--sealed-entry", type=_number_of_entry, metavar="N",
                        help="the number of an entry sealed in the image, from 1 on")


class Boot:
    """A boot by the plan `plan`. Ends the program unless the loader would boot it."""

    def __init__(self, options):
        self.image = loader.Image(options.image, loader.read(options.image), options.load_options, options.sealed_entry or 1)
        self._path = options.image
        self._root = options.root
        self._contents = {}
        self.plan = self._find_plan(options)
        loader.expect_plan(self.plan, self.read)
        self._warn_of_others(options)

    def _find_plan(self, options):
        if self.image.plan:
            if options.entry is not None:
                loader.fail(f"{options.image} boots what is sealed in it: leave the entry out")
            return self.image.plan
        if options.sealed_entry is not None:
            loader.fail(f"{options.image}: expected entries that are sealed in it, for --sealed-entry, found none")
        given = loader.LoadOptions(options.load_options)
        if options.entry is not None and (given.plan or given.entry):
            loader.fail(f'load options: "{options.load_options}" name what is booted: leave the entry out')
        if given.plan:
            return given.plan
        path = loader.file_below(options.root, given.entry) if given.entry else options.entry
        if path is None:
            loader.fail("expected --entry, an entry in load options, or something sealed in the image, found none of them")
        return loader.entry(path, loader.read(path), more=given.lines)

    def _warn_of_others(self, options):
        """Warns if another entry may boot instead of this one, because its values differ."""
        if self.image.entries > 1 and options.sealed_entry is None:
            loader.warn(f"{options.image}: values of the first of {self.image.entries} sealed entries; --sealed-entry=2 for "
                        "the next")
        if self.plan["fallback"]:
            fallback = loader.path_of({"name": self.plan["fallback"]})
            loader.warn(f"note: if this entry is refused, {fallback} boots; predict its registers with --entry")

    def read(self, part):
        """The content of a part of the plan. A file is read once, so each call returns the same bytes."""
        name = part["source"], part["name"]
        if name not in self._contents:
            self._contents[name] = loader.part_content(part, self._root, self.image)
        return self._contents[name]

    def _sidecars(self, loaded):
        """The sidecars of a unified image. A kernel sealed by a digest takes only addons, and only with Secure Boot on:
        they are left out here."""
        unified = self.image.unified or loaded.unified
        kernel = self.plan["kernel"]
        if not unified:
            return sidecars.Sidecars()
        path = self._path if self.image.unified else loader.file_below(self._root, kernel)
        if kernel["trust"] == "digest":
            if sidecars.has_addons(path, self._root):
                loader.warn(f"note: with Secure Boot on, verified addons add to {path}; these values are without them")
            return sidecars.Sidecars()
        return sidecars.Sidecars(path, self._root, unified.sections.get(".uname"))

    def events(self):
        """The events from our image on."""
        loaded = loader.Loaded(self.plan, self.read(self.plan["kernel"]))
        return measured.events(self.image, self.plan, loaded, self.read, self._sidecars(loaded))
