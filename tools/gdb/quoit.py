# SPDX-License-Identifier: BSD-3-Clause
"""Quoit in gdb: goroutines, P's and M's of a live process or a core. `help quoit` lists it all.

Nothing is written into the process. The stack of a goroutine that does not run is shown by an
unwinder: while one is looked at, the caller of the thread's newest frame is said to be
context_parked with the goroutine's saved stack pointer (arch/context.h), and from there on the
unwind tables know the way. So it works the same on cores, and on every cpu; all that is known of
one is how gdb calls its stack pointer and its program counter.

Fields are found by their names in the library's debug information. All names that are used stand
in USES, ENUMS and SYMBOLS, and tools/lint/debugger.py compares these with the sources.

Tried and dropped: setting $sp and $pc and putting them back, which a core refuses, and which
leaves a live thread on a wrong stack when gdb dies in between.
"""
import functools
import os
import re
import struct

import gdb
import gdb.unwinder

# struct: the fields that are used. What a library lacks is left out and said once; nothing goes
# without those in NEEDED.
USES = {
    'sched': ['allm', 'allp', 'coarse', 'nm', 'nmspinning', 'nnodes', 'nodes', 'npidle', 'nprocs'],
    'node': ['gslabs', 'id', 'runq'],
    'gqueue': ['n'],
    'gslab': ['g', 'link', 'used'],
    'quoit_g': ['born', 'ctx', 'flags', 'fn', 'host', 'id', 'name', 'node', 'reason',
                'since', 'site', 'status', 'stk'],
    'context': ['sp'],
    'stack': ['low', 'start'],
    'p': ['forkq', 'id', 'idle', 'm', 'place', 'runq', 'schedtick', 'timers'],
    'timers': ['n'],
    'runq': ['head', 'next', 'tail'],
    'forkq': ['word'],
    'place': ['core', 'cpu', 'node'],
    'm': ['alllink', 'curg', 'id', 'idle', 'inside', 'locks', 'p', 'poll_inflight',
          'poll_pending', 'prev', 'spinning', 'tid'],
}
NEEDED = {
    'sched': ['nnodes', 'nodes', 'allp', 'allm', 'nprocs'],
    'node': ['gslabs'],
    'gslab': ['g', 'link', 'used'],
    'quoit_g': ['ctx', 'flags', 'id', 'status', 'stk'],
    'context': ['sp'],
    'p': ['id'],
    'm': ['alllink', 'curg', 'id', 'tid'],
}
ENUMS = {
    'gstate': ['Gidle', 'Grunnable', 'Grunning', 'Gsyscall', 'Gwaiting', 'Gdead'],
    'gflags': ['G_JOINABLE', 'G_INPLACE', 'G_MAIN', 'G_NAMED', 'G_SYSTEM'],
}
STATES = {'runnable': 'Grunnable', 'running': 'Grunning', 'syscall': 'Gsyscall',
          'waiting': 'Gwaiting'}
SYMBOLS = ['allgs', 'context_parked', 'quoit_init', 'quoit_main', 'sched', 'stack_get_slow',
           'tls_self']
FLOORS = ['arch', 'numa', 'sched', 'uring']

# How gdb calls stack pointer and program counter, by the beginning of the architecture's name.
REGISTERS = {'i386:x86-64': ('rsp', 'rip'), 'aarch64': ('sp', 'pc')}

HOW_DEBUG = ('build it with --buildtype=debugoptimized, or load what was split off from it with '
             '`symbol-file` or `set debug-file-directory`')

NOT_SAVED = ('it is not in the core: the coredump_filter left it out, or `gcore` gave up at the '
             'guard of a stack; cores of the kernel and of `quoit gcore` have it')
PAGE = 4096

noted = set()


def note(text):
    """Once a session."""
    if text not in noted:
        noted.add(text)
        gdb.write(f'quoit.py: {text}\n', gdb.STDERR)


def fail(text):
    raise gdb.GdbError(text)


# ---- the library ---------------------------------------------------------------------------------

def member_names(kind):
    for f in kind.fields():
        if f.name:
            yield f.name
        else:
            yield from member_names(f.type)


def tag_of(kind):
    return re.sub(r'^struct ', '', kind.unqualified().strip_typedefs().name or '')


def lookup(objfile, name):
    """A function or variable of the library, where it is defined with debug information."""
    if name not in SYMBOLS:
        raise KeyError(f'{name} is not in SYMBOLS')
    symbol = objfile.lookup_global_symbol(name)
    return None if symbol is None or symbol.symtab is None else symbol


