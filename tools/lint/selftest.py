#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A lint that cannot fail is a defect: each is fed a sound tree, then the same with one fault.

selftest.py LINT, the name of a file here. TAP on stdout. Without faults the lint must be silent;
with one it must fail and say the words listed beside it.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = '/* SPDX-License-Identifier: BSD-3-Clause */\n'
LONG = 'static void f(void)\n{\n' + '    g();\n' * 61 + '}\n'
GDB = ('# SPDX-License-Identifier: BSD-3-Clause\n'
       'USES = {"p": ["id", "near"]}\nNEEDED = {"p": ["id"]}\n'
       'ENUMS = {"gstate": ["Gdead"]}\nSYMBOLS = ["allp"]\n'
       'ask("id", "near", "Gdead")\n')

SOUND = {
    'arch/atomic.h': TOP + '#define load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)\n',
    'numa/include/quoit_numa.h': TOP + '#include <stddef.h>\n',
    'numa/topo.h': TOP,
    'numa/topo.c': TOP + '#include "topo.h"\n\n#include "atomic.h"\n\n#include <hwloc.h>\n',
    'sched/include/quoit.h': TOP + '#include "quoit_numa.h"\n',
    'sched/gmp.h': TOP + '#include "topo.h"\n\nstruct p {\n    int id, *near[2];\n};\n'
                         'enum gstate { Gidle, Gdead = 4 };\nextern struct p *allp;\n',
    'sched/runq.h': TOP + '/* order RUNQ-PUB in: filled; out: runqput */\n'
                          't = load_acquire(&q->tail);\n',
    'sched/runq.c': TOP + '#include "runq.h"\n\n#include "topo.h"\n\n#include "gmp.h"\n\n'
                          '#include <stdio.h>\n'
                          '/* order RUNQ-PUB out: filled; in: runqget */\n'
                          'store_release(&q->tail,\n              1);\n',
    'uring/ring.c': TOP + '#include "gmp.h"\n\n#include <liburing.h>\n',
    'tools/gdb/quoit.py': GDB,
    'tools/quoit-x.c': TOP + '#include "quoit.h"\n',
    'sched/quoit.map': '# ' + TOP + 'QUOIT_0.1 {\n    global:\n        quoit_go;\n'
                       '        quoit_run;\n    local:\n        *;\n};\n',
    'Documentation/meson.build': '# ' + TOP + "  'man/quoit_go.3.scd',\n",
    'Documentation/man/quoit_go.3.scd': '# NAME\n\nquoit_go, quoit_run - start\n',
    'tests/model/broken/runq-pub.c': TOP,
    'Documentation/memory-order.md':
        '| Edge | from | broken twin |\n|---|---|---|\n| RUNQ-PUB | runqput | runq-pub.c |\n',
}

