# SPDX-License-Identifier: BSD-3-Clause
"""What the lints share: which files there are, which floor each stands on, how to complain."""
import argparse
import os
import re
import sys

FLOORS = ['arch', 'numa', 'sched', 'uring']
CODE = ('.c', '.h', '.S')
FOLDERS = FLOORS + ['tools', 'tests', 'Documentation', '.github', '.ci']


def arguments(doc):
    """The one option of each lint."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument('--root', default=os.path.join(os.path.dirname(__file__), '..', '..'),
                        help='the checkout, or a made-up one')
    return os.path.normpath(parser.parse_args().root)


def files(root, folders, endings=None):
    """Paths under root, sorted; made-up folders may lack some."""
    for folder in folders:
        for here, dirs, names in os.walk(os.path.join(root, folder)):
            dirs[:] = sorted(d for d in dirs if d not in ('__pycache__', 'build', '.git'))
            for name in sorted(names):
                if endings is None or name.endswith(endings):
                    yield os.path.relpath(os.path.join(here, name), root)


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8', errors='replace', newline='') as f:
        return f.read()


def without_comments(text):
    """The same text with comments and strings blanked out, so that lines keep their numbers."""
    def blank(match):
        return re.sub(r'[^\n]', ' ', match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


class Complaints:
    """Collects them, prints them in order, and makes the exit status of them."""

    def __init__(self):
        self.lines = []

    def add(self, path, line, text):
        self.lines.append((path, line, text))

    def exit(self, looked_at, what):
        for path, line, text in sorted(self.lines):
            print(f'{path}:{line}: {text}')
        print(f'{len(self.lines)} complaints, {looked_at} {what} looked at')
        sys.exit(1 if self.lines else 0)