def symbol_in(anchor, name):
    """A symbol with external linkage of the file that defines `anchor`: a user's own variable
    may have the same name."""
    found = None
    for symbol in anchor.symtab.global_block():
        if symbol.name == name and symbol.symtab.filename == anchor.symtab.filename:
            found = symbol
    return found


class Library:
    """One copy of Quoit in the process. Made anew for each command: anything may have moved."""

    def __init__(self, objfile, anchor):
        self.objfile = objfile
        self.sched = symbol_in(anchor, 'sched').value()
        self.members = {}
        self.slab = self.type_at('allgs', 'struct gslab')
        self.stack = self.type_at('stack_get_slow', 'struct stack')
        self.enums = {}
        for tag in ENUMS:
            for f in self.type_at('allgs', 'enum ' + tag).fields():
                self.enums[f.name] = f.enumval
        root = os.path.dirname(os.path.dirname(os.path.normpath(anchor.symtab.fullname())))
        self.folders = tuple(os.path.join(root, floor) + os.sep for floor in FLOORS)

    def type_at(self, function, name):
        """The type as the file of that function has it: programs have types of the same name."""
        symbol = lookup(self.objfile, function)
        try:
            if symbol is None:
                return gdb.lookup_type(name)
            return gdb.lookup_type(name, symbol.symtab.static_block())
        except gdb.error:
            fail(f'the library\'s debug information lacks {name}: {HOW_DEBUG}')

    def get(self, value, field):
        """value.field, or None where this library has no such field."""
        tag = tag_of(value.type)
        if field not in USES[tag]:
            raise KeyError(f'{tag}.{field} is not in USES')
        if tag not in self.members:
            self.members[tag] = set(member_names(value.type.unqualified().strip_typedefs()))
        if field in self.members[tag]:
            return value[field]
        if field in NEEDED.get(tag, []):
            fail(f'struct {tag} has no `{field}` here: take the quoit.py of this very library')
        note(f'struct {tag} has no `{field}` in this library; what needs it is left out')
        return None

    def num(self, value, field, default=None):
        got = self.get(value, field)
        return default if got is None else int(got)

    def is_ours(self, frame):
        """Is the frame in the library's own code?"""
        name, symtab = frame.name() or '', frame.find_sal().symtab
        if symtab is None:
            library_name = gdb.solib_name(frame.pc())
            return name.startswith('context_') or library_name == self.objfile.filename
        return os.path.normpath(symtab.fullname()).startswith(self.folders)


def is_known(name):
    try:
        gdb.parse_and_eval('(long)&' + name)
        return True
    except gdb.error:
        return False


def library():
    """The copy of Quoit that runs. Ends the command with what is missing if there is none."""
    if gdb.selected_thread() is None:
        fail('no process and no core: use `run`, `attach` or `core-file` first')
    seen = False
    for objfile in gdb.objfiles():
        anchor = lookup(objfile, 'quoit_init')
        if anchor is None or symbol_in(anchor, 'sched') is None:
            continue
        seen = True
        lib = Library(objfile, anchor)
        if int(lib.get(lib.sched, 'allp')) != 0 and int(lib.get(lib.sched, 'nodes')) != 0:
            return lib
    if seen and is_core():
        fail('Quoit did not run, or its memory is not in the core: the coredump_filter left it out')
    if seen:
        fail('Quoit does not run: not started yet, or ended')
    if is_known('quoit_init') or is_known('quoit_main'):
        lean = ', or the core lacks the list of loaded libraries' if is_core() else ''
        fail(f'libquoit has no debug information here{lean}: {HOW_DEBUG}')
    fail('this program does not use Quoit, or has not loaded it yet')


def is_core():
    return getattr(gdb.selected_inferior().connection, 'type', '') == 'core'


def guarded(run):
    """Errors in words that help."""
    @functools.wraps(run)
    def inner(*args):
        try:
            return run(*args)
        except gdb.MemoryError as e:
            why = NOT_SAVED if is_core() else 'the process is broken there, or about to end'
            raise gdb.GdbError(f'{e}: {why}') from e
        except gdb.error as e:
            if 'running' in str(e):
                raise gdb.GdbError(f'{e} Stop the program first.') from e
            raise gdb.GdbError(str(e)) from e
    return inner


