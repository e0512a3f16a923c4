#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a machine can say about style: licence line, lengths, tabs, trailing blanks, words.

A function of more than 60 lines needs a comment right above that says why it is long, with that
word.
"""
import os
import re

import tree

COLUMNS, FUNCTION_LINES, FILE_LINES = 100, 60, 500
SPDX = 'SPDX-License-Identifier: BSD-3-Clause'
TOP = ['meson.build', 'meson_options.txt', 'README.md', 'CONTRIBUTING.md', '.clang-format',
       '.editorconfig', '.gitignore']
DATA = ('.xml', '.json', '.txt', '.md', '.scd', '.in', 'README')
# Spelt so that this file does not complain of itself.
WORDS = [
    (re.compile(r'\b(TO' + r'DO|FIX' + r'ME|XX' + r'X)\b'), 'is no way to keep notes'),
    (re.compile(r'\bCopy' + r'right\b', re.I), 'belongs into LICENSE only'),
    (re.compile(r'(?<![\w.])/(home|root)/\w'), 'is a path of one machine'),
]
ORDERS = re.compile(r'\b(memory_or' + r'der_\w+|__ATOM' + r'IC_\w+)')


def is_script(text):
    return text.startswith('#!')


def check_lines(path, lines, code, out):
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            out.add(path, number, 'blanks at the end of the line')
        if code and len(line) > COLUMNS:
            out.add(path, number, f'{len(line)} columns, {COLUMNS} at most')
        if code and '\t' in line:
            out.add(path, number, 'a tab')
        for word, why in WORDS:
            match = word.search(line)
            if match:
                out.add(path, number, f'"{match.group(0)}" {why}')


def check_functions(path, lines, out):
    start = None
    for number, line in enumerate(lines, 1):
        if line == '{':
            start = number
        elif line.startswith('}') and start:
            length = number - start - 1
            if length > FUNCTION_LINES and not says_why(lines, start - 1):
                out.add(path, start, f'a function of {length} lines; over {FUNCTION_LINES} a '
                                     'comment above says why it is long')
            start = None


def says_why(lines, brace):
    """Does the comment above the function whose brace is at index `brace` say that it is long?"""
    at = brace - 1
    while at > 0 and lines[at].strip() and not lines[at].rstrip().endswith('*/'):
        at -= 1
    comment = ''
    while at >= 0 and lines[at].strip():
        comment = lines[at] + '\n' + comment
        if lines[at].lstrip().startswith('/*'):
            break
        at -= 1
    return re.search(r'\blong\b', comment) is not None


def check(root, path, out):
    text = tree.read(root, path)
    lines = text.split('\n')
    c_code = path.endswith(tree.CODE)
    data = path.endswith(DATA) and os.path.basename(path) != 'meson_options.txt'
    code = not data
    if code and SPDX not in '\n'.join(lines[:3]):
        out.add(path, 1, f'the first line is not "{SPDX}"')
    if text and not text.endswith('\n'):
        out.add(path, len(lines), 'no newline at the end of the file')
    check_lines(path, lines, code, out)
    if c_code:
        if len(lines) - 1 > FILE_LINES:
            out.add(path, FILE_LINES, f'{len(lines) - 1} lines, {FILE_LINES} at most: two files?')
        check_functions(path, lines, out)
        # Nor can a public header see that.
        if (path.split(os.sep)[0] in tree.FLOORS and path != os.path.join('arch', 'atomic.h')
                and os.path.basename(os.path.dirname(path)) != 'include'):
            for number, line in enumerate(tree.without_comments(text).split('\n'), 1):
                match = ORDERS.search(line)
                if match:
                    out.add(path, number, f'{match.group(0)} is spelt in arch/atomic.h only')


def main():
    root = tree.arguments(__doc__)
    out, count = tree.Complaints(), 0
    paths = [p for p in TOP if os.path.exists(os.path.join(root, p))]
    for path in paths + list(tree.files(root, tree.FOLDERS)):
        if path.endswith(('.png', '.svg', '.gz', '.xz', '.pyc')):
            continue
        check(root, path, out)
        count += 1
    out.exit(count, 'files')


main()
