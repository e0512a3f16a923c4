#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The examples of the README and of the man pages compile, link and run. Speaks TAP.

    examples.py SOURCE LIBRARY COMPILER [ARG...]

An example is a whole program, which has to end with 0. Others are marked by a comment on the line
before, `; example: WHAT` in a page, `<!-- example: WHAT -->` in the README, where WHAT is

    part                   functions without a main: compiled
    more                   belongs behind the example before it, and is compiled with that
    body of int f(int fd)  what stands in such a function: compiled
    text                   not C
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import done, ok  # noqa: E402

SOURCE, LIBRARY, COMPILER = sys.argv[1], sys.argv[2], sys.argv[3:]
MARK = re.compile(r"(?:; example: (.*)|<!-- example: (.*) -->)$")
PRELUDE = "".join(f"#include <{h}>\n" for h in (
    "quoit.h", "quoit_io.h", "quoit_numa.h", "errno.h", "fcntl.h", "stdio.h", "string.h",
    "sys/socket.h", "sys/stat.h", "sys/wait.h"))


def examples(path):
    """(line, mark, text) of each block of code."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    found, start = [], None
    for i, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if start is None:
            start = i
            continue
        before = next((b for b in reversed(lines[:start]) if b), "")
        mark = MARK.match(before)
        found.append((start + 1, (mark.group(1) or mark.group(2)) if mark else None,
                      "\n".join(lines[start + 1:i]) + "\n"))
        start = None
    return found


def as_shown(text, where):
    """What scdoc makes of it: it takes a backslash away."""
    lone = re.search(r"(?<!\\)(?:\\\\)*\\(?!\\).*", text)
    ok(lone is None, where + " doubles its backslashes", lone.group(0) if lone else "")
    return re.sub(r"\\(.)", r"\1", text)


def compiled(text, out, more, where):
    with open(out + ".c", "w", encoding="utf-8") as f:
        f.write("#define _GNU_SOURCE\n" + text)
    includes = ["-I" + os.path.join(SOURCE, d, "include") for d in ("sched", "uring", "numa")]
    p = subprocess.run([*COMPILER, "-Wall", "-Wextra", "-Werror", *includes, *more, "-o", out,
                        out + ".c"] + ([] if "-c" in more else [
                            LIBRARY, "-Wl,-rpath," + os.path.dirname(os.path.abspath(LIBRARY))]),
                       capture_output=True, text=True, check=False)
    return ok(p.returncode == 0, where + " compiles", p.stderr)


def look_at(mark, text, out, where):
    if mark is None:
        if not ok(re.search(r"^int main\(", text, re.M) is not None,
                  where + " is a program, or says what it is"):
            return
        if compiled(text, out, [], where):
            try:
                p = subprocess.run([out], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                   timeout=60, cwd=os.path.dirname(out), check=False)
                ok(p.returncode == 0, where + " runs", f"{p.returncode}\n{p.stdout}{p.stderr}")
            except subprocess.TimeoutExpired:
                ok(False, where + " ends")
    elif mark == "part":
        compiled(text, out, ["-c"], where)
    elif mark.startswith("body of "):
        compiled(f"{PRELUDE}{mark[8:]};\n{mark[8:]}\n{{\n{text}return 0;\n}}\n", out,
                 ["-c", "-Wno-unused"], where)
    else:
        ok(mark == "text", where + " has a mark that is known", mark)


def main():
    top = tempfile.mkdtemp(prefix="quoit-examples.")
    pages = sorted(glob.glob(os.path.join(SOURCE, "Documentation", "man", "*.scd")))
    try:
        for path in [os.path.join(SOURCE, "README.md"), *pages]:
            joined = []
            for line, mark, text in examples(path):
                where = f"{os.path.basename(path)}:{line}"
                if path.endswith(".scd"):
                    text = as_shown(text, where)
                if mark == "more":
                    joined[-1][2] += text
                else:
                    joined.append([where, mark, text])
            for where, mark, text in joined:
                look_at(mark, text, os.path.join(top, where.replace(":", "-")), where)
    finally:
        shutil.rmtree(top, ignore_errors=True)
    done()


main()