# ---- goroutines ----------------------------------------------------------------------------------

class Goroutine:
    """A record in use; read once."""

    def __init__(self, lib, value):
        self.lib = lib
        self.value = value
        self.address = int(value.address)
        self.id = lib.num(value, 'id')
        self.status = lib.num(value, 'status')
        self.flags = lib.num(value, 'flags')
        self.stk = int(lib.get(value, 'stk'))
        self.child = None  # runs in place on this one's stack
        self.host = None   # and the other way round
        self.m = None      # that runs it

    def has(self, flag):
        return bool(self.flags & self.lib.enums[flag])

    def state(self):
        for name, value in STATES.items():
            if self.status == self.lib.enums[value]:
                return name
        return f'status {self.status}'

    def is_on(self):
        return self.status in (self.lib.enums['Grunning'], self.lib.enums['Gsyscall'])

    def name(self):
        name = self.lib.get(self.value, 'name') if self.has('G_NAMED') else None
        return '' if name is None else name.string(errors='replace')

    def title(self):
        return f'goroutine {self.id}' + (f' "{self.name()}"' if self.name() else '')

    def reason(self):
        if self.state() != 'waiting':
            return ''
        reason = self.lib.get(self.value, 'reason')
        if reason is None or int(reason) == 0:
            return ''
        return reason.string(errors='replace', length=80).split('\0')[0]

    def since(self):
        """Milliseconds that it has waited; None: not known."""
        now = self.lib.num(self.lib.sched, 'coarse')
        then = self.lib.num(self.value, 'since') if self.state() == 'waiting' else None
        if not now or then is None or self.child is not None:
            return None
        return (now - then) & 0xffffffff

    def saved_sp(self):
        """Where its registers lie, None where it has not started."""
        if self.stk == 0:
            return None
        return int(self.lib.get(self.lib.get(self.value, 'ctx'), 'sp'))

    def stack(self):
        """(low, start) of its stack, or None."""
        if self.stk == 0:
            return None
        stack = gdb.Value(self.stk).cast(self.lib.stack.pointer()).dereference()
        low, start = self.lib.num(stack, 'low'), self.lib.num(stack, 'start')
        return None if low is None or start is None else (low, start)

    def site(self):
        site = self.lib.num(self.value, 'born' if self.stk == 0 else 'site', 0)
        return place_of(site - 1) if site else ''


def records(lib):
    """Every record that is neither idle nor dead, whatever its state."""
    unused = (lib.enums['Gidle'], lib.enums['Gdead'])
    nodes = lib.get(lib.sched, 'nodes')
    for i in range(lib.num(lib.sched, 'nnodes')):
        at = lib.get(nodes[i], 'gslabs')
        while int(at) != 0:
            slab = at.cast(lib.slab.pointer()).dereference()
            first = lib.get(slab, 'g')[0].address
            for k in range(lib.num(slab, 'used')):
                g = (first + k).dereference()
                if lib.num(g, 'status') not in unused:
                    yield g
            at = lib.get(slab, 'link')


def goroutines(lib):
    """All of them by id, with who runs on whose stack, and on which M."""
    all_of = {}
    for value in records(lib):
        g = Goroutine(lib, value)
        all_of[g.id] = g
    at = {g.address: g for g in all_of.values()}
    for g in all_of.values():
        if g.has('G_INPLACE'):
            g.host = at.get(lib.num(g.value, 'host', 0))
            if g.host is not None:
                g.host.child = g
    for m in machines(lib):
        for field in 'prev', 'curg':  # the second counts for more
            g = at.get(lib.num(m, field, 0))
            if g is not None and g.is_on():
                g.m = m
    return dict(sorted(all_of.items()))


def machines(lib):
    found, at = [], lib.get(lib.sched, 'allm')
    while int(at) != 0:
        found.append(at.dereference())
        at = lib.get(found[-1], 'alllink')
    return sorted(found, key=lambda m: lib.num(m, 'id'))


def processors(lib):
    allp = lib.get(lib.sched, 'allp')
    return [allp[i].dereference() for i in range(lib.num(lib.sched, 'nprocs'))]


def id_at(lib, pointer):
    """The id of the goroutine, M or P behind the pointer; - for none."""
    return '-' if pointer is None or int(pointer) == 0 else lib.num(pointer.dereference(), 'id')


