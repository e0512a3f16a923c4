#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# test-check.sh SOURCE - tools/check has a last word, however it ends
#
# In a tree of its own, with a package manager that has all and a meson that hangs or fails.
set -eu

source=$1
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT
mkdir -p "$t/tools" "$t/bin"
cp -r "$source/tools/check" "$source/tools/lib" "$t/tools/"

fake()
{
    cat >"$t/bin/$1"
    chmod +x "$t/bin/$1"
}

fake dpkg-query <<'EOF'
#!/bin/sh
printf installed
EOF
fake apt-get <<'EOF'
#!/bin/sh
exit 1
EOF
fake ninja <<'EOF'
#!/bin/sh
exit 0
EOF
fake meson <<'EOF'
#!/bin/sh
case $1 in
--version) echo 1.0.0 ;;
setup) mkdir -p "$2"; : >"$2/build.ninja" ;;
test) : >"$HANGS"; exec sleep 1000 ;;
esac
EOF

PATH=$t/bin:$PATH HANGS=$t/hangs
export PATH HANGS
failed=0

result()
{
    if [ "$1" = "$2" ]; then
        echo "ok - $3"
    else
        echo "not ok - $3"
        echo "# $1, not $2"
        failed=1
    fi
}

# The shells that there are: they differ in what they do when a signal comes.
shells=
for sh in sh dash bash; do
    if command -v $sh >/dev/null; then
        shells="$shells $sh"
    fi
done
# Unless it was started with the signal ignored, as what runs in the background has SIGINT, and what
# runs under nohup SIGHUP.
signals=
for signal in TERM HUP; do
    if ! sh -c "kill -$signal \$\$"; then
        signals="$signals $signal"
    fi
done
for sh in $shells; do
    for signal in $signals; do
        rm -f "$HANGS"
        $sh "$t/tools/check" >"$t/said" 2>&1 &
        pid=$!
        while [ ! -e "$HANGS" ] && kill -0 $pid 2>/dev/null; do
            sleep 0.05
        done
        kill -$signal $pid 2>/dev/null || true
        status=0
        wait $pid || status=$?
        result $status 130 "$sh, SIG$signal: the exit status says that it was cut short"
        result "$(tail -n 1 "$t/said")" "0 passed, 1 failed" "and so does the last line"
    done
done
fake meson <<'EOF'
#!/bin/sh
exit 1
EOF
for sh in $shells; do
    status=0
    $sh "$t/tools/check" >"$t/said" 2>&1 || status=$?
    result $status 1 "$sh: what cannot be built is a failure"
    result "$(tail -n 1 "$t/said")" "0 passed, 1 failed" "and has a last line"
done
echo "1..$(($(echo "$shells" | wc -w) * ($(echo "$signals" | wc -w) + 1) * 2))"
exit $failed
