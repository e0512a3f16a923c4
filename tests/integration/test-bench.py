#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""quoit-bench as its users meet it: options, files, terminals. Speaks TAP.

    test-bench.py QUOIT-BENCH [VANISH.SO]

Figures are not judged here. Runs are kept as short as they can be.
"""

import json
import os
import pty
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import done, ok, skip  # noqa: E402

BENCH = sys.argv[1]
VANISH = sys.argv[2] if len(sys.argv) > 2 else None
NOBODY = 65534
# Whether a process can find out what memory it uses; what measures that is left out if not.
TOLD = os.path.exists("/proc/self/status")

def run(*args, **kw):
    return subprocess.run([BENCH, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=120, **kw)


def run_json(top, *args, **kw):
    """One run of each; the process, and its JSON or None."""
    path = os.path.join(top, "out.json")
    p = run("--runs", "1", "--json", path, *args, **kw)
    try:
        with open(path, encoding="utf-8") as f:
            return p, json.load(f)
    except (OSError, ValueError):
        return p, None
    finally:
        if os.path.exists(path):
            os.unlink(path)


def write(*path, data=b"x"):
    name = os.path.join(*path)
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "wb") as f:
        f.write(data)


def rows(result, workload):
    return [r for r in result["results"] if r["workload"] == workload] if result else []


def test_list():
    p = run("--list")
    names = [line.split()[0] for line in p.stdout.splitlines() if line and ":" not in line[:30]]
    want = ["yield-2", "yield-1000", "spawn", "spawn-park", "pingpong", "mutex", "mutex-64",
            "forkjoin", "forkjoin-wg", "park", "queue", "wake", "timers", "timers-100k",
            "marked", "fairness", "block", "stopworld", "scan-hot", "scan-cold", "randread-hot",
            "randread-direct", "echo-64", "echo-1000", "echo-10000", "timers-overload", "seqread",
            "fsync", "pipeline", "iolatency", "iolatency-hog", "preempt-loop", "preempt-calls",
            "preempt-qsort", "preempt-memcpy", "preempt-malloc", "preempt-printf",
            "preempt-masked"]
    ok(p.returncode == 0, "--list succeeds", p.stderr)
    ok(set(want) <= set(names), "and names every workload", names)
    ok({"call", "switch", "getppid", "caspair", "touch"} <= set(names), "and every yardstick",
       names)


def test_bad_input(top):
    plain = os.path.join(top, "plain")
    write(plain)
    cases = [
        (["nosuch"], "--list"),
        ([top], "behind scan"),
        (["--runs", "0"], "--runs takes"),
        (["--runs", "3x"], "--runs takes"),
        (["--iterations", "-1"], "--iterations takes"),
        (["--procs", "1,,2"], "--procs takes"),
        (["--procs", "1025"], "--procs takes"),
        (["--peers", "java"], "quoit, pthread, epoll, uring"),
        (["--size", "0"], "--size takes"),
        (["--bogus"], "--help"),
        (["scan", plain], "directory"),
        (["--dir", os.path.join(top, "missing"), "scan"], "directory"),
        (["--json", os.path.join(top, "no", "such.json"), "mutex"], "cannot write"),
        (["--json", top, "mutex"], "cannot write"),
    ]
    for args, says in cases:
        p = run(*args)
        ok(p.returncode == 2 and says in p.stderr and not p.stdout,
           "refused: " + " ".join(args).replace(top, "DIR"), p.returncode, p.stdout, p.stderr)


def test_version():
    for option in "-V", "--version":
        p = run(option)
        ok(p.returncode == 0 and re.fullmatch(r"quoit-bench [0-9.]+\n", p.stdout),
           option + " says the version", p.returncode, p.stdout, p.stderr)


def test_bind(top):
    for asked, used in (None, "core"), ("", "core"), ("node", "node"), ("foo", "auto"):
        env = {k: v for k, v in os.environ.items() if k != "QUOIT_BIND"}
        if asked is not None:
            env["QUOIT_BIND"] = asked
        p, d = run_json(top, "--iterations", "1000", "--no-peers", "mutex", env=env)
        ok(d is not None and d["machine"]["bind"] == used and f"QUOIT_BIND={used};" in p.stdout,
           f"QUOIT_BIND={asked} is shown as {used}", p.stdout, p.stderr)


def test_json_shape(top):
    path = os.path.join(top, "shape.json")
    p = run("--runs", "3", "--iterations", "1000", "--json", path, "mutex", "pingpong")
    with open(path, encoding="utf-8") as f:
        d = json.load(f)
    ok(p.returncode == 0, "a small run succeeds", p.returncode, p.stderr)
    ok(list(d)[:2] == ["machine", "results"], "one object: the machine, then results", list(d))
    missing = {"cpu", "cores", "kernel", "call_ns", "io", "bind", "quoit"} - set(d["machine"])
    ok(not missing, "the machine is described", missing)
    ok(d["machine"]["call_ns"] > 0, "with what a call takes on it")
    need = {"workload", "peer", "procs", "unit", "median", "min", "max", "runs"}
    ok(all(need <= set(r) for r in d["results"]), "each result is whole", d["results"])
    ok(all(len(r["runs"]) == 3 for r in d["results"]), "and has all its runs")
    ok(all(abs(r["median"] - statistics.median(r["runs"])) <= 1e-6 * r["median"] and
           r["min"] == min(r["runs"]) and r["max"] == max(r["runs"]) for r in d["results"]),
       "median, least and most are those of the runs", d["results"])
    have = {(r["workload"], r["peer"]) for r in d["results"]}
    want = {("mutex", "quoit"), ("mutex", "pthread"), ("pingpong", "quoit"),
            ("pingpong", "pthread")} | {(y, "yardstick") for y in
                                        ("call", "switch", "getppid", "caspair", "touch")}
    ok(want == have, "the workloads, their peers and the yardsticks", want ^ have)
    keys = [(r["workload"], r["peer"], r["procs"]) for r in d["results"]]
    ok(len(keys) == len(set(keys)), "no row twice", keys)
    mode = os.stat(path).st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    ok(mode == 0o666 & ~mask, "the file has an ordinary mode", oct(mode))
    ok(not [n for n in os.listdir(top) if n.startswith("shape.json.")],
       "and nothing is left beside it")


def test_peers_and_procs(top):
    _, d = run_json(top, "--iterations", "1000", "--no-peers", "--procs", "1,2", "spawn")
    ok({r["peer"] for r in rows(d, "spawn")} == {"quoit"}, "--no-peers leaves Quoit")
    ok([r["procs"] for r in rows(d, "spawn")] == [1, 2], "--procs takes a list")
    _, d = run_json(top, "--iterations", "1000", "--peers", "pthread", "spawn", "forkjoin")
    ok({r["peer"] for r in rows(d, "spawn")} == {"pthread"}, "--peers chooses")
    ok(not rows(d, "forkjoin"), "and what no chosen peer can do has no row")
    _, d = run_json(top, "--iterations", "1000", "--procs", "2", "queue")
    if TOLD:
        ok([r["procs"] for r in rows(d, "queue-bytes")] == [1], "queue is measured on one P always")
    else:
        skip("queue is measured on one P always", "/proc is not mounted")


def test_every_workload(top):
    """All of them, small: none fails, each gives its rows."""
    want = {"yield-2", "yield-1000", "yield-2-mixed", "spawn", "spawn-park", "pingpong", "mutex",
            "mutex-64", "forkjoin", "forkjoin-wg", "park-create", "park-bytes", "park-ptbytes",
            "park-finish", "park-touch-ratio", "queue-bytes", "queue-spawn", "wake-idle-cpu",
            "fairness-p50", "fairness-p999", "fairness-max", "block-keep", "stopworld-p50",
            "stopworld-p99", "timers-overload-rate", "timers-overload-cpu", "marked"}
    for timers in ("timers", "timers-100k"):
        want |= {timers + end for end in ("-rate", "-p50", "-p99", "-p999", "-cpu")}
    names = ["yield", "spawn", "spawn-park", "pingpong", "mutex", "mutex-64", "forkjoin",
             "forkjoin-wg", "park", "queue", "wake-idle", "timers", "marked", "fairness", "block",
             "stopworld"]
    p, d = run_json(top, "--iterations", "2000", "--idle", "1", *names)
    ok(p.returncode == 0, "every workload runs", p.returncode, p.stdout, p.stderr)
    have = {r["workload"] for r in d["results"] if r["peer"] == "quoit"} if d else set()
    if not TOLD:
        want = {w for w in want if not w.startswith(("park-", "queue-"))}
        ok(d and {s["workload"] for s in d["skipped"]} == {"park", "queue"}, "but two left out",
           d and d["skipped"])
    ok(want == have, "and gives its rows", want ^ have)


def test_randread(top):
    p, d = run_json(top, "--iterations", "2000", "--data", top, "--size", "4", "randread")
    ok(p.returncode == 0, "randread runs", p.returncode, p.stdout, p.stderr)
    left_out = {s["workload"] for s in d["skipped"] if "peer" not in s} if d else set()
    rings = not [s for s in d["skipped"] if s.get("peer") == "uring"] if d else False
    for name in {"randread-hot", "randread-direct"} - left_out:
        for row in name, name + "-cpu", name + "-calls":
            peers = {r["peer"] for r in rows(d, row) if not r["peer"].startswith("quoit/")}
            want = {"quoit", "pthread"} | ({"uring", "uring-fixed"} if rings else set())
            ok(peers == want, f"{row} is told of Quoit and its peers", peers)
    ok("randread-hot" not in left_out, "from the page cache it can be had everywhere", left_out)
    ok(not [n for n in os.listdir(top) if n.startswith("quoit-bench.")], "the file is gone")
    p, d = run_json(top, "--data", os.path.join(top, "missing"), "randread")
    ok(p.returncode == 0 and len(d["skipped"]) == 2 and "--data" in p.stderr,
       "no file can be made: left out, and said how to help it", p.returncode, p.stderr)


def test_files(top):
    p, d = run_json(top, "--iterations", "40", "--data", top, "--size", "4", "seqread", "fsync",
                    "pipeline")
    ok(p.returncode == 0, "seqread, fsync and pipeline run", p.returncode, p.stdout, p.stderr)
    left_out = {s.get("peer", s["workload"]) for s in d["skipped"]} if d else set()
    for name, ends in (("seqread", ("", "-cpu", "-calls")), ("pipeline", ("", "-cpu")),
                       ("fsync", ("", "-p50", "-p99", "-cpu"))):
        want = {"quoit", "pthread", "uring"} | ({"uring-direct"} if name == "seqread" else set())
        for end in ends if name not in left_out else ():
            peers = {r["peer"] for r in rows(d, name + end) if "/" not in r["peer"]}
            ok(peers == want - left_out, f"{name}{end} of each peer", peers, left_out)


def test_iolatency(top):
    p, d = run_json(top, "--iterations", "200", "iolatency")
    ok(p.returncode == 0, "iolatency runs", p.returncode, p.stdout, p.stderr)
    for name, peers in (("iolatency", {"quoit", "epoll", "pthread"}),
                        ("iolatency-hog", {"quoit", "pthread"})):
        for end in "-p50", "-p99", "-p999":
            have = {r["peer"] for r in rows(d, name + end) if "/" not in r["peer"]}
            ok(have == peers, f"{name}{end} of each peer", have)


def test_preempt(top):
    p, d = run_json(top, "--iterations", "100", "--runs", "1", "preempt")
    ok(p.returncode == 0, "preempt runs", p.returncode, p.stdout, p.stderr)
    for kind in "loop", "calls", "qsort", "memcpy", "malloc", "printf", "masked":
        for end in "", "-worst":
            have = {r["peer"] for r in rows(d, f"preempt-{kind}{end}") if "/" not in r["peer"]}
            ok(have == {"quoit", "pthread"}, f"preempt-{kind}{end} of each peer", have)


def test_echo(top):
    p, d = run_json(top, "--iterations", "3000", "echo")
    ok(p.returncode == 0, "echo runs", p.returncode, p.stdout, p.stderr)
    left_out = {s["workload"] for s in d["skipped"]} if d else set()
    for conns in 64, 1000, 10000:
        name = f"echo-{conns}"
        if name in left_out:
            skip(name, [s["why"] for s in d["skipped"] if s["workload"] == name][0])
            continue
        want = {"quoit", "epoll", "uring", "uring-once"} | ({"pthread"} if conns < 10000 else set())
        for row in name, name + "-p50", name + "-p99", name + "-cpu", name + "-calls":
            r = {x["peer"]: x for x in rows(d, row)}
            ok({peer for peer in r if "/" not in peer} == want and
               all(x["median"] > 0 for x in r.values()), f"{row} of each server", r)
        r = {x["peer"]: x["median"] for x in rows(d, name + "-calls")}
        # With more connections the server is ahead of what the load has counted.
        ok(conns > 64 or 1.5 < r["epoll"] < 3, f"{name}: epoll takes two calls a request", r)


def test_echo_without_descriptors(top):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    p, d = run_json(top, "--iterations", "100", "echo-1000",
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500)))
    ok(p.returncode == 0 and d and [s["workload"] for s in d["skipped"]] == ["echo-1000"] and
       ("ulimit" in p.stderr or "cpu" in p.stderr), "too few descriptors: left out, and said",
       limits, p.returncode, p.stderr)


def test_ratio(top):
    p, d = run_json(top, "--runs", "3", "--iterations", "500", "--size", "1", "--data", top,
                    "--peers", "quoit,pthread", "--procs", "1", "randread-hot")
    r = {x["peer"]: x for x in rows(d, "randread-hot")}
    ok(set(r) == {"quoit", "pthread", "quoit/pthread"}, "a ratio stands beside its two", set(r))
    pairs = [a / b for a, b in zip(r["quoit"]["runs"], r["pthread"]["runs"])]
    ok(all(abs(a - b) < 1e-6 * a for a, b in zip(pairs, r["quoit/pthread"]["runs"])),
       "made pair by pair", pairs, r["quoit/pthread"])
    low, _, high = statistics.quantiles(pairs, n=4, method="inclusive")
    ok(abs(low - r["quoit/pthread"]["lower_quartile"]) < 1e-6 * low and
       abs(high - r["quoit/pthread"]["upper_quartile"]) < 1e-6 * high, "with its quartiles",
       low, high, r["quoit/pthread"])
    ok(f"quartiles {low:.3f} to {high:.3f}" in p.stdout, "in the table too", p.stdout)


def test_wake(top):
    p, d = run_json(top, "--iterations", "20", "wake")
    if len(os.sched_getaffinity(0)) < 2:
        ok(p.returncode == 0 and d["skipped"], "wake says that it needs two cpus", p.stderr)
        return
    ok(p.returncode == 0, "wake runs", p.returncode, p.stderr)
    ok({r["peer"] for r in rows(d, "wake-p99")} == {"quoit", "pthread"}, "for both peers")


def make_tree(top, name):
    tree = os.path.join(top, name)
    sizes = [0, 1, 100, 65535, 65536, 65537, 300000]
    for i, size in enumerate(sizes):
        write(tree, "sizes", str(size), data=bytes((i + j) % 251 for j in range(size)))
    for i in range(500):
        write(tree, "many", f"d{i % 7}", f"f{i}", data=b"%d" % i * (i % 50))
    return tree, 500 + len(sizes), sum(sizes) + sum(len(b"%d" % i * (i % 50)) for i in range(500))


def digests(d):
    return {r["digest"] for r in rows(d, "scan-hot")}


def test_scan(top):
    tree, files, size = make_tree(top, "tree")
    p, d = run_json(top, "scan", tree)
    r = rows(d, "scan-hot")
    ok(p.returncode == 0, "scan DIR succeeds", p.returncode, p.stdout, p.stderr)
    ok({x["peer"] for x in r} == {"quoit", "pthread"}, "both peers read it", r)
    ok({(x["files"], x["bytes"]) for x in r} == {(files, size)}, "all files and bytes of it", r)
    ok(len(digests(d)) == 1, "with one digest", digests(d))
    ok("digest" in p.stdout and str(files) in p.stdout, "and the table says so", p.stdout)

    copy = shutil.copytree(tree, os.path.join(top, "copy"))
    _, d2 = run_json(top, "--dir", copy, "--goroutines", "1", "scan")
    ok(digests(d) == digests(d2), "a copy has the same digest, with one reader too")
    os.rename(os.path.join(copy, "sizes", "100"), os.path.join(copy, "sizes", "101"))
    _, d2 = run_json(top, "scan", copy)
    ok(digests(d2) and digests(d) != digests(d2), "another name is another digest")
    os.rename(os.path.join(copy, "sizes", "101"), os.path.join(copy, "sizes", "100"))
    write(copy, "sizes", "1", data=b"?")
    _, d2 = run_json(top, "scan", copy)
    ok(digests(d2) and digests(d) != digests(d2), "another byte is another digest")


def test_scan_empty(top):
    empty = os.path.join(top, "empty")
    os.mkdir(empty)
    p, d = run_json(top, "scan", empty)
    ok(p.returncode == 0, "an empty tree is no failure", p.returncode, p.stderr)
    ok({r["files"] for r in rows(d, "scan-hot")} == {0}, "and has no files")
    ok("no regular file" in p.stderr, "which is said", p.stderr)


def test_scan_odd_things(top):
    odd = os.path.join(top, "odd")
    write(odd, "good", data=b"good")
    os.symlink(".", os.path.join(odd, "loop"))
    os.symlink("nowhere", os.path.join(odd, "dangling"))
    os.mkfifo(os.path.join(odd, "fifo"))
    os.mkdir(os.path.join(odd, "shut"))
    write(odd, "unreadable", data=b"no")
    os.chmod(os.path.join(odd, "unreadable"), 0)
    os.chmod(os.path.join(odd, "shut"), 0)
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    try:
        p = run("--list", **who)
        usable = p.returncode == 0
    except OSError as e:
        usable, p = False, e
    if not usable:
        skip("unreadable files", f"the program cannot be run as another user: {p}")
        return
    p = run("--runs", "1", "scan", odd, **who)
    ok(p.returncode == 0, "odd things are not fatal", p.returncode, p.stdout, p.stderr)
    for says in ["2 not followed (symbolic links): ",
                 "1 not opened (pipes, sockets, devices): fifo",
                 "2 not readable (permission denied): "]:
        ok(says in p.stderr, "counted and named: " + says, p.stderr)
    ok("unreadable" in p.stderr and "shut" in p.stderr, "unreadable files and directories both",
       p.stderr)
    os.chmod(os.path.join(odd, "shut"), 0o700)


def test_scan_vanishing(top):
    if not VANISH:
        skip("vanishing files", "nothing can be preloaded into a sanitizer build")
        return
    tree = os.path.join(top, "vanish")
    write(tree, "stays")
    write(tree, "vanishes")
    p = run("--runs", "1", "scan", tree, env={**os.environ, "LD_PRELOAD": VANISH})
    ok(p.returncode == 0, "a file that vanishes is not fatal", p.returncode, p.stdout, p.stderr)
    ok("1 vanished meanwhile: vanishes" in p.stderr, "but counted and named", p.stderr)


def test_cold(top):
    tree = os.path.join(top, "tree")
    p, d = run_json(top, "--cold", "--peers", "pthread", "scan", tree)
    how = {r.get("cold") for r in rows(d, "scan-cold")}
    ok(p.returncode == 0 and rows(d, "scan-hot"), "--cold adds to scan-hot", p.stderr)
    ok(len(how) == 1 and ("dropped" in next(iter(how))), "and says how the cache was dropped", how)


def test_failing_run(top):
    p, d = run_json(top, "--limit", "1", "--iterations", "1000000000000", "mutex")
    ok(p.returncode == 1, "a run that is over its limit gives exit code 1", p.returncode, p.stderr)
    ok("--limit" in p.stderr, "and says why", p.stderr)
    r = rows(d, "mutex")
    ok(r and all("error" in x and x["median"] is None for x in r), "it is a row with an error", r)
    ok(rows(d, "getppid") and "error" not in rows(d, "getppid")[0],
       "the others are there all the same")


def test_interrupted(top):
    path = os.path.join(top, "cut.json")
    args = ["--no-peers", "--limit", "0", "--iterations", "1000000000000", "--json", path, "mutex"]
    p = subprocess.Popen([BENCH, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in p.stdout:
        if line.startswith("touch"):
            break
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=60)
    ok(p.returncode == 130, "SIGINT ends it at once", p.returncode)
    with open(path, encoding="utf-8") as f:
        d = json.load(f)
    ok(d.get("interrupted") and rows(d, "call"), "and what was measured is kept", d)


def group_has(pgid, least):
    """Whether the process group comes to have so many members, or for 0 none."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        n = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                    state, _, group = f.read().rpartition(")")[2].split()[:3]
                n += int(group) == pgid and state not in "ZX"
            except OSError:
                pass
        if n >= least if least else n == 0:
            return True
        time.sleep(0.01)
    return False