class Threads:
    """gdb's threads and the M's. A thread id that gdb does not know is one of another pid
    namespace: then the thread's own pointer (arch/tls.c) is asked."""

    def __init__(self, lib):
        self.by_tid = {t.ptid[1]: t for t in gdb.selected_inferior().threads()}
        self.by_m = {}
        if not any(lib.num(m, 'tid') in self.by_tid for m in machines(lib)):
            self.ask(lib)
        self.lib = lib

    def ask(self, lib):
        tls = lookup(lib.objfile, 'tls_self')
        with Looking():
            for thread in self.by_tid.values():
                thread.switch()
                try:
                    self.by_m[int(tls.value())] = thread
                except (gdb.error, AttributeError):
                    return  # without libthread_db nobody knows

    def of(self, m):
        return self.by_m.get(int(m.address)) or self.by_tid.get(self.lib.num(m, 'tid'))

    def selected_m(self):
        """The M of the selected thread, None in one that is not Quoit's."""
        selected = gdb.selected_thread()
        for m in machines(self.lib):
            thread = self.of(m)
            if thread is not None and thread.ptid == selected.ptid:
                return m
        return None


# ---- stacks --------------------------------------------------------------------------------------

class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class Parked(gdb.unwinder.Unwinder):
    """Puts a parked stack behind the newest frame of the selected thread."""

    def __init__(self):
        super().__init__('quoit')
        self.enabled = False
        self.newest = self.sp = self.pc = None

    def show(self, sp, pc):
        """From now on the selected thread's frames go on at sp and pc."""
        frame = gdb.newest_frame()
        self.newest = (int(frame.read_register('sp')), int(frame.read_register('pc')))
        self.sp, self.pc = sp, pc
        self.enabled = True
        gdb.invalidate_cached_frames()

    def hide(self):
        if self.enabled:
            self.enabled = False
            gdb.invalidate_cached_frames()

    def __call__(self, pending):
        sp_name, pc_name = registers(pending.architecture())
        sp, pc = pending.read_register(sp_name), pending.read_register(pc_name)
        # Not by its level: functions that are inlined there come first.
        if (int(sp), int(pc)) != self.newest:
            return None
        # Further in than the frame that follows, else gdb takes the stack for a corrupt one.
        info = pending.create_unwind_info(FrameId(gdb.Value(self.sp).cast(sp.type), pc))
        info.add_saved_register(sp_name, gdb.Value(self.sp).cast(sp.type))
        info.add_saved_register(pc_name, gdb.Value(self.pc).cast(pc.type))
        return info


parked = Parked()
gdb.unwinder.register_unwinder(None, parked, replace=True)


def registers(architecture):
    name = architecture.name()
    for begin, names in REGISTERS.items():
        if name.startswith(begin):
            return names
    return fail(f'Quoit does not know {name}')


class Looking:
    """Afterwards thread and frame are selected as before, and no stack is shown."""

    def __enter__(self):
        self.thread, self.frame = gdb.selected_thread(), None
        try:
            self.frame = gdb.selected_frame()
        except gdb.error:
            pass

    def __exit__(self, *exc):
        parked.hide()
        self.thread.switch()
        if self.frame is not None and self.frame.is_valid():
            self.frame.select()


def place_of(pc):
    """function at file:line; empty where nothing is known."""
    block, sal = gdb.block_for_pc(pc), gdb.find_pc_line(pc)
    while block is not None and block.function is None:
        block = block.superblock
    if block is None or block.function is None:
        return ''
    where = block.function.name
    if sal.symtab is not None:
        where += f' at {os.path.basename(sal.symtab.filename)}:{sal.line}'
    return where


def describe(frame):
    sal = frame.find_sal()
    where = frame.name() or f'{frame.pc():#x}'
    if sal.symtab is not None:
        where += f' at {os.path.basename(sal.symtab.filename)}:{sal.line}'
    return where


def frames(first):
    while first is not None:
        yield first
        first = first.older()