# What is written where, and what the lint must say of it.
FAULTS = {
    'debugger': [
        ('tools/gdb/quoit.py', GDB.replace('"near"', '"far"'), 'struct p has no far'),
        ('tools/gdb/quoit.py', GDB.replace('{"p": ["id", "', '{"q": ["id", "'), 'no struct q'),
        ('tools/gdb/quoit.py', GDB.replace('["id"]', '["idle"]'), 'p.idle is not in USES'),
        ('tools/gdb/quoit.py', GDB.replace('Gdead', 'Gone'), 'enum gstate has no Gone'),
        ('tools/gdb/quoit.py', GDB.replace('allp', 'allm'), 'there is no allm'),
        ('tools/gdb/quoit.py', GDB.replace('ask("id", ', 'ask('), 'p.id is not used'),
        ('arch/x86_64/p.h', TOP + 'struct p { int id; };\n', 'struct p has no near'),
    ],
    'includes': [
        ('numa/order.c', TOP + '#include "gmp.h"\n', 'is above'),
        ('arch/cpu.c', TOP + '#include "topo.h"\n', 'is above'),
        ('uring/op.c', TOP + '#include "nowhere.h"\n', 'stands on no floor'),
        ('uring/op.c', TOP + '#include <gmp.h>\n', 'write it in quotes'),
        ('sched/m.c', TOP + '#include <hwloc.h>\n', 'only'),
        ('uring/op.c', TOP + '#include <liburing.h>\n', 'only'),
        ('uring/include/quoit_io.h', TOP + '#include "gmp.h"\n', 'not installed'),
        ('tools/quoit-top.c', TOP + '#include "gmp.h"\n', 'private'),
        ('sched/m.c', TOP + '#include "gmp.h"\n\n#include "topo.h"\n', 'comes before'),
        ('sched/m.c', TOP + '#include <stdio.h>\n\n#include "gmp.h"\n', 'comes before'),
        ('sched/m.c', TOP + '#include "topo.h"\n#include "gmp.h"\n', 'blank line is missing'),
    ],
    'orders': [
        ('sched/m.c', TOP + 'x = load_acquire(&y);\n', 'has no `order'),
        ('sched/m.c', TOP + '/* order RUNQ-PUB in: a */\n\nx = load_acquire(&y);\n', 'has no'),
        ('sched/m.c', TOP + '/* order RUNQ-PUB in: a */\nf();\nx = load_acquire(&y);\n', 'has no'),
        ('uring/op.c', TOP + 'if (a &&\n    cas_acq_rel(&y, &s, 1))\n', 'has no `order'),
        ('sched/m.c', TOP + 'fence_full();\n', 'has no `order'),
        ('sched/m.c', TOP + '/* order RUNQ-PUB out: a */\nx = load_acquire(&y);\n', 'it is not'),
        ('sched/m.c', TOP + '/* order LONELY in: a */\nx = load_acquire(&y);\n', 'has one end'),
        ('sched/m.c', TOP + '/* order NEW in: a */\nx = load_acquire(&y);\n'
                            '/* order NEW out: a */\nstore_release(&y, 1);\n', 'has no row'),
        ('Documentation/memory-order.md', '| RUNQ-PUB | runqput | none |\n', 'no broken twin'),
        ('Documentation/memory-order.md', '| RUNQ-PUB | runqput | gone.c |\n', 'does not exist'),
        ('Documentation/memory-order.md',
         '| RUNQ-PUB | a | runq-pub.c |\n| OLD | a | runq-pub.c |\n', 'nowhere in the code'),
    ],
    'pages': [
        ('sched/quoit.map', 'global:\n    quoit_new;\n', 'quoit_new has no man page'),
        ('Documentation/man/quoit_x.3.scd', '# NAME\n\nquoit_x - do x\n', 'is not listed'),
        ('Documentation/man/quoit_go.3.scd', '# NAME\n\nquoit_run - x\n', 'does not say quoit_go'),
        ('Documentation/man/quoit_go.9.scd', '# NAME\n\nquoit_go - x\n', 'section 9'),
    ],
    'style': [
        ('sched/m.c', 'int x;\n', 'the first line'),
        ('tools/lint/new.py', '#!/usr/bin/env python3\n', 'the first line'),
        ('sched/m.c', TOP + 'int x; \n', 'blanks at the end'),
        ('sched/m.c', TOP + '\tint x;\n', 'a tab'),
        ('sched/m.c', TOP + 'int ' + 'x' * 97 + ';\n', '102 columns'),
        ('sched/m.c', TOP + 'int x;', 'no newline'),
        ('sched/m.c', TOP + '/* TO' + 'DO: it */\n', 'no way to keep notes'),
        ('sched/m.c', TOP + '/* Copy' + 'right me */\n', 'LICENSE only'),
        ('sched/m.c', TOP + 'x = __atomic_load_n(&y, __ATOM' + 'IC_RELAXED);\n', 'atomic.h only'),
        ('sched/m.c', TOP + LONG, 'a function of 61 lines'),
        ('sched/m.c', TOP + 'int x;\n' * 500, '501 lines'),
    ],
}
SOUND_TOO = {
    'debugger': [('arch/aarch64/p.h', TOP + 'struct p { int id; int near; void *more; };\n')],
    'includes': [('sched/m.c', TOP + '#include "topo.h"\n#ifdef X\n#include "atomic.h"\n#endif\n')],
    'pages': [('sched/quoit.map', '# nothing yet but\n    quoit_inner_;\n')],
    'orders': [('sched/m.c', TOP + '/* load_acquire(x) is only spoken of */\n')],
    'style': [('sched/m.c', TOP + '/* As long as the table it walks. */\n' + LONG)],
}

