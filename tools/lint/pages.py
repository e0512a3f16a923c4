#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Each public function and each tool has a man page, and each page is built.

A function may share a page: then it stands in the NAME line of that page, which begins the section.
A name that ends in _ is not for programs, and has none.
"""
import os
import re

import tree

MAP = os.path.join('sched', 'quoit.map')
PAGES = os.path.join('Documentation', 'man')
BUILD = os.path.join('Documentation', 'meson.build')


def names_of(text):
    """What the NAME section of a page lists in front of its dash."""
    match = re.search(r'^# NAME\s*\n+(.*?) - ', text, re.M | re.S)
    return re.findall(r'[\w-]+', match.group(1)) if match else []


def main():
    root = tree.arguments(__doc__)
    out = tree.Complaints()
    build = tree.read(root, BUILD)
    described, pages = set(), list(tree.files(root, [PAGES], '.scd'))
    for page in pages:
        name, section = os.path.basename(page).split('.')[:2]
        names = names_of(tree.read(root, page))
        described.update(names)
        if name not in names:
            out.add(page, 1, f'its NAME does not say {name}')
        if section not in '137':
            out.add(page, 1, f'section {section} is none of 1, 3 and 7')
        if f'man/{os.path.basename(page)}' not in build:
            out.add(page, 1, f'is not listed in {BUILD}')
    for number, line in enumerate(tree.read(root, MAP).splitlines(), 1):
        match = re.match(r'\s*(quoit_\w*[a-z0-9]);', line)
        if match and match.group(1) not in described:
            out.add(MAP, number, f'{match.group(1)} has no man page')
    out.exit(len(pages), 'pages')


main()
