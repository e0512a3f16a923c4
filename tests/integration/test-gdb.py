#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/gdb/quoit.py as its users meet it: live, attached, on cores. Speaks TAP.

    test-gdb.py QUOIT.PY OBJCOPY CROWD-SHARED CROWD-ARCHIVE [--sanitized]

The crowd (gdb-crowd.c) has a goroutine in each state. What gdb prints is cut into parts by marks
that it is told to echo.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import done, ok, skip, skip_all  # noqa: E402

SCRIPT, OBJCOPY = sys.argv[1:3]
CROWDS = {"shared": sys.argv[3], "archive": sys.argv[4]}
# A sanitizer's shadow of memory makes cores of terabytes.
CORES = "--sanitized" not in sys.argv
# What watches over memory wants to be the only tracer at the end.
ENV = {**os.environ, "GOMAXPROCS": "2",
       "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def gdb(args, commands, script=SCRIPT, env=None):
    """What gdb says to each of the commands, in a list; it goes on after errors."""
    argv = ["gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off",
            "-iex", "set auto-load off", "-iex", f"source {script}", "-ex", "set confirm off"]
    for command in commands:
        argv += ["-ex", "echo @@@\\n", "-ex", command]
    p = subprocess.run(argv + args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, errors="replace", timeout=120,
                       env={**ENV, **(env or {})})
    if p.returncode < 0:
        ok(False, f"gdb ends by itself: {signal.Signals(-p.returncode).name}", p.stdout)
    return p.stdout.split("@@@\n")[1:]


def live(crowd, commands, **kw):
    """The same, with the crowd stopped where its guest runs."""
    said = gdb(["--args", crowd], ["break look_here", "run", *commands, "kill"], **kw)
    return said[2:-1]


def in_order(text, *words):
    at = 0
    for word in words:
        at = text.find(word, at)
        if at < 0:
            return False
        at += len(word)
    return True


# ---- what is shown of the crowd ------------------------------------------------------------------

ROW = re.compile(r"(?P<star>\*?) +(?P<id>\d+)  (?P<state>\w+) +(?P<rest>.*)")
WHO = {  # what the row says: state, and the words of the rest
    "main": ("waiting", "join, in place", "first at gdb-crowd.c"),
    "spinner": ("running", "spinner at gdb-crowd.c"),
    "sleeper": ("waiting", "semaphore", "sit_still at gdb-crowd.c"),
    "landlord": ("waiting", "join, in place", "landlord at gdb-crowd.c"),
    "lodger": ("waiting", "semaphore", "sit_still at gdb-crowd.c"),
    "reader": ("waiting", "read", "reader at gdb-crowd.c"),
    "napper": ("waiting", "sleep", "napper at gdb-crowd.c"),
    "woken": ("runnable", "woken at gdb-crowd.c"),
    "joiner": ("waiting", "join", "joiner at gdb-crowd.c"),
    "unstarted": ("runnable", "not started: unstarted at gdb-crowd.c"),
    "guest": ("running", "look_here at gdb-crowd.c"),
}
NAMED = ["spinner", "sleeper", "landlord", "lodger", "joiner", "guest"]


def rows_of(text):
    return [m.groupdict() for m in map(ROW.fullmatch, text.splitlines()) if m]


def find(rows, who):
    """The id of that goroutine in the list, or 0."""
    state, *words = WHO[who]
    if who in NAMED:
        words.insert(len(words) - 1, f" {who} ")
    for row in rows:
        if row["state"] == state and in_order(" " + row["rest"], *words):
            return int(row["id"])
    return 0


def check_list(text, how):
    """The ids by name; None if somebody is missing."""
    rows = rows_of(text)
    ids = {who: find(rows, who) for who in WHO}
    missing = [who for who, number in ids.items() if number == 0]
    stars = [int(row["id"]) for row in rows if row["star"]]
    ok(not missing, f"{how}: the list has each goroutine in its state, and where it is", missing,
       text)
    ok(stars == [ids["guest"]], f"{how}: a star marks the one of the selected thread", text)
    ok("11 goroutines: 2 runnable, 2 running, 7 waiting" in text, f"{how}: and they are counted",
       text)
    return None if missing else ids


def whole(text):
    """Down to the first frame, where it stops."""
    last = [line for line in text.splitlines() if line.startswith("#")][-1:]
    return bool(last) and "context_begin" in last[0] and "corrupt" not in text


def check_stacks(said, ids, how):
    sleeper, lodger, landlord, guest, spinner, reader, main = said
    ok(whole(sleeper) and in_order(sleeper, "[waiting: semaphore", "context_switch (",
                                   *["sit_still ("] * 4, "sleeper ("),
       f"{how}: the stack of a parked one, down to its entry", sleeper)
    ok(whole(lodger) and in_order(lodger, "in place on the stack of goroutine %d \"landlord\"" %
                                  ids["landlord"], "sit_still (", "guest_waits (",
                                  "-- below: goroutine %d \"landlord\", which joins goroutine %d" %
                                  (ids["landlord"], ids["lodger"]), "landlord ("),
       f"{how}: of one that waits in place, and where the joiner's part begins", lodger)
    ok(whole(landlord) and "sit_still" not in landlord and
       in_order(landlord, "lends its stack to goroutine %d" % ids["lodger"], "landlord ("),
       f"{how}: of its joiner, that part alone", landlord)
    ok(whole(guest) and in_order(guest, "on thread", "look_here (", "guest_runs (",
                                 f"-- below: goroutine {ids['main']}", "first ("),
       f"{how}: of one that runs in place", guest)
    ok(whole(main) and "look_here" not in main and
       in_order(main, f"lends its stack to goroutine {ids['guest']}", "quoit_join (", "first ("),
       f"{how}: and of its joiner", main)
    ok(whole(spinner) and in_order(spinner, "[running] on thread", "spinner ("),
       f"{how}: of one that runs on another thread", spinner)
    ok(whole(reader) and in_order(reader, "[waiting: read", "quoit_read (", "reader ("),
       f"{how}: of one that reads", reader)


# Which P gives out an id differs from run to run, so goroutines are found by name, within gdb.
def in_gdb(who, command):
    """COMMAND with the id of that goroutine in the place of ID."""
    name = f"g.name() == '{who}'" if who in NAMED else f"'{who}' in str(g.lib.get(g.value, 'fn'))"
    return (f"python [gdb.execute('{command}'.replace('ID', str(g.id))) "
            f"for g in goroutines(library()).values() if {name}]")


def all_stacks():
    return [in_gdb(who, "quoit bt ID") for who in
            ("sleeper", "lodger", "landlord", "guest", "spinner", "reader")] + ["quoit bt 1"]


# ---- tests ---------------------------------------------------------------------------------------

def test_live(crowd, how):
    said = live(crowd, [
        "info goroutines", "quoit goroutines waiting", "quoit goroutines -v",
        in_gdb("woken", "quoit bt ID"), in_gdb("unstarted", "quoit bt ID"),
        in_gdb("sleeper", "quoit bt -full ID"), in_gdb("sleeper", "quoit apply ID print depth"),
        "quoit bt all", "print $_goid()", in_gdb("guest", "print $goroutine(ID)->flags"),
        "quoit ps", "quoit ms", "quoit sched", "quoit sched -v", "backtrace 1", "info threads",
        *all_stacks(), "continue"])
    (listed, waiting, verbose, woken, unstarted, full, applied, everything, goid, flags, ps, ms,
     sched, details, after, threads, *stacks, went_on) = said
    ids = check_list(listed, how)
    if ids is None:
        return None
    check_stacks(stacks, ids, how)
    states = {row["state"] for row in rows_of(waiting)}
    ok(len(rows_of(waiting)) == 7 and states == {"waiting"}, f"{how}: a state chooses", waiting)
    ok(in_order(verbose, "record 0x", "KiB, main, lends its stack", "joinable"),
       f"{how}: -v says more", verbose)
    ok(in_order(verbose, "sit_still at", "made by spawn at gdb-crowd.c:", "not started",
                "made by first at gdb-crowd.c:"), f"{how}: and who made it, started or not",
       verbose)
    ok(whole(woken) and "[runnable]" in woken and "woken (" in woken,
       f"{how}: the stack of one that is ready", woken)
    ok("has not started" in unstarted and "<unstarted>" in unstarted and "#" not in unstarted,
       f"{how}: one that has not started says so", unstarted)
    ok(in_order(full, "sit_still (depth=0)", "below = ", "sit_still (depth=1)"),
       f"{how}: -full shows locals", full)
    ok(" = 0\n" in applied, f"{how}: apply runs a command in the newest frame of the program",
       applied)
    ok(len(re.findall(r"^goroutine ", everything, re.M)) == 11, f"{how}: bt all shows all",
       everything)
    ok(f" = {ids['guest']}\n" in goid, f"{how}: $_goid() is that of the selected thread", goid)
    ok(re.search(r" = \d+", flags), f"{how}: $goroutine() is the record", flags)
    check_ps(ps, ms, ids, how)
    ok(re.search(r"^SCHED \d+ms: gomaxprocs=2 idleprocs=0 threads=\d+ spinningthreads=\d+ "
                 r"idlethreads=\d+ runqueue=0 \[\d+ \d+\]$", sched, re.M),
       f"{how}: sched prints the line of schedtrace", sched)
    ok(all(re.search(rf"^  G{number}: status=", details, re.M) for number in ids.values()) and
       "  P1: status=1 " in details and "  M0: p=" in details, f"{how}: and the detailed ones",
       details)
    ok(in_order(after, "#0", "look_here") and re.search(r"^\* .*look_here", threads, re.M),
       f"{how}: thread and frame are selected as before", after, threads)
    ok("exited normally" in went_on, f"{how}: and the program goes on as if nothing had been",
       went_on)
    return ids


def check_ps(ps, ms, ids, how):
    of = [dict(zip(ps.split("\n")[0].split(), line.split())) for line in ps.splitlines()[1:3]]
    ok(len(of) == 2 and {p["G"] for p in of} == {str(ids["guest"]), str(ids["spinner"])},
       f"{how}: ps has the P's and what they run", ps)
    mine = [p for p in of if p["G"] == str(ids["guest"])]
    ok(mine and mine[0]["NEXT"] == str(ids["woken"]) and mine[0]["UNSTARTED"] == "1",
       f"{how}: and what is queued", ps)
    ok(sorted(p["TIMERS"] for p in of) == ["0", "1"], f"{how}: and who sleeps on which", ps)
    star = [line.split() for line in ms.splitlines() if line.startswith("*")]
    ok(len(star) == 1 and star[0][5] == str(ids["guest"]) and star[0][4] == mine[0]["P"],
       f"{how}: ms has the M of the selected thread, its P and its goroutine", ms)


def test_core(crowd, how, top, save, env=None):
    if not CORES:
        skip(f"{how}: a core", "a sanitizer makes cores too large")
        return
    core = os.path.join(top, f"{how}.core")
    saved = live(crowd, [f"{save} {core}"], env=env)[0]
    if not ok(os.path.exists(core), f"{how}: a core is saved", saved):
        return
    listed, goid, everything, *stacks = gdb(
        [crowd, core], ["quoit goroutines", "print $_goid()", "quoit bt all", *all_stacks()])
    ids = check_list(listed, how)
    if ids is not None:
        check_stacks(stacks, ids, how)
        ok(f" = {ids['guest']}\n" in goid and "not in the core" not in everything,
           f"{how}: all of them can be seen", goid, everything)
    os.unlink(core)


def test_attach(crowd):
    p = subprocess.Popen([crowd, "wait"], stdout=subprocess.PIPE, text=True, env=ENV)
    try:
        p.stdout.readline()
        threads, listed, *stacks, detached = gdb(
            ["-p", str(p.pid)],
            ["python max(gdb.selected_inferior().threads(), key=lambda t: t.switch() or "
             "gdb.newest_frame().name() == 'look_here').switch()",
             "quoit goroutines", *all_stacks(), "detach"])
        ids = check_list(listed, "attached")
        if ids is not None:
            check_stacks(stacks, ids, "attached")
        ok("detached" in detached and p.poll() is None, "attached: the program lives on", threads,
           detached)
    finally:
        p.kill()
        p.communicate()


def test_errors(crowd):
    none, = gdb([crowd], ["quoit goroutines"])
    ok("no process and no core" in none, "without a process that is said", none)
    _, _, early = gdb(["--args", crowd], ["break main", "run", "quoit goroutines"])
    ok("Quoit does not run" in early, "before it starts too", early)
    bad = live(crowd, ["quoit bt 999999", "quoit bt main", "quoit bt", "quoit goroutines asleep",
                       "print $goroutine(999999)", "quoit ps now"])
    for text, says in zip(bad, ["there is no goroutine 999999", "is no id of a goroutine",
                                "usage: quoit bt", "usage: quoit goroutines [-v] [runnable|",
                                "there is no goroutine 999999", "usage: quoit ps"]):
        ok(says in text, f"bad input: {says}", text)
    _, true = gdb(["--args", shutil.which("true")], ["starti", "quoit goroutines"])
    ok("does not use Quoit" in true, "and of a program without Quoit", true)


def test_stripped(top):
    bare = os.path.join(top, "bare")
    subprocess.run([OBJCOPY, "--strip-debug", CROWDS["archive"], bare], check=True)
    said, = live(bare, ["quoit goroutines"])
    ok("libquoit has no debug information" in said and "--buildtype=debugoptimized" in said,
       "a library without debug information says how to get it", said)


def test_memory_left_out(crowd, top):
    if not CORES:
        skip("memory that a core lacks", "a sanitizer makes cores too large")
        return
    core = os.path.join(top, "lean.core")
    live(crowd, ["python open(f'/proc/{gdb.selected_inferior().pid}/coredump_filter', 'w')"
                 ".write('0')", f"gcore {core}"])
    said, = gdb([crowd, core], ["quoit goroutines"])
    ok("not in the core" in said and "Traceback" not in said, "memory that a core lacks is named",
       said)


def test_other_times(crowd, top):
    """A library without a field that the script knows: here it is the script that is changed."""
    newer, older = os.path.join(top, "newer.py"), os.path.join(top, "needs.py")
    with open(SCRIPT, encoding="utf-8") as f:
        text = f.read()
    with open(newer, "w", encoding="utf-8") as f:
        f.write(text.replace("'spinning'", "'whirling'").replace("'reason'", "'why'"))
    with open(older, "w", encoding="utf-8") as f:
        f.write(text.replace("'status'", "'condition'"))
    ms, listed = live(crowd, ["quoit ms", "quoit goroutines"], script=newer)
    ok(ms.count("struct m has no `whirling`") == 1 and re.search(r"^\* +\d", ms, re.M),
       "a missing field is left out, and said once", ms)
    ok(listed.count("has no `why`") == 1 and "11 goroutines" in listed, "in the list too", listed)
    said, = live(crowd, ["quoit goroutines"], script=older)
    ok("take the quoit.py of this very library" in said, "without a needed one it ends", said)


def main():
    if shutil.which("gdb") is None:
        skip_all("gdb is not installed")
    if not os.path.exists("/proc/self/exe"):
        skip_all("/proc is not mounted, and gdb needs it")
    probe = subprocess.run(["gdb", "-nx", "-batch", "-ex", "python print('python', gdb.VERSION)"],
                           capture_output=True, text=True, check=False)
    if "python " not in probe.stdout:
        skip_all("this gdb has no Python")
    said = "".join(gdb(["--args", CROWDS["shared"]], ["break look_here", "run", "quoit ps",
                                                       "kill"]))
    if "ptrace: " in said or "Could not trace" in said:
        skip_all("tracing a process is not permitted here")
    if "no debug information" in said:
        skip_all("built without debug information")
    with tempfile.TemporaryDirectory() as top:
        for how, crowd in CROWDS.items():
            test_live(crowd, how)
            test_core(crowd, f"core of {how}", top, "quoit gcore")
        crowd = CROWDS["shared"]
        test_core(crowd, "gdb's own core", top, "gcore", {"QUOIT_GUARD": "canary"})
        test_attach(crowd)
        test_errors(crowd)
        test_stripped(top)
        test_memory_left_out(CROWDS["archive"], top)
        test_other_times(crowd, top)
    done()


main()