class Stack:
    """What there is to see of a goroutine's stack; to be used within Looking."""

    def __init__(self, g, threads):
        self.g = g
        self.thread = threads.of(g.m) if g.m is not None else None
        self.sp = None if g.is_on() else g.saved_sp()
        self.first = None

    def why_not(self):
        if self.g.is_on() and self.thread is None:
            return 'runs, but its thread is not there'
        if not self.g.is_on() and self.sp is None:
            fn = self.g.lib.get(self.g.value, 'fn')
            return 'has not started' + ('' if fn is None else f'; it begins at {fn}')
        return None

    def select(self):
        """Selects thread and newest frame."""
        parked.hide()
        if self.thread is not None:
            self.thread.switch()
            self.first = gdb.newest_frame()
        else:
            pc = int(gdb.parse_and_eval('(long)&context_parked'))
            parked.show(self.sp, pc)
            for frame in frames(gdb.newest_frame()):
                if (int(frame.read_register('sp')), frame.pc()) == (self.sp, pc):
                    self.first = frame
                    break
            else:
                fail(f'{self.g.title()}: its stack cannot be unwound')
        self.first.select()

    def users_frame(self):
        """The newest frame that is the program's own, or None: it jumped into the library. What a
        signal handler of ours was called by is none."""
        for frame in frames(self.first):
            if frame.name() in ('context_begin', 'context_call'):
                break
            if frame.type() != gdb.SIGTRAMP_FRAME and not self.g.lib.is_ours(frame):
                return frame
        return None

    def used(self):
        bounds = self.g.stack()
        if bounds is None:
            return ''
        low, start = bounds
        sp = int(self.first.read_register('sp')) if self.first is not None else start
        if not low <= sp <= start:
            return f'stack of {(start - low) >> 10} KiB'  # on a signal stack, or on its way
        return f'stack {start - sp} of {(start - low) >> 10} KiB'

    def backtrace(self, options):
        """gdb's own, without the frames of the thread that has lent itself."""
        self.select()
        level, on = self.first.level(), False
        joining = self.g
        text = gdb.execute('backtrace ' + options, to_string=True)
        for line in text.splitlines():
            number = re.match(r'#(\d+) ', line)
            if number:
                on = int(number.group(1)) >= level
            if on:
                gdb.write(line + '\n')
            if on and number and is_core() and re.search(r'#\d+ +0x0+ in \?\? ', line):
                gdb.write(f'-- {NOT_SAVED} --\n')
            if on and number and re.search(r'\bcontext_call \(', line) and joining.host:
                gdb.write(f'-- below: {joining.host.title()}, which joins {joining.title()} --\n')
                joining = joining.host


# ---- commands ------------------------------------------------------------------------------------

