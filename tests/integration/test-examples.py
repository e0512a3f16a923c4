#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The example programs, as their users would treat them. Speaks TAP.

    test-examples.py copy|echo|httpd|kv PROGRAM

Servers listen on a free port of the loopback, which they print.
"""

import contextlib
import os
import random
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import done, ok, skip  # noqa: E402

WHICH, PROGRAM = sys.argv[1:]
PATIENCE = 60


def same(got, wanted, what):
    return ok(got == wanted, what, "got " + repr(got)[:90], "not " + repr(wanted)[:90])


# ---- servers --------------------------------------------------------------------------------

class Server:
    def __init__(self, *args, files=None):
        def limit():
            if files is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        self.process = subprocess.Popen([PROGRAM, *args, "0"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=limit)
        host, port = self.process.stdout.readline().strip().split(":")
        self.address = (host, int(port))

    def connect(self):
        s = socket.create_connection(self.address, timeout=PATIENCE)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def ask(self, request, end=False):
        """What comes back for this until the server closes; with `end` nothing more is asked."""
        with self.connect() as s:
            s.sendall(request)
            if end:
                s.shutdown(socket.SHUT_WR)
            return until_closed(s)

    def end(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return "never"
        finally:
            self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def server(*args, **kw):
    s = Server(*args, **kw)
    try:
        yield s
    finally:
        s.kill()


def until_closed(s):
    parts = []
    while part := s.recv(65536):
        parts.append(part)
    return b"".join(parts)


def exactly(s, n):
    parts = []
    while n > 0:
        part = s.recv(min(n, 1 << 20))
        if not part:
            break
        parts.append(part)
        n -= len(part)
    return b"".join(parts)


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def in_pieces(s, data, dice):
    at = 0
    while at < len(data):
        n = dice.choice((1, 7, 1000, 16384, 65536))
        s.sendall(data[at:at + n])
        at += n


def exchange(s, data, n, dice):
    """Sends in pieces while it receives n bytes."""
    sender = threading.Thread(target=in_pieces, args=(s, data, dice))
    sender.start()
    got = exactly(s, n)
    sender.join(PATIENCE)
    return got


def ends_gently(s, idle, what):
    """At SIGTERM who waits is told, and the program ends as it should."""
    s.process.send_signal(signal.SIGTERM)
    same(idle.recv(1), b"", f"{what}: at SIGTERM an idle connection ends")
    idle.close()
    same(s.end(), 0, f"{what}: and the program with 0")


# ---- echo -----------------------------------------------------------------------------------

def test_echo():
    dice = random.Random(5)
    with server() as s:
        data = dice.randbytes(1 << 20)
        with s.connect() as c:
            same(exchange(c, data, len(data), dice), data, "a megabyte in odd pieces comes back")
            c.shutdown(socket.SHUT_WR)
            same(c.recv(1), b"", "and then the end")
        many = [s.connect() for _ in range(100)]
        for i, c in enumerate(many):
            c.sendall(b"%d" % i)
        same([exactly(c, len(str(i))) for i, c in enumerate(many)],
             [b"%d" % i for i in range(100)], "to each its own")
        for c in many[1:]:
            c.sendall(data[:1000])
            reset(c)
        many[0].sendall(b"still")
        same(exactly(many[0], 5), b"still", "resets are nobody else's business")
        ends_gently(s, many[0], "echo")
    with server(files=32) as s:
        many = [s.connect() for _ in range(64)]
        for c in many:
            c.sendall(b"x")
        for c in many:
            if exactly(c, 1) != b"x":
                break
            c.close()
        else:
            c = None
        ok(c is None, "more connections than descriptors are served one after the other")
        same(s.end(signal.SIGINT), 0, "SIGINT ends it as well")


# ---- httpd ----------------------------------------------------------------------------------

def site(top):
    root = os.path.join(top, "root")
    os.makedirs(os.path.join(root, "sub"))
    large = random.Random(6).randbytes(3 * (1 << 20) + 17)
    for path, data in (("index.html", b"<p>index"), ("sub/index.html", b"<p>sub"),
                       ("a b%.txt", b"odd name"), ("empty", b""), ("large", large),
                       ("../secret", b"secret")):
        with open(os.path.join(root, path), "wb") as f:
            f.write(data)
    os.symlink("../secret", os.path.join(root, "out"))
    os.symlink("index.html", os.path.join(root, "in"))
    os.mkfifo(os.path.join(root, "fifo"))
    return root, large


def reply(s, head=False):
    """(status, body) of one answer; the connection stays."""
    text = b""
    while b"\r\n\r\n" not in text:
        part = s.recv(1)
        if not part:
            return None, text
        text += part
    fields = dict(line.split(": ", 1) for line in text.decode().split("\r\n")[1:-2])
    return int(text.split()[1]), b"" if head else exactly(s, int(fields["Content-Length"]))


def get(path, more=""):
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode()


def test_httpd():
    top = tempfile.mkdtemp(prefix="quoit-httpd.")
    try:
        root, large = site(top)
        with server(root) as s:
            files(s, large)
            refusals(s)
            same_connection(s, large)
            c = s.connect()
            c.sendall(get("/"))
            same(reply(c)[0], 200, "a connection that will be idle")
            ends_gently(s, c, "httpd")
        with server(root) as s:
            c = s.connect()
            c.sendall(get("/large"))
            got = c.recv(1)
            s.process.send_signal(signal.SIGTERM)
            ok((got + until_closed(c)).endswith(large), "what has begun to be sent is all sent")
            c.close()
            same(s.end(), 0, "and then it ends")
    finally:
        shutil.rmtree(top, ignore_errors=True)
    same(subprocess.run([PROGRAM, "/nowhere"], stderr=subprocess.DEVNULL, check=False).returncode,
         2, "without a folder it says how it is used")


def files(s, large):
    with s.connect() as c:
        for path, wanted in (("/", (200, b"<p>index")), ("/index.html?a=b", (200, b"<p>index")),
                             ("/sub/", (200, b"<p>sub")), ("/a%20b%25.txt", (200, b"odd name")),
                             ("/empty", (200, b"")), ("/in", (200, b"<p>index")),
                             ("/large", (200, large)), ("/nothing", (404, b"")),
                             ("/sub", (404, b"")), ("/fifo", (404, b"")),
                             ("/index.html/x", (404, b"")), ("/" + "n" * 300, (404, b""))):
            c.sendall(get(path))
            same(reply(c), wanted, f"{path[:20]} on a connection that is kept")
        for path in ("/../secret", "/sub/../../secret", "/%2e%2e/secret", "/..%2fsecret",
                     "//etc/passwd", "/out", "/./../root/../secret"):
            c.sendall(get(path))
            same(reply(c), (404, b""), f"{path} leads nowhere")


def refusals(s):
    for text, status in ((b"\r\n\r\n", 400), (b"GET /\r\n\r\n", 400),
                         (b"GET x HTTP/1.1\r\n\r\n", 400),
                         (b"GET / HTTP/2.0\r\n\r\n", 400), (get("/%00"), 400), (get("/%2"), 400),
                         (get("/%zz"), 400), (get("/" + "n" * 2000), 400), (get("/a\0b"), 400),
                         (b"GET\r\n/ HTTP/1.1\r\n\r\n", 400),
                         (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405),
                         (b"GET / HTTP/1.1\r\nx: " + b"y" * 9000, 431)):
        answer = s.ask(text, end=True)
        ok(answer.startswith(b"HTTP/1.1 %d " % status) and answer.count(b"HTTP/1.1") == 1,
           f"{text[:24]!r} gets {status} and the end", answer)


def same_connection(s, large):
    with s.connect() as c:
        in_pieces(c, get("/") + get("/large") + get("/nothing") + get("/"), random.Random(1))
        same([reply(c) for _ in range(4)],
             [(200, b"<p>index"), (200, large), (404, b""), (200, b"<p>index")],
             "requests that come together are answered in order")
        for byte in get("/sub/"):
            c.sendall(bytes([byte]))
        same(reply(c), (200, b"<p>sub"), "one that comes byte by byte")
        c.sendall(get("/large").replace(b"GET", b"HEAD") + get("/"))
        same([reply(c, head=True), reply(c)], [(200, b""), (200, b"<p>index")], "HEAD has no body")
    for text in (get("/", "Connection: close\r\n"), get("/", "connection: Close\r\n"),
                 b"GET / HTTP/1.0\r\n\r\n", get("/", "Content-Length: 4\r\n") + b"GET ",
                 get("/", "Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n"):
        ok(s.ask(text).endswith(b"\r\n\r\n<p>index"), f"{text[:60]!r} is the last one")
    for _ in range(20):
        c = s.connect()
        c.sendall(get("/large"))
        c.recv(1)
        reset(c)
    ok(s.ask(get("/", "Connection: close\r\n")).endswith(b"<p>index"),
       "who goes away in the middle of an answer harms nobody")


# ---- kv -------------------------------------------------------------------------------------

def command(*words):
    words = [w if isinstance(w, bytes) else w.encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def bulk(data):
    return b"$-1\r\n" if data is None else b"$%d\r\n%s\r\n" % (len(data), data)


def test_kv():
    dice = random.Random(7)
    with server() as s:
        with s.connect() as c:
            def asks(text, wanted, what):
                same(exchange(c, text, len(wanted), dice), wanted, what)

            odd = bytes(range(256)) + b"\r\n$3\r\n*1\r\n\0"
            huge = dice.randbytes(8 << 20)
            asks(command("PING"), b"+PONG\r\n", "PING")
            asks(b"PING\r\n\r\nping hello\r\n", b"+PONG\r\n$5\r\nhello\r\n", "as typed by hand")
            asks(command("ping", odd), bulk(odd), "PING with a word")
            asks(command("GET", "a"), bulk(None), "a key that is not there")
            asks(command("SET", "a", "1") + command("GET", "a"), b"+OK\r\n" + bulk(b"1"),
                 "SET, GET")
            asks(command("SET", odd, odd) + command("GET", odd), b"+OK\r\n" + bulk(odd),
                 "any bytes, in key and value")
            asks(command("SET", "", "") + command("GET", ""), b"+OK\r\n" + bulk(b""), "and none")
            asks(command("SET", "h", huge) + command("GET", "h"), b"+OK\r\n" + bulk(huge),
                 "8 MiB in odd pieces")
            asks(command("MGET", "a", "none", "h", "a"),
                 b"*4\r\n" + bulk(b"1") + bulk(None) + bulk(huge) + bulk(b"1"), "MGET")
            asks(command("COMMAND") + command("CONFIG", "GET", "save"), b"*0\r\n*2\r\n" +
                 bulk(b"save") + bulk(b""), "what redis-benchmark asks for")
            asks(command("SET", "a") + command("NONE") + command("GET", "a"),
                 b"-ERR wrong number of arguments\r\n-ERR unknown command\r\n" + bulk(b"1"),
                 "errors are answers")
            many = [(b"k%d" % i, dice.randbytes(dice.randrange(300))) for i in range(1000)]
            asks(b"".join(command("SET", k, v) + command("GET", k) for k, v in many),
                 b"".join(b"+OK\r\n" + bulk(v) for _, v in many), "a thousand in a row, unread")
            asks(command("MGET", *(k for k, _ in many)),
                 b"*1000\r\n" + b"".join(bulk(v) for _, v in many), "and all at once")
        for text in (b"*x", b"*-1", b"*9999999", b"*1\r\nx", b"*1\r\n:1", b"*1\r\n$-5",
                     b"*1\r\n$99999999999999999999", b"*" * 100, b"x" * 5000, b"*\n\n\n\n\n1"):
            same(s.ask(text + b"\r\n"), b"-ERR Protocol error\r\n", f"{text[:30]!r} is refused")
        same(s.ask(command("PING")[:-1], end=True), b"", "half a command is none")
        together(s)
        redis_benchmark(s)
        c = s.connect()
        c.sendall(command("PING"))
        same(exactly(c, 7), b"+PONG\r\n", "a connection that will be idle")
        ends_gently(s, c, "kv")


def together(s):
    """Many change one key: each reader finds a value that somebody has written, whole."""
    wrong = []

    def worker(i):
        dice = random.Random(i)
        with s.connect() as c:
            for _ in range(100):
                n = dice.choice((1, 100, 20000, 200000))
                c.sendall(command("SET", "same", bytes([65 + i]) * n) + command("GET", "same"))
                head = b""
                while head.count(b"\r\n") < 2:
                    head += exactly(c, 1)
                value = exactly(c, int(head.split(b"$")[1]) + 2)[:-2]
                if len(set(value)) != 1 or len(value) not in (1, 100, 20000, 200000):
                    wrong.append((head, value[:20]))

    workers = [threading.Thread(target=worker, args=(i,)) for i in range(8)]
    for w in workers:
        w.start()
    for w in workers:
        w.join(PATIENCE)
    ok(not wrong and not any(w.is_alive() for w in workers), "values are whole when many set them",
       wrong[:3])


def redis_benchmark(s):
    if shutil.which("redis-benchmark") is None:
        skip("redis-benchmark is content", "it is not installed")
        return
    for more in ([], ["-P", "16"]):
        p = subprocess.run(["redis-benchmark", "-h", s.address[0], "-p", str(s.address[1]), "-n",
                            "1000", "-c", "20", "-q", "-t", "ping,set,get", *more],
                           capture_output=True, text=True, timeout=PATIENCE, check=False)
        said = p.stdout + p.stderr
        ok(p.returncode == 0 and said.count("requests per second") == 4 and "WARN" not in said and
           "Err" not in said, " ".join(["redis-benchmark is content", *more]), said)


# ---- copy -----------------------------------------------------------------------------------

def copy(*args, **kw):
    return subprocess.run([PROGRAM, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, check=False, **kw)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def test_copy():
    dice = random.Random(8)
    top = tempfile.mkdtemp(prefix="quoit-copy.")
    piece = 1 << 20
    try:
        content = {f"f{i}": dice.randbytes(n) for i, n in enumerate(
            [0, 1, piece - 1, piece, piece + 1, 9 * piece + 17] + [dice.randrange(9999)] * 60)}
        os.mkdir(os.path.join(top, "to"))
        for name, data in content.items():
            with open(os.path.join(top, name), "wb") as f:
                f.write(data)
        p = copy(*(os.path.join(top, name) for name in content), os.path.join(top, "to"))
        same((p.returncode, p.stderr), (0, b""), "many files into a folder")
        same([n for n in content if read(os.path.join(top, "to", n)) != content[n]], [],
             "all are there, whole")
        large, small = os.path.join(top, "f5"), os.path.join(top, "f1")
        target = os.path.join(top, "target")
        same(copy(large, target).returncode, 0, "one file to a name")
        same(copy(small, target).returncode, 0, "onto one that is longer")
        same(read(target), content["f1"], "of which nothing is left")
        for what, args in (("onto itself", (large, large)), ("by another name",
                           (large, os.path.join(top, "link"))), ("what is not there",
                           (os.path.join(top, "none"), target)), ("a folder", (top, target)),
                           ("to a full device", (large, "/dev/full")),
                           ("to nowhere", (large, os.path.join(top, "no", "where")))):
            if what == "by another name":
                os.link(large, os.path.join(top, "link"))
            p = copy(*args)
            ok(p.returncode == 1 and p.stderr.count(b"\n") == 1, f"{what} is an error, and said", p)
        same(read(large), content["f5"], "what could not be copied is as it was")
        same(copy("/dev/stdin", target, input=content["f5"]).returncode, 0, "from a pipe")
        same(read(target), content["f5"], "all that comes")
        same(copy(large, "/dev/stdout").stdout, content["f5"], "to a pipe")
        same(copy("/proc/self/stat", target).returncode, 0, "a file whose size is not told")
        ok(len(read(target)) > 10, "is copied all the same")
        for args in ((), (large,), (large, small, target)):
            same(copy(*args).returncode, 2, f"wrong with {len(args)} names")
    finally:
        shutil.rmtree(top, ignore_errors=True)


{"copy": test_copy, "echo": test_echo, "httpd": test_httpd, "kv": test_kv}[WHICH]()
done()
