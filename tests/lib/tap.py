# SPDX-License-Identifier: BSD-3-Clause
"""TAP for tests in Python, as tap.h is for those in C.

What is checked follows a dash: without it a reader takes a number at its beginning for that of the
check.
"""

import sys

MOST = 20000  # letters that are said of one failure

checks = 0
failed = 0


def ok(held, what, *more):
    global checks, failed
    checks += 1
    failed += not held
    print(("ok - " if held else "not ok - ") + what, flush=True)
    if not held:
        for line in "\n".join(str(m) for m in more)[:MOST].splitlines():
            print("# " + line, flush=True)
    return held


def skip(what, why):
    global checks
    checks += 1
    print(f"ok - {what} # SKIP {why}", flush=True)


def skip_all(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def done():
    """The end of the program."""
    print(f"1..{checks}")
    sys.exit(failed > 0)