def test_interrupted_load():
    """The load is a grandchild: it must not outlive the rest."""
    if not TOLD:
        skip("the load of echo", "/proc is not mounted")
        return
    p = subprocess.Popen([BENCH, "--no-peers", "--iterations", "1000000000", "echo-64"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         start_new_session=True)
    running = group_has(p.pid, 3)
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=60)
    if not running and "left out" in err:
        skip("the load of echo", err)
        return
    ok(running and p.returncode == 130, "SIGINT ends a server under load", running, p.returncode)
    ok(group_has(p.pid, 0), "and the load with it")


def test_old_file_stays(top):
    path = os.path.join(top, "old.json")
    write(path, data=b"old")
    run("--json", path, "nosuch")
    with open(path, "rb") as f:
        ok(f.read() == b"old", "bad input leaves an older file as it is")


def in_terminal(args, out_too):
    """What a terminal sees of stderr, and of stdout if out_too."""
    master, slave = pty.openpty()
    p = subprocess.Popen([BENCH, *args], stdin=subprocess.DEVNULL, stderr=slave,
                         stdout=slave if out_too else subprocess.PIPE,
                         env={**os.environ, "TERM": "xterm"})
    os.close(slave)
    seen = b""
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:
            break
        if not more:
            break
        seen += more
    p.communicate()
    os.close(master)
    return p.returncode, seen