def table(rows, right):
    """Rows of equal length, the first one the heading; columns in `right` are numbers."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell.rjust(w) if head in right else cell.ljust(w)
                 for cell, w, head in zip(row, widths, rows[0])]
        gdb.write('  '.join(cells).rstrip() + '\n')


def pick(lib, text):
    """The goroutines that an argument names: an id or `all`."""
    found = goroutines(lib)
    if text == 'all':
        return list(found.values())
    if not re.fullmatch(r'[0-9]+', text):
        fail(f'"{text}" is no id of a goroutine: a number or `all` is wanted')
    if int(text) not in found:
        fail(f'there is no goroutine {text}; `quoit goroutines` lists those that have not ended')
    return [found[int(text)]]


def headline(g, stack):
    text = f'{g.title()} [{g.state()}'
    if g.reason():
        text += f': {g.reason()}'
    if g.since() is not None:
        text += f', {g.since()} ms'
    text += ']'
    if stack.thread is not None:
        text += f' on thread {stack.thread.num} (M{g.lib.num(g.m, "id")})'
    if g.host is not None:
        text += f', in place on the stack of {g.host.title()}'
    if g.child is not None:
        text += f', lends its stack to {g.child.title()}'
    return text


def selected_goroutine(lib, threads):
    m = threads.selected_m()
    return 0 if m is None else int(lib.get(m, 'curg'))


def details(g, stack):
    """The second line of `goroutines -v`."""
    parts = [f'record {g.address:#x}']
    if stack.used():
        parts.append(stack.used())
    parts += [word for flag, word in (('G_MAIN', 'main'), ('G_JOINABLE', 'joinable'),
                                      ('G_SYSTEM', 'the library\'s own')) if g.has(flag)]
    if g.host is not None:
        parts.append(f'in place on the stack of goroutine {g.host.id}')
    if g.child is not None:
        parts.append(f'lends its stack to goroutine {g.child.id}')
    if g.site():
        parts.append(f'made by {g.site()}')
    return ', '.join(parts)


def where(g, stack):
    fn = g.lib.num(g.value, 'fn', 0)
    begin = place_of(fn) or f'{fn:#x}'
    if stack.why_not():
        return stack.why_not() if g.is_on() else 'not started: ' + begin
    try:
        stack.select()
        frame = stack.users_frame()
        if frame is not None and frame.pc() == 0 and is_core():
            return 'its stack is not in the core'
        return begin if frame is None else describe(frame)
    except gdb.MemoryError as e:
        return f'not to be seen: {e}'


@guarded
def list_goroutines(argument):
    words = gdb.string_to_argv(argument)
    verbose = '-v' in words
    words = [w for w in words if w != '-v']
    if len(words) > 1 or words and words[0] not in STATES:
        fail('usage: quoit goroutines [-v] [' + '|'.join(STATES) + ']')
    lib = library()
    threads, count = Threads(lib), {}
    current = selected_goroutine(lib, threads)
    shown, seconds = [['', 'ID', 'STATE', 'REASON', 'MS', 'NODE', 'NAME', 'WHERE']], ['']
    with Looking():
        for g in goroutines(lib).values():
            count[g.state()] = count.get(g.state(), 0) + 1
            if words and g.state() != words[0]:
                continue
            stack = Stack(g, threads)
            since, node = g.since(), lib.num(g.value, 'node')
            shown.append(['*' if g.address == current else '', g.id, g.state(), g.reason(),
                          '' if since is None else since, '' if node is None else node, g.name(),
                          where(g, stack)])
            seconds.append(details(g, stack))
    if verbose:
        for row, second in zip(shown[1:], seconds[1:]):
            gdb.write(' '.join(str(cell) for cell in row if cell != '') + f'\n    {second}\n')
    else:
        table(shown, ['ID', 'MS', 'NODE'])
    states = ', '.join(f'{n} {state}' for state, n in sorted(count.items()))
    gdb.write(f'{sum(count.values())} goroutines' + (f': {states}' if states else '') + '\n')


@guarded
def backtraces(argument):
    words = gdb.string_to_argv(argument)
    full = [w for w in words if w in ('-full', 'full')]
    words = [w for w in words if w not in full]
    if len(words) != 1:
        fail('usage: quoit bt [-full] ID|all')
    lib = library()
    threads = Threads(lib)
    with Looking():
        for g in pick(lib, words[0]):
            stack = Stack(g, threads)
            gdb.write(headline(g, stack) + '\n')
            try:
                if stack.why_not():
                    gdb.write(f'    {stack.why_not()}\n')
                else:
                    stack.backtrace('-full' if full else '')
            except gdb.MemoryError as e:
                if words[0] != 'all':
                    raise
                gdb.write(f'    not to be seen: {e}\n')
            if words[0] == 'all':
                gdb.write('\n')


@guarded
def apply(argument):
    match = re.fullmatch(r'\s*(\S+)\s+(\S.*)', argument)
    if not match:
        fail('usage: quoit apply ID|all COMMAND')
    lib = library()
    threads = Threads(lib)
    with Looking():
        for g in pick(lib, match.group(1)):
            stack = Stack(g, threads)
            gdb.write(headline(g, stack) + '\n')
            if stack.why_not():
                gdb.write(f'    {stack.why_not()}\n')
                continue
            stack.select()
            (stack.users_frame() or stack.first).select()
            gdb.execute(match.group(2))


def segments(core):
    """(address, offset, bytes) of the memory in an ELF core."""
    head = struct.unpack('<16sHHIQQQIHHHHHH', core.read(64))
    count = head[10]
    if count == 0xffff:  # as many as that do not fit: the first section header knows
        core.seek(head[6])
        count = struct.unpack('<IIQQQQIIQQ', core.read(64))[7]
    core.seek(head[5])
    for fields in struct.iter_unpack('<IIQQQQQQ', core.read(56 * count)):
        if fields[0] == 1:
            yield fields[3], fields[2], fields[5]


def fill_in(core, loads, low, high):
    """Pages of the process into their places in the core; what cannot be read stays."""
    inferior = gdb.selected_inferior()
    for address, offset, size in loads:
        for page in range(max(low, address), min(high, address + size), PAGE):
            try:
                data = inferior.read_memory(page, PAGE)
            except gdb.MemoryError:
                continue
            core.seek(offset + page - address)
            core.write(data)


@guarded
def make_core(argument):
    lib = library()
    if is_core():
        fail('this is a core already')
    name = argument.strip() or f'core.{gdb.selected_inferior().pid}'
    gdb.execute('gcore ' + name)
    threads = Threads(lib)
    with open(os.path.expanduser(name), 'r+b') as core, Looking():
        loads = list(segments(core))
        for g in goroutines(lib).values():
            stack, bounds = Stack(g, threads), g.stack()
            if bounds is None or stack.why_not():
                continue
            stack.select()
            low, start = bounds
            sp = int(stack.first.read_register('sp'))
            # The red zone below, and above the record of the stack, which is in the same page.
            begin = max(low, sp - 128 if low <= sp <= start else low)
            fill_in(core, loads, begin // PAGE * PAGE, (start // PAGE + 1) * PAGE)
    gdb.write(f'and the stacks of the goroutines, in {name}\n')


def queued(lib, p):
    """How many are ready, and which is the next, and how many have not started."""
    runq, forkq = lib.get(p, 'runq'), lib.get(p, 'forkq')
    ready = unstarted = after = '-'
    if runq is not None:
        head, tail = lib.num(runq, 'head'), lib.num(runq, 'tail')
        if head is not None and tail is not None:
            ready = (tail - head) & 0xffffffff
        after = id_at(lib, lib.get(runq, 'next'))
    word = lib.num(forkq, 'word') if forkq is not None else None
    if word is not None:
        unstarted = ((word >> 16) - word) & 0xffff  # tail and head, as forkq.h packs them
    return ready, after, unstarted


def shared(lib):
    """Lengths of the nodes' queues."""
    nodes = lib.get(lib.sched, 'nodes')
    queues = [lib.get(nodes[i], 'runq') for i in range(lib.num(lib.sched, 'nnodes'))]
    return [lib.num(q, 'n', 0) for q in queues if q is not None]


