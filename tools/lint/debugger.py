#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What tools/gdb/quoit.py knows by name is there: fields, enumerators, functions and variables.

The script leaves out what a library lacks, so that it survives one of another time. A rename in
this tree would then be met by a user; here it is met by who renames.
"""
import ast
import os
import re

import tree

SCRIPT = os.path.join('tools', 'gdb', 'quoit.py')
TABLES = ['USES', 'NEEDED', 'ENUMS', 'SYMBOLS']


def tables_of(text):
    """Name -> (value, line) of the tables at the top of the script."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') in TABLES:
            found[node.targets[0].id] = (ast.literal_eval(node.value), node.lineno)
    return found


def words_of(text):
    """The strings of the script outside its tables: what it asks for."""
    found = set()
    for node in ast.parse(text).body:
        if not (isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') in TABLES):
            found.update(n.value for n in ast.walk(node)
                         if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return found


def body_at(text, brace):
    """What stands between the brace at that index and the one that closes it."""
    depth = 0
    for i in range(brace, len(text)):
        depth += (text[i] == '{') - (text[i] == '}')
        if depth == 0:
            return text[brace + 1:i]
    return ''


def definitions(root):
    """(kind, tag) -> the set of names of each definition; a cpu or a test may have its own."""
    found, words = {}, set()
    for path in tree.files(root, tree.FLOORS, tree.CODE):
        text = tree.without_comments(tree.read(root, path)).replace('cacheline_aligned', '')
        words.update(re.findall(r'\w+', text))
        for match in re.finditer(r'\b(struct|enum)\s+(\w+)\s*\{', text):
            body = body_at(text, match.end() - 1)
            if match.group(1) == 'struct':
                names = re.findall(r'(\w+)\s*(?:\[[^]]*\])*\s*(?::\s*\d+)?\s*[;,]', body)
            else:
                names = re.findall(r'(\w+)\s*(?:=[^,]*)?(?:,|$)', body.strip())
            found.setdefault(match.groups(), []).append(set(names))
    return found, words


def main():
    root = tree.arguments(__doc__)
    out, count = tree.Complaints(), 0
    tables = tables_of(tree.read(root, SCRIPT))
    found, words = definitions(root)
    for table, kind in ('USES', 'struct'), ('NEEDED', 'struct'), ('ENUMS', 'enum'):
        names_of, line = tables[table]
        for tag, names in names_of.items():
            if (kind, tag) not in found:
                out.add(SCRIPT, line, f'{table}: there is no {kind} {tag}')
            for there in found.get((kind, tag), []):
                for name in sorted(set(names) - there):
                    out.add(SCRIPT, line, f'{table}: {kind} {tag} has no {name}')
            count += len(names)
    for tag, names in tables['NEEDED'][0].items():
        for name in sorted(set(names) - set(tables['USES'][0].get(tag, []))):
            out.add(SCRIPT, tables['NEEDED'][1], f'NEEDED: {tag}.{name} is not in USES')
    asked = words_of(tree.read(root, SCRIPT))
    for table in 'USES', 'ENUMS':
        for tag, names in tables[table][0].items():
            for name in sorted(set(names) - asked):
                out.add(SCRIPT, tables[table][1], f'{table}: {tag}.{name} is not used')
    names, line = tables['SYMBOLS']
    for name in sorted(set(names) - words):
        out.add(SCRIPT, line, f'SYMBOLS: there is no {name}')
    out.exit(count + len(names), 'names')


main()
