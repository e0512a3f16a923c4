#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# numa.sh - runs one program in a guest with several NUMA nodes and brings back what it says
#
#     numa.sh NODES INIT PROGRAM
#
# NODES is 2 or 4, of two cpus each; with 4 the distances are uneven. INIT is the
# guest's init, linked statically. PROGRAM gets the table of distances as its
# arguments, row by row. Needs no root and no /dev/kvm. The kernel is
# $QUOIT_KERNEL, or the newest /boot/vmlinuz-* that can be read, or the one that
# tools/check has put into build/kernel. Exit status: that of PROGRAM; 0 after a
# TAP line that says why, when the machine lacks something; 1 when the guest did
# not come to its end.
set -u

skip() {
    echo "1..0 # SKIP $1"
    exit 0
}

[ $# -eq 3 ] || { echo "usage: numa.sh NODES INIT PROGRAM" >&2; exit 2; }
nodes=$1 init=$2 program=$3
case $nodes in
2) table=(10 21 21 10) ;;
4) table=(10 16 22 28 16 10 28 22 22 28 10 16 28 22 16 10) ;;
*) echo "numa.sh: $nodes nodes: only 2 or 4 are known" >&2; exit 2 ;;
esac
[ "$(uname -m)" = x86_64 ] || skip "guests are x86_64 only"
command -v qemu-system-x86_64 >/dev/null || skip "no qemu-system-x86_64"
command -v python3 >/dev/null || skip "no python3"
kernel=${QUOIT_KERNEL:-}
if [ -z "$kernel" ]; then
    tree=$(dirname "$0")/../..
    for k in $(ls -v "$tree"/build/kernel/boot/vmlinuz-* 2>/dev/null) \
        $(ls -v /boot/vmlinuz-* 2>/dev/null); do
        [ -r "$k" ] && kernel=$k
    done
fi
[ -r "$kernel" ] || skip "no kernel to boot: set QUOIT_KERNEL to a bzImage with NUMA"

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# The root: init, the program and the libraries it names. Written by hand, as cpio is rarely there.
python3 - "$dir/root" "$init" "$program" <<'PY' || exit 1
import os, stat, subprocess, sys
out, init, program = sys.argv[1:]
files = {'init': init, 'program': program}
for line in subprocess.run(['ldd', program], capture_output=True, text=True).stdout.splitlines():
    for word in line.split():
        if word.startswith('/'):
            files[word.lstrip('/')] = word
with open(out, 'wb') as f:
    number = 0
    def entry(name, mode, data):
        global number
        number += 1
        head = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        f.write(b'070701' + b''.join(b'%08X' % v for v in head) + name.encode() + b'\0')
        f.write(b'\0' * (-f.tell() % 4) + data)
        f.write(b'\0' * (-f.tell() % 4))
    made = set()
    for name, path in sorted(files.items()):
        parts = name.split('/')[:-1]
        for i in range(len(parts)):
            folder = '/'.join(parts[:i + 1])
            if folder not in made:
                made.add(folder)
                entry(folder, stat.S_IFDIR | 0o755, b'')
        with open(path, 'rb') as src:
            entry(name, stat.S_IFREG | 0o755, src.read())
    entry('TRAILER!!!', 0, b'')
PY

machine=(-smp "$((2 * nodes)),sockets=$nodes,cores=2,threads=1" -m "$((256 * nodes))M")
for ((i = 0; i < nodes; i++)); do
    machine+=(-object "memory-backend-ram,id=m$i,size=256M"
              -numa "node,nodeid=$i,memdev=m$i,cpus=$((2 * i))-$((2 * i + 1))")
done
for ((i = 0; i < nodes; i++)); do
    for ((j = 0; j < nodes; j++)); do
        [ "$i" = "$j" ] || machine+=(-numa "dist,src=$i,dst=$j,val=${table[i * nodes + j]}")
    done
done
boot() {
    timeout "${QUOIT_GUEST_SECONDS:-240}" qemu-system-x86_64 \
        -machine pc -accel tcg,thread=multi -cpu max "${machine[@]}" \
        -nodefaults -display none -no-reboot \
        -serial "file:$dir/kernel" -serial "file:$dir/said" \
        -kernel "$kernel" -initrd "$dir/root" \
        -append "console=ttyS0 panic=-1 softlockup_panic=1 tsc=unstable -- /program ${table[*]}" \
        </dev/null
}

# Under emulation a cpu of the guest sometimes hangs in its kernel's own start. Where the program
# has not begun that says nothing about it.
for ((tries = 3; tries > 0; tries--)); do
    boot
    [ -s "$dir/said" ] && break
done
status=$(tr -d '\r' <"$dir/said" | sed -n '$s/^exit //p')
tr -d '\r' <"$dir/said" | sed '$ { /^exit /d }'
if [ -z "$status" ]; then
    echo "Bail out! the guest did not come to its end; its kernel said last:"
    tail -n 20 "$dir/kernel" | sed 's/^/# /'
    exit 1
fi
exit "$status"