def yes(lib, value, field):
    got = lib.num(value, field)
    return '' if got is None else 'yes' if got else ''


@guarded
def list_ps(argument):
    if argument.strip():
        fail('usage: quoit ps')
    lib = library()
    rows = [['P', 'CPU', 'CORE', 'NODE', 'M', 'G', 'READY', 'NEXT', 'UNSTARTED', 'TIMERS', 'TICK',
             'IDLE']]
    for p in processors(lib):
        place, m, timers = lib.get(p, 'place'), lib.get(p, 'm'), lib.get(p, 'timers')
        spot = ['-'] * 3 if place is None else [lib.num(place, f, '-')
                                                for f in ('cpu', 'core', 'node')]
        g = '-' if m is None or int(m) == 0 else id_at(lib, lib.get(m.dereference(), 'curg'))
        rows.append([lib.num(p, 'id'), *spot, id_at(lib, m), g, *queued(lib, p),
                     '-' if timers is None else lib.num(timers, 'n', '-'),
                     lib.num(p, 'schedtick', '-'), yes(lib, p, 'idle')])
    table(rows, rows[0][:-1])
    for i, n in enumerate(shared(lib)):
        gdb.write(f'shared queue of node {i}: {n}\n')


@guarded
def list_ms(argument):
    if argument.strip():
        fail('usage: quoit ms')
    lib = library()
    threads = Threads(lib)
    current = threads.selected_m()
    rows = [['', 'M', 'TID', 'THREAD', 'P', 'G', 'PENDING', 'INFLIGHT', 'INSIDE', 'SPINNING',
             'IDLE']]
    for m in machines(lib):
        thread = threads.of(m)
        rows.append(['*' if current is not None and m.address == current.address else '',
                     lib.num(m, 'id'), lib.num(m, 'tid'), '-' if thread is None else thread.num,
                     id_at(lib, lib.get(m, 'p')), id_at(lib, lib.get(m, 'curg')),
                     lib.num(m, 'poll_pending', '-'), lib.num(m, 'poll_inflight', '-'),
                     yes(lib, m, 'inside'), yes(lib, m, 'spinning'), yes(lib, m, 'idle')])
    table(rows, rows[0][1:8])


def number(cell):
    """As Go prints none."""
    return -1 if cell == '-' else cell


def trace_details(lib):
    for p in processors(lib):
        m = lib.get(p, 'm')
        gdb.write(f'  P{lib.num(p, "id")}: status={0 if yes(lib, p, "idle") else 1} '
                  f'schedtick={lib.num(p, "schedtick", 0)} m={number(id_at(lib, m))} '
                  f'runqsize={queued(lib, p)[0]}\n')
    for m in machines(lib):
        gdb.write(f'  M{lib.num(m, "id")}: p={number(id_at(lib, lib.get(m, "p")))} '
                  f'curg={number(id_at(lib, lib.get(m, "curg")))} '
                  f'locks={lib.num(m, "locks", 0)} '
                  f'spinning={"true" if yes(lib, m, "spinning") else "false"}\n')
    for g in goroutines(lib).values():
        m = -1 if g.m is None else lib.num(g.m, 'id')
        gdb.write(f'  G{g.id}: status={g.status}({g.reason()}) m={m}\n')


