#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every ordered access names its edge, and every edge has two ends, a row and a broken twin.

In sched, uring and numa each acquire, release and full access of atomic.h needs a comment
right above its statement with `order NAME in|out|full: why`. NAME needs both ends (in and out,
or full on two sides), a row in Documentation/memory-order.md, and in that row a file of
tests/model/broken/.
"""
import os
import re

import tree

ACCESS = re.compile(r'\b(?:load|store|xchg|cas|add|or|and)_(acquire|release|acq_rel|full)\s*\('
                    r'|\bfence_(full)\s*\(')
MARK = re.compile(r'\border ([A-Z][A-Z0-9-]*) (in|out|full)\b')
ENDED = re.compile(r'[;{}:]\s*\\?$')
FITS = {'acquire': {'in', 'full'}, 'release': {'out', 'full'}, 'acq_rel': {'in', 'out', 'full'},
        'full': {'in', 'out', 'full'}}
TABLE = os.path.join('Documentation', 'memory-order.md')
TWINS = os.path.join('tests', 'model', 'broken')


def comment_above(lines, code, at):
    """The comment directly above the statement that holds line `at` (counted from 0), or ''."""
    start = at
    while start > 0 and code[start - 1].strip(' \\') and not ENDED.search(code[start - 1]):
        start -= 1
    above = start - 1
    if start == 0 or code[above].strip(' \\') or not lines[above].rstrip(' \\').endswith('*/'):
        return ''
    end = start
    while start > 0 and not lines[start - 1].lstrip().startswith('/*'):
        start -= 1
    return '\n'.join(lines[max(start - 1, 0):end])


def look_at(root, path, edges, out):
    text = tree.read(root, path)
    lines, code = text.splitlines(), tree.without_comments(text).splitlines()
    accesses = 0
    for at, line in enumerate(code):
        for match in ACCESS.finditer(line):
            accesses += 1
            kind = match.group(1) or match.group(2)
            marks = MARK.findall(comment_above(lines, code, at))
            if not marks:
                out.add(path, at + 1, f'{match.group(0)[:-1]} has no `order NAME ...` above it')
            elif not any(end in FITS[kind] for _, end in marks):
                ends = '/'.join(end for _, end in marks)
                out.add(path, at + 1, f'{match.group(0)[:-1]} is marked {ends}, which it is not')
    for at, line in enumerate(lines):
        for name, end in MARK.findall(line):
            edges.setdefault(name, []).append((end, path, at + 1))
    return accesses


def rows(root):
    """Edge -> (line, text of its row)."""
    found = {}
    if os.path.exists(os.path.join(root, TABLE)):
        for number, line in enumerate(tree.read(root, TABLE).splitlines(), 1):
            match = re.match(r'\|\s*`?([A-Z][A-Z0-9-]*)`?\s*\|', line)
            if match:
                found[match.group(1)] = (number, line)
    return found


def check_edges(root, edges, out):
    table = rows(root)
    for name, uses in edges.items():
        _, path, line = uses[0]
        ends = [end for end, _, _ in uses]
        if not ({'in', 'out'} <= set(ends) or len(ends) >= 2 and 'full' in ends):
            out.add(path, line, f'edge {name} has one end: {", ".join(ends)}')
        if name not in table:
            out.add(path, line, f'edge {name} has no row in {TABLE}')
    for name, (line, row) in table.items():
        if name not in edges:
            out.add(TABLE, line, f'edge {name} is nowhere in the code')
        twins = re.findall(r'[\w.-]+\.[ch]\b', row.rstrip('| ').split('|')[-1])
        if not twins:
            out.add(TABLE, line, f'edge {name} names no broken twin')
        for twin in twins:
            if not os.path.exists(os.path.join(root, TWINS, twin)):
                out.add(TABLE, line, f'edge {name}: {TWINS}/{twin} does not exist')


def main():
    root = tree.arguments(__doc__)
    out, edges, count = tree.Complaints(), {}, 0
    for path in tree.files(root, ['numa', 'sched', 'uring'], tree.CODE):
        count += look_at(root, path, edges, out)
    check_edges(root, edges, out)
    out.exit(count, 'ordered accesses')


main()
