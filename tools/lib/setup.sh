# SPDX-License-Identifier: BSD-3-Clause
# setup.sh - what tools/quickstart and tools/check share: packages, and configuring a build once.
# Sourced by both, from the root of the checkout, under `set -eu`.
# shellcheck shell=sh disable=SC2034

# "a|b": either will do, the first that this release has. "name~": good to have, not needed.
packages_build="gcc libc6-dev binutils meson pkgconf liburing-dev libnuma-dev libhwloc-dev
    libxxhash-dev libjansson-dev"
packages_check="g++~ scdoc~ strace~ gdb~ protobuf-c-compiler~ libprotobuf-c-dev~ zlib1g-dev~"
packages_full="clang~ libclang-rt-dev|libclang-rt-14-dev~ valgrind~ libc6-dbg~
    gcc-aarch64-linux-gnu~ libc6-dev-arm64-cross~ qemu-user-static|qemu-user~ qemu-system-x86~
    redis-tools~ lld~"
# Debian's and Ubuntu's names of the newest kernel that is made for guests.
packages_kernel="linux-image-cloud-amd64 linux-image-virtual"

# Where the package manager is another one: what the build looks for, by its own names.
commands_build="cc ld ar objcopy python3 meson ninja pkg-config"
modules_build="liburing numa hwloc libxxhash jansson"

say()
{
    printf '%s\n' "$*"
}

complain()
{
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
}

have()
{
    command -v "$1" >/dev/null 2>&1
}

installed()
{
    test "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed
}

# The packages of a list that are not here, in the notation of the lists.
missing_packages()
{
    for item in "$@"; do
        found=no
        for name in $(printf '%s' "${item%\~}" | tr '|' ' '); do
            if installed "$name"; then
                found=yes
            fi
        done
        if [ $found = no ]; then
            printf '%s ' "$item"
        fi
    done
}

# Those of a list that the build cannot do without.
needed_packages()
{
    for item in "$@"; do
        if [ "$item" = "${item%\~}" ]; then
            printf '%s ' "$item"
        fi
    done
}

# One name for each item, as far as the package lists know them; nothing for what may be left out.
resolve_packages()
{
    for item in "$@"; do
        first='' chosen=''
        for name in $(printf '%s' "${item%\~}" | tr '|' ' '); do
            first=${first:-$name}
            if [ -z "$chosen" ] && [ -n "$(apt-cache madison "$name" 2>/dev/null)" ]; then
                chosen=$name
            fi
        done
        if [ -n "$chosen" ]; then
            printf '%s ' "$chosen"
        elif [ "$item" = "${item%\~}" ]; then
            printf '%s ' "$first"
        fi
    done
}

# Runs a command as root, or says that nobody can.
as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

can_be_root()
{
    [ "$(id -u)" = 0 ] || { have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

apt()
{
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a \
        apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

apt_install()
{
    test $# = 0 || apt install -y --no-install-recommends "$@" >>build/apt.log 2>&1
}

install_by_apt()
{
    missing=$(missing_packages "$@")
    if [ -z "$missing" ]; then
        return 0
    fi
    # What this release does not have was found out once; to ask again would cost an update.
    if [ "$(cat build/.unavailable 2>/dev/null)" = "$missing" ]; then
        return 0
    fi
    if ! can_be_root; then
        # shellcheck disable=SC2086
        if [ -z "$(needed_packages $missing)" ]; then
            say "not installed, so what needs it is skipped: $(printf '%s' "$missing" | tr -d '~')"
            return 0
        fi
        complain "packages are missing, and I may not install them; run this as root:"
        # shellcheck disable=SC2086
        say "apt-get update && apt-get install -y --no-install-recommends" \
            $(resolve_packages $missing)
        return 3
    fi
    say "installing: $(printf '%s' "$missing" | tr -d '~')"
    apt update >build/apt.log 2>&1 || complain "apt-get update failed; I try the lists there are"
    # shellcheck disable=SC2046,SC2086
    if ! apt_install $(resolve_packages $missing); then
        # One package that is only good to have must not keep the others away.
        needed=$(needed_packages $missing)
        if [ "$needed" = "$missing" ] || ! apt_install $(resolve_packages $needed); then
            tail -n 20 build/apt.log >&2
            complain "apt-get install failed; all it said is in build/apt.log"
            return 3
        fi
        complain "not all could be installed, and what needs the rest is skipped; see build/apt.log"
        return 0
    fi
    # shellcheck disable=SC2086
    missing_packages "$@" >build/.unavailable
}

# Another distribution: we do not know its packages' names, but what is not there can be named.
check_by_hand()
{
    missing=
    for c in $commands_build; do
        have "$c" || missing="$missing $c"
    done
    if have pkg-config; then
        for m in $modules_build; do
            pkg-config --exists "$m" || missing="$missing $m.pc"
        done
    else
        missing="$missing and the development files of $modules_build"
    fi
    if [ -n "$missing" ]; then
        complain "this is neither Debian nor Ubuntu; install these by hand and run this again:"
        say "missing:$missing"
        return 3
    fi
}

# install_packages LIST...: everything is here afterwards, or 3 is returned and it was said why.
install_packages()
{
    mkdir -p build
    if have apt-get && have dpkg-query; then
        # shellcheck disable=SC2068
        install_by_apt $@
    else
        check_by_hand
    fi
}

# The package that one of the names above stands for, or nothing.
kernel_package()
{
    for name in $packages_kernel; do
        package=$(apt-cache depends --important "$name" 2>/dev/null |
            sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
        if [ -n "$package" ]; then
            say "$package"
            return 0
        fi
    done
}

# A kernel to boot guests with, where tools/qemu/numa.sh looks for it, unless there is one. It is
# taken out of its package, not installed: that would change how this machine boots.
find_kernel()
{
    if [ -n "${QUOIT_KERNEL:-}" ] || [ "$(uname -m)" != x86_64 ]; then
        return 0
    fi
    for kernel in /boot/vmlinuz-* build/kernel/boot/vmlinuz-*; do
        if [ -r "$kernel" ]; then
            return 0
        fi
    done
    # A machine that lacked nothing else may have no package lists.
    if have apt-get && [ -z "$(kernel_package)" ] && can_be_root; then
        apt update >>build/apt.log 2>&1 || true
    fi
    if ! have apt-get || [ -z "$(kernel_package)" ]; then
        say "no kernel for guests: neither in /boot nor in the package lists"
        return 0
    fi
    say "taking a kernel for guests out of $(kernel_package)"
    rm -rf build/kernel
    mkdir -p build/kernel
    (cd build/kernel && apt-get -q download "$(kernel_package)" &&
        dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards './boot/vmlinuz-*' &&
        rm -f ./*.deb) >build/kernel.log 2>&1 ||
        complain "no kernel could be had; all it said is in build/kernel.log"
}

# configure DIR ARG...: meson setup, unless that was done with the same arguments.
configure()
{
    dir=$1
    shift
    wanted="${CC:-cc} $(meson --version) $*"
    before=$(cat "$dir/.configured-with" 2>/dev/null || true)
    if [ -f "$dir/build.ninja" ] && [ "$before" = "$wanted" ]; then
        return 0
    fi
    rm -rf "$dir"
    meson setup "$dir" -Db_colorout=auto "$@" >"$dir.log" 2>&1 || {
        tail -n 30 "$dir.log"
        return 1
    }
    printf '%s\n' "$wanted" >"$dir/.configured-with"
}
