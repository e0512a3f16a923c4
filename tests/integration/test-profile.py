#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Profiles as their readers meet them. Speaks TAP.

    test-profile.py PROFILED LIBQUOIT_PPROF [--late]

What ASan puts in the way of dlopen does not know where the caller would look, so the loader is told
where the library is. The file is read here by hand, and by pprof where Go is installed.
"""

import gzip
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import done, ok, skip  # noqa: E402

PROFILED = sys.argv[1]
LATE = "--late" in sys.argv
os.environ["LD_LIBRARY_PATH"] = ":".join(
    [os.path.dirname(os.path.abspath(sys.argv[2])), os.environ.get("LD_LIBRARY_PATH", "")])


# ---- the format --------------------------------------------------------------------------------

def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Number and value of each field of a message: int, or bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            raise ValueError("a field of type %d" % (key & 7))
        yield key >> 3, value


def message(data):
    found = {}
    for number, value in fields(data):
        found.setdefault(number, []).append(value)
    return found


def numbers(values):
    """Of a repeated number: packed, or one by one."""
    out = []
    for v in values:
        if isinstance(v, int):
            out.append(v)
            continue
        at = 0
        while at < len(v):
            n, at = varint(v, at)
            out.append(n)
    return out


def read(path):
    """Samples as (innermost function, all functions, count, ns, labels), and the message."""
    with gzip.open(path) as f:
        p = message(f.read())
    strings = [s.decode() for s in p[6]]
    names = {}
    for f in map(message, p.get(5, [])):
        names[f[1][0]] = strings[f[2][0]]
    at = {}
    for loc in map(message, p.get(4, [])):
        lines = [message(line) for line in loc.get(4, [])]
        at[loc[1][0]] = names[lines[0][1][0]] if lines else "?"
    samples = []
    for s in map(message, p.get(2, [])):
        stack = [at[i] for i in numbers(s[1])]
        count, ns = numbers(s[2])
        labels = {strings[l[1][0]]: strings[l[2][0]] for l in map(message, s.get(3, []))}
        samples.append((stack[0], stack, count, ns, labels))
    return samples, p, strings


# ---- tests -------------------------------------------------------------------------------------

def run(*args, env=None):
    return subprocess.run([PROFILED, *args], env={**os.environ, **(env or {})},
                          capture_output=True, text=True, timeout=60)


def share(samples, name):
    """Of what heavy() and light() used together, in percent."""
    used = {f: sum(s[3] for s in samples if f in s[1]) for f in ("heavy", "light")}
    return 100 * used[name] / max(1, sum(used.values()))


def three_to_one(path):
    done = run(path, "1000", "3")
    if not ok(done.returncode == 0, "a profile is taken", done.stderr):
        return
    samples, p, strings = read(path)
    heavy = share(samples, "heavy")
    ok(70 <= heavy <= 80, "heavy() used three times as much as light()", "%.1f %%" % heavy)
    cpu = sum(s[3] for s in samples)
    # A machine that is busy gives less than two cores.
    ok(0.3e9 < cpu < 6.6e9, "about as much cpu time as there was", cpu)
    worked = [s for s in samples if s[0] in ("heavy", "light")]
    ok(all(s[3] == s[2] * 1000000 for s in samples), "each stands for its period")
    if LATE:
        skip("who called is seen too", "TSan calls handlers later, when the stack has changed")
    else:
        ok(all("work" in s[1] for s in worked), "who called is seen too", worked[:1])
    ok(all(s[4].get("goroutine") == "worker" and s[4].get("created by") == "compute" and
           s[4].get("in") == "goroutine" for s in worked),
       "who ran, and who made it", worked[:1])
    ok(all("body" not in s[1] for s in worked), "a stack ends where its goroutine began")
    ok([tuple(strings[message(k)[i][0]] for i in (1, 2)) for k in p[1]] ==
       [("samples", "count"), ("cpu", "nanoseconds")], "what is counted")
    ok(any(os.path.basename(strings[message(m)[5][0]]) == "profiled" for m in p[3]),
       "the program is among what is mapped")


def by_environment(path):
    done = run(env={"QUOIT_CPUPROFILE": path})
    samples, _, _ = read(path)
    ok(done.returncode == 0 and sum(s[2] for s in samples) >= 20 and
       any(s[0] == "heavy" for s in samples), "QUOIT_CPUPROFILE takes one of the whole run",
       done.stderr, samples)
    done = run(env={"QUOIT_CPUPROFILE": "/nonexistent/file"})
    ok(done.returncode == 0 and "ENOENT" in done.stderr and "/nonexistent/file" in done.stderr,
       "a file that cannot be made is a warning", done.stderr)
    done = run(path + ".own", "0", "0.2", env={"QUOIT_CPUPROFILE": path})
    ok("busy" in done.stderr.lower(), "only one at a time", done.stderr)


MISUSE = """stop EINVAL
too-often EINVAL
below-zero EINVAL
closed EBADF
read-only EBADF
start 0
again EBUSY
stop 0
start 0
full ENOSPC
start 0
"""


def misuse():
    done = run("misuse")
    ok(done.stdout == "not-running ESHUTDOWN\n" + 2 * MISUSE and done.returncode == 0,
       "what is refused, and why", done.stdout, done.stderr)


def by_pprof(path):
    if shutil.which("go") is None:
        skip("go tool pprof", "Go is not installed")
        return
    done = subprocess.run(["go", "tool", "pprof", "-top", path], capture_output=True, text=True,
                          env={**os.environ, "HOME": os.path.dirname(path)}, timeout=60)
    top = [line.split()[-1] for line in done.stdout.splitlines() if "%" in line and "s " in line]
    ok("heavy" in top[:2], "go tool pprof -top names the hot function", done.stdout, done.stderr)


with tempfile.TemporaryDirectory() as scratch:
    profile = os.path.join(scratch, "cpu.pb.gz")
    three_to_one(profile)
    by_pprof(profile)
    by_environment(profile)
    misuse()
done()
