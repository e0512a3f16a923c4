#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# morestack.sh SOURCE ARCHIVE ARCHLIB TAPLIB - stack checks by each compiler and linker
#
# Builds tests/unit/split.c and test-morestack.c as programs are that are compiled with
# -fsplit-stack, in all the kinds of linking, and runs them. What is not installed is skipped.
set -eu

source=$1 archive=$2 arch=$3 tap=$4
unit=$source/tests/unit
include="-I$source/arch -I$source/arch/x86_64 -I$source/tests/lib -D_GNU_SOURCE -std=gnu11"
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
count=0 failed=0

result()
{
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok - $2"
    else
        echo "not ok - $2"
        sed 's/^/# /' "$t/log"
        failed=1
    fi
}

skip()
{
    count=$((count + 1))
    echo "ok - # SKIP $1"
}

# around CC: the program around split.c. What is not to have the check is no part of what a linker
# optimises as a whole.
around()
{
    # shellcheck disable=SC2086
    "$1" $include -O2 -fPIC -DNAME=_plain -c "$unit/split.c" -o "$t/plain.o"
    # shellcheck disable=SC2086
    "$1" $include -O2 -fPIC -c "$unit/test-morestack.c" -o "$t/main.o"
    "$1" -c "$unit/patterns.S" -o "$t/patterns.o"
}

# objects CC FLAG...: split.c at each level.
objects()
{
    cc=$1
    shift
    for level in O0 O1 O2 O3; do
        # shellcheck disable=SC2086
        "$cc" $include "$@" -fsplit-stack -$level -DNAME=_$level -c "$unit/split.c" \
            -o "$t/split-$level.o"
    done
}

# link NAME CC LINKER FLAG...: from what objects left.
link()
{
    name=$1 cc=$2 linker=$3
    shift 3
    if ! command -v "ld.$linker" >/dev/null; then
        skip "$name: no ld.$linker"
        return
    fi
    status=0
    { "$cc" -fuse-ld="$linker" "$@" "$t"/*.o "$archive" "$arch" "$tap" -pthread -o "$t/program" &&
        "$t/program"; } >"$t/log" 2>&1 || status=$?
    result $status "$name"
}

# The functions in a library of the program's, which has a __morestack of its own.
link_shared()
{
    status=0
    { "$1" -shared -o "$t/libsplit.so" "$t"/split-*.o "$archive" \
          -Wl,--unresolved-symbols=ignore-all &&
        "$1" -Wl,--export-dynamic "$t/main.o" "$t/plain.o" "$t/patterns.o" "$t/libsplit.so" \
          "$archive" "$arch" "$tap" -pthread -Wl,-rpath,"$t" \
          -Wl,-u,quoit_preempt_enter_ -o "$t/program" &&
        "$t/program"; } >"$t/log" 2>&1 || status=$?
    result $status "$1, a shared library"
}

for cc in gcc clang; do
    if ! command -v $cc >/dev/null; then
        skip "no $cc"
        continue
    fi
    around $cc
    objects $cc
    for linker in bfd gold lld; do
        link "$cc, $linker" $cc $linker
    done
    link "$cc, static" $cc bfd -static
    objects $cc -fPIC
    link_shared $cc
    objects $cc -fno-pie
    link "$cc, no PIE" $cc bfd -no-pie
    # gold and lld refuse what begins with a landing pad.
    objects $cc -fcf-protection=full
    link "$cc, landing pads" $cc bfd
    objects $cc -flto
    case $cc in
    gcc) link "$cc, at link time" $cc bfd -flto -fsplit-stack ;;
    *) link "$cc, at link time" $cc lld -flto ;;
    esac
done
if command -v gcc >/dev/null; then
    around gcc
    objects gcc -maccumulate-outgoing-args -march=native
    link "gcc, arguments stored and not pushed" gcc bfd
fi
echo "1..$count"
exit $failed
