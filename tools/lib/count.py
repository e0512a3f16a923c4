#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""count.py LOG [NAME]: what a run of `meson test` came to.

Reads meson's testlog.json (one object a line). Says on stderr what failed and what was skipped,
with the reason; prints `PASSED FAILED SKIPPED` on stdout. No log is one failure.
"""
import json
import re
import sys

PASSED = {'OK', 'EXPECTEDFAIL'}
SKIPPED = {'SKIP', 'IGNORED'}


def reason(test):
    """Why a test was skipped: what TAP says in the plan, or the first line a script printed."""
    text = (test.get('stdout') or '') + (test.get('stderr') or '')
    found = re.search(r'^1\.\.0\s*#\s*skip\S*\s*(.*)$', text, re.I | re.M)
    if not found:
        found = re.search(r'^ok\b.*#\s*skip\S*\s*(.*)$', text, re.I | re.M)
    if found:
        return found.group(1)
    lines = text.strip().splitlines()
    return lines[0] if lines else 'no reason given'


def tail(test):
    """The checks that failed, with the remarks behind them, and the end of what went to stderr."""
    lines, keep = [], False
    for line in (test.get('stdout') or '').splitlines():
        keep = line.startswith(('not ok', 'Bail out!')) or keep and line.startswith('#')
        if keep:
            lines.append(line)
    if not lines:
        lines = (test.get('stdout') or '').splitlines()[-10:]
    return lines[:20] + (test.get('stderr') or '').strip().splitlines()[-20:]


def count(path, where):
    passed = failed = skipped = 0
    try:
        with open(path, encoding='utf-8', errors='replace') as log:
            tests = [json.loads(line) for line in log if line.strip()]
    except (OSError, ValueError) as err:
        print(f'{where}: no result to be read: {err}', file=sys.stderr)
        return 0, 1, 0
    for test in tests:
        name, result = test['name'], test['result']
        if result in PASSED:
            passed += 1
        elif result in SKIPPED:
            skipped += 1
            print(f'{where}: {name}: skipped: {reason(test)}', file=sys.stderr)
        else:
            failed += 1
            print(f'{where}: {name}: {result}', file=sys.stderr)
            for line in tail(test):
                print('    ' + line, file=sys.stderr)
    if not tests:
        print(f'{where}: not one test was run', file=sys.stderr)
        failed += 1
    return passed, failed, skipped


if __name__ == '__main__':
    print(*count(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else sys.argv[1]))