def test_progress():
    try:
        for fd in pty.openpty():
            os.close(fd)
    except OSError as err:
        skip("progress on a terminal", f"no terminal to be had: {err}")
        return
    args = ["--runs", "1", "--iterations", "1000", "--no-peers", "mutex"]
    code, seen = in_terminal(args, True)
    ok(code == 0 and b"run 1 of 1" in seen, "a terminal sees progress", code, seen)
    ok(seen.rstrip().splitlines()[-1].find(b"mutex") >= 0 and b"\r\033[K" in seen,
       "which is gone when the rows come", seen)
    code, seen = in_terminal(args, False)
    ok(code == 0 and b"run 1 of 1" not in seen, "none when the table goes into a pipe", code, seen)
    p = run(*args)
    ok("\r" not in p.stdout + p.stderr and "\033" not in p.stdout + p.stderr, "and none in a pipe",
       p.stderr)


def main():
    top = tempfile.mkdtemp(prefix="quoit-bench.")
    os.chmod(top, 0o755)
    try:
        test_list()
        test_version()
        test_bad_input(top)
        test_bind(top)
        test_json_shape(top)
        test_peers_and_procs(top)
        test_every_workload(top)
        test_randread(top)
        test_files(top)
        test_iolatency(top)
        test_preempt(top)
        test_echo(top)
        test_echo_without_descriptors(top)
        test_ratio(top)
        test_wake(top)
        test_scan(top)
        test_scan_empty(top)
        test_scan_odd_things(top)
        test_scan_vanishing(top)
        test_cold(top)
        test_failing_run(top)
        test_interrupted(top)
        test_interrupted_load()
        test_old_file_stays(top)
        test_progress()
    finally:
        shutil.rmtree(top, ignore_errors=True)
    done()


main()