@guarded
def trace(argument):
    words = gdb.string_to_argv(argument)
    if words not in ([], ['-v']):
        fail('usage: quoit sched [-v]')
    lib = library()
    s, idle = lib.sched, [m for m in machines(lib) if yes(lib, m, 'idle')]
    line = (f'SCHED {lib.num(s, "coarse", 0)}ms: gomaxprocs={lib.num(s, "nprocs")} '
            f'idleprocs={lib.num(s, "npidle", 0)} threads={lib.num(s, "nm", 0)} '
            f'spinningthreads={lib.num(s, "nmspinning", 0)} idlethreads={len(idle)} '
            f'runqueue={sum(shared(lib))}')
    lengths = ' '.join(str(queued(lib, p)[0]) for p in processors(lib))
    gdb.write(line + ('' if words else f' [{lengths}]') + '\n')
    if words:
        trace_details(lib)


COMMANDS = {
    'quoit goroutines': (list_goroutines, """Lists the goroutines that have not ended.
Usage: quoit goroutines [-v] [runnable|running|syscall|waiting]
The one that the selected thread runs has a star. MS: how long it has waited. WHERE: the newest
frame that is not the library's. -v says more of each: record, stack, who made it."""),
    'info goroutines': (list_goroutines, """Lists Quoit's goroutines: see `quoit goroutines`."""),
    'quoit bt': (backtraces, """Shows the stack of a goroutine, or of all.
Usage: quoit bt [-full] ID|all
Of one that runs it is the stack of its thread. Nothing is written into the process."""),
    'quoit apply': (apply, """Runs a gdb command as if the goroutine were the selected thread.
Usage: quoit apply ID|all COMMAND
The newest frame that is not the library's is selected: `quoit apply 7 info locals`."""),
    'quoit gcore': (make_core, """Saves a core, the stacks of all goroutines included.
Usage: quoit gcore [FILE]
gdb's own `gcore` may give up at the guard of the first stack, and leave out all behind it. FILE is
core.PID unless told."""),
    'quoit ps': (list_ps, """Lists the P's: where they sit, who holds them, what is queued.
Usage: quoit ps
READY: queued on the P; NEXT: the goroutine that runs before these; UNSTARTED: never ran yet.
TIMERS: deadlines that are waited for on the P."""),
    'quoit ms': (list_ms, """Lists the M's, the kernel threads that run goroutines.
Usage: quoit ms
PENDING, INFLIGHT: operations of its ring, filled in and submitted."""),
    'quoit sched': (trace, """Prints what GODEBUG=schedtrace would print at this moment.
Usage: quoit sched [-v]
-v: one line more for each P, M and goroutine."""),
}


def command(name, run, text):
    def invoke(self, argument, from_tty):
        del self, from_tty
        run(argument)
    kind = type('Command', (gdb.Command,), {'__doc__': text, 'invoke': invoke})
    kind(name, gdb.COMMAND_STATUS)


class Prefix(gdb.Command):
    """Goroutines of the Quoit library, in processes and cores."""

    def __init__(self):
        super().__init__('quoit', gdb.COMMAND_STATUS, prefix=True)


class GoroutineFunction(gdb.Function):
    """$goroutine(ID): the record, a struct quoit_g *."""

    def __init__(self):
        super().__init__('goroutine')

    @guarded
    def invoke(self, wanted):
        return pick(library(), str(int(wanted)))[0].value.address


class GoidFunction(gdb.Function):
    """$_goid(): the id of the goroutine that the selected thread runs, 0 for none."""

    def __init__(self):
        super().__init__('_goid')

    @guarded
    def invoke(self):
        lib = library()
        m = Threads(lib).selected_m()
        curg = None if m is None else lib.get(m, 'curg')
        return 0 if curg is None or int(curg) == 0 else lib.num(curg.dereference(), 'id')


Prefix()
for command_name, (run_it, its_text) in COMMANDS.items():
    command(command_name, run_it, its_text)
GoroutineFunction()
GoidFunction()