LIBRARY = {
    'quoit.h': 'int quoit_a(void);\nint quoit_b(int);\n'
               'static inline int quoit_c(void) { return quoit_a(); }\n',
    'quoit.c': 'int quoit_a(void) { return 1; }\nint quoit_b(int x) { return x; }\n',
    'quoit.map': 'QUOIT_0.1 {\n    global:\n        quoit_a;\n        quoit_b;\n'
                 '    local: *;\n};\n',
}
LIBRARY_FAULTS = [
    ('quoit.h', 'int quoit_z(void);\n', 'not in the map, but in the headers: quoit_z'),
    ('quoit.h', None, 'in the map, but not in the headers: quoit_b'),
    ('quoit.c', 'int ready(void) { return 1; }\n', 'not a name of ours in the archive: ready'),
    ('quoit.map', 'QUOIT_0.2 { global: quoit_y; };\n',
     'in the map, but not in the shared: quoit_y'),
    ('quoit.map', 'QUOIT_0.2 { global: ready; };\n', 'not a name of ours in the map: ready'),
]

tests = 0


def ok(held, name, said=''):
    global tests
    tests += 1
    print(('ok' if held else 'not ok') + f' - {name}')
    if not held:
        for line in said.splitlines():
            print('# ' + line)


def write(root, path, text):
    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
    with open(os.path.join(root, path), 'w', encoding='utf-8') as f:
        f.write(text)


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return done.returncode, done.stdout


def lint_tree(lint, changes):
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**SOUND, **dict(changes)}.items():
            write(root, path, text)
        return run(sys.executable, os.path.join(HERE, lint + '.py'), '--root', root)


def lint_library(path=None, more=None):
    """Builds LIBRARY with `more` appended to `path` (None: its second line taken away)."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in LIBRARY.items():
            if name == path:
                text = text + more if more else text.replace('int quoit_b(int);\n', '')
            write(root, name, text)
        at = {name: os.path.join(root, name) for name in LIBRARY}
        shared, member = os.path.join(root, 'libquoit.so'), os.path.join(root, 'quoit.o')
        archive = os.path.join(root, 'libquoit.a')
        cc = os.environ.get('CC', 'cc').split()
        for command in (cc + ['-fPIC', '-c', '-o', member, at['quoit.c']],
                        cc + ['-shared', '-o', shared, member,
                              '-Wl,--version-script=' + at['quoit.map']],
                        ['ar', 'rcs', archive, member]):
            status, said = run(*command)
            if status != 0:
                return status, said
        return run('sh', os.path.join(HERE, 'symbols.sh'), shared, archive, at['quoit.map'],
                   at['quoit.h'])


def main(lint):
    if lint == 'symbols':
        status, said = lint_library()
        ok(status == 0, 'a sound library passes', said)
        for path, more, words in LIBRARY_FAULTS:
            status, said = lint_library(path, more)
            ok(status != 0 and words in said, words, said)
    else:
        for changes in [[]] + [[extra] for extra in SOUND_TOO[lint]]:
            status, said = lint_tree(lint, changes)
            ok(status == 0, 'a sound tree passes', said)
        for path, text, words in FAULTS[lint]:
            status, said = lint_tree(lint, [(path, text)])
            ok(status != 0 and words in said, f'{path}: {words}', said)
    print(f'1..{tests}')


main(sys.argv[1])
