#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# installed.sh BUILD SOURCE CC... - Quoit as a stranger finds it
#
# Installs into a folder of its own, takes the program of the README, builds it by what pkg-config
# says, with the shared library and with the archive, and runs both.
set -eu

build=$1 source=$2
shift 2
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT

if ! command -v meson >/dev/null || ! command -v pkg-config >/dev/null; then
    echo "1..0 # SKIP meson or pkg-config is not in PATH"
    exit 0
fi
echo 1..8
failed=0

result()
{
    if [ "$1" = 0 ]; then
        echo "ok - $2"
    else
        echo "not ok - $2"
        sed 's/^/# /' "$t/log"
        failed=1
    fi
}

try()
{
    what=$1
    shift
    status=0
    "$@" >"$t/log" 2>&1 || status=$?
    result $status "$what"
}

run()
{
    what=$1
    shift
    status=0
    "$@" >"$t/log" 2>&1 || status=$?
    sort "$t/log" >"$t/sorted"
    printf 'hello from another\nhello from one\n' | cmp -s - "$t/sorted" || status=1
    result $status "$what"
}

try "it installs" meson install -C "$build" --no-rebuild --quiet --destdir "$t/root"
pc=$(find "$t/root" -name quoit.pc)
lib=$(dirname "$(dirname "$pc")")
prefix=$t/root$(pkg-config --variable=prefix "$pc")

sed -n '/^```c$/,/^```$/p' "$source/README.md" | sed '/^```/d' >"$t/hello.c"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH

# shellcheck disable=SC2046
try "the README's program builds" "$@" -Wall -Wextra -Werror -o "$t/shared" "$t/hello.c" \
    $(pkg-config --define-variable=prefix="$prefix" --cflags --libs quoit)
run "and runs with the shared library" env LD_LIBRARY_PATH="$lib" "$t/shared"

# What Quoit leans on is linked as shared libraries: --static would ask for all that these lean on.
behind=$(pkg-config --print-requires-private quoit | sed 's/ .*//')
# shellcheck disable=SC2046,SC2086
try "it builds with the archive" "$@" -o "$t/static" "$t/hello.c" \
    $(pkg-config --define-variable=prefix="$prefix" --cflags quoit) "$lib/libquoit.a" \
    $(pkg-config --libs $behind) -pthread
run "and runs with the archive" "$t/static"
if ldd "$t/static" >"$t/log" 2>&1; then
    status=0
    grep -q libquoit "$t/log" && status=1
    result $status "without the shared library"
else
    echo "ok - # SKIP ldd does not run here"
fi

# Code that is compiled to be preempted, where there is a compiler for it.
if [ -f "$(dirname "$pc")/quoit-preempt.pc" ]; then
    # shellcheck disable=SC2046
    try "it builds with a check in each function" "$@" -o "$t/preempt" "$t/hello.c" \
        $(pkg-config --define-variable=prefix="$prefix" --cflags --libs quoit-preempt)
    run "and runs" env LD_LIBRARY_PATH="$lib" "$t/preempt"
else
    echo "ok - # SKIP no split stacks on this cpu"
    echo "ok - # SKIP so nothing is built with them"
fi
exit $failed
