#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Stairs go down only: who may include what, and in which order.

  * a file of a floor includes its own floor and those below;
  * what stands in an include/ folder includes public headers and the system, nothing else;
  * tools include their own folder, public headers, and facts (arch/, numa/, uring/probe.h), no
    scheduler;
  * each outside library has one door;
  * a .c file of a floor includes in blocks, a blank line between: its own header, lower floors,
    its own floor, the system.
"""
import os
import re

import tree

# header: the files that may include it
DOORS = {
    'hwloc.h': ('numa/topo.c', 'numa/topo.h'),
    'numa.h': ('numa/mem.c',),
    'numaif.h': ('numa/mem.c',),
    'liburing.h': ('uring/ring.c', 'uring/ring.h', 'uring/probe.c'),
}
# What tools may include all the same: only about the machine; what the library hands to one.
FACTS = (os.path.join('uring', 'probe.h'), os.path.join('sched', 'profile_format.h'))
INCLUDE = re.compile(r'\s*#\s*include\s+(["<])([^">]+)[">]')
CONDITION = re.compile(r'\s*#\s*(if|ifdef|ifndef|endif)\b')
BLOCKS = ['its own header', 'a lower floor', 'its own floor', 'the system']


def floor_of(path):
    top = path.split(os.sep)[0]
    return tree.FLOORS.index(top) if top in tree.FLOORS else None


def is_public(path):
    return os.sep + 'include' + os.sep in path


def known_headers(root):
    """Name -> paths: several, as each cpu has headers of the same name."""
    headers = {}
    for path in tree.files(root, tree.FLOORS, '.h'):
        headers.setdefault(os.path.basename(path), []).append(path)
    return headers


def check_one(root, path, line, kind, name, headers, out):
    """May this file include that one? Complains if not."""
    mine, found = floor_of(path), headers.get(name, [])
    doors = DOORS.get(name)
    if doors and mine is not None and path not in doors:
        out.add(path, line, f'<{name}> is included by {" and ".join(doors)} only')
    if kind == '<':
        if found:
            out.add(path, line, f'"{name}" is ours: write it in quotes')
        return
    beside = os.path.exists(os.path.join(root, os.path.dirname(path), name))
    if is_public(path):
        if not any(is_public(h) for h in found):
            out.add(path, line, f'a public header includes "{name}", which is not installed')
    elif mine is None:
        if found and not beside and not any(
                is_public(h) or floor_of(h) < 2 or h in FACTS for h in found):
            out.add(path, line, f'a tool includes "{name}", which is private')
    elif not found and not beside:
        out.add(path, line, f'"{name}" stands on no floor')
    elif found and min(floor_of(h) for h in found) > mine:
        out.add(path, line, f'"{name}" is above: {tree.FLOORS[mine]} may not know of it')


def block_of(path, kind, name, headers):
    if kind == '<':
        return 3
    if name == os.path.splitext(os.path.basename(path))[0] + '.h':
        return 0
    found = headers.get(name)
    return 1 if found and min(floor_of(h) for h in found) < floor_of(path) else 2


def check_order(path, includes, lines, headers, out):
    last, last_line = -1, 0
    for line, kind, name in includes:
        block = block_of(path, kind, name, headers)
        if block < last:
            out.add(path, line, f'{BLOCKS[block]} ({name}) comes before {BLOCKS[last]}')
        elif last >= 0:
            apart = any(not text.strip() for text in lines[last_line:line - 1])
            if block > last and not apart:
                out.add(path, line, f'a blank line is missing before {BLOCKS[block]} ({name})')
        last, last_line = max(block, last), line


def main():
    root = tree.arguments(__doc__)
    out, count = tree.Complaints(), 0
    headers = known_headers(root)
    for path in tree.files(root, tree.FLOORS + ['tools'], tree.CODE):
        count += 1
        includes, depth = [], 0
        lines = tree.read(root, path).splitlines()
        for number, text in enumerate(lines, 1):
            condition = CONDITION.match(text)
            if condition:
                depth += -1 if condition.group(1) == 'endif' else 1
            match = INCLUDE.match(text)
            if match:
                check_one(root, path, number, match.group(1), match.group(2), headers, out)
                if depth == 0:
                    includes.append((number, match.group(1), match.group(2)))
        if floor_of(path) is not None and path.endswith('.c'):
            check_order(path, includes, lines, headers, out)
    out.exit(count, 'files')


main()
