#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# symbols.sh SHARED ARCHIVE MAP HEADER... - the same names in four places
#
# What libquoit.so and libquoit.a define for others, what the map lists and what the public headers
# declare must be one set, all quoit_*. CC preprocesses the headers, as macros may declare things.
set -eu
export LC_ALL=C

shared=$1 archive=$2 map=$3
shift 3
t=$(mktemp -d)
trap 'rm -rf "$t"' EXIT

# The names of versions are symbols too, of type A.
nm -D --defined-only "$shared" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
    sort -u >"$t/shared"
nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' | sort -u >"$t/archive"
sed 's/#.*//; s,/\*.*\*/,,' "$map" | tr ';{' '\n\n' | awk '
    /global:/ { on = 1; sub(/.*global:/, "") }
    /local:|}/ { on = 0 }
    on && NF { print $1 }' | sort -u >"$t/map"

flags=
for h in "$@"; do
    flags="$flags -I$(dirname "$h")"
done
for h in "$@"; do
    # shellcheck disable=SC2086
    ${CC:-cc} -E -P $flags -x c "$h"
done | tr '\n' ' ' | sed 's/[;{}]/&\n/g' >"$t/text"
# An inline function of a header is no symbol; what it calls is declared elsewhere.
grep -v 'static' "$t/text" | grep -o '\bquoit_[a-z0-9_]* *(' | tr -d ' (' | sort -u >"$t/headers"

bad=0
if grep -v '^quoit_' "$t/shared" "$t/archive" "$t/map" >"$t/foreign"; then
    sed 's,.*/,not a name of ours in the ,; s/:/: /' "$t/foreign"
    bad=1
fi
for place in shared archive headers; do
    comm -13 "$t/map" "$t/$place" | sed "s/^/not in the map, but in the $place: /" >"$t/more"
    comm -23 "$t/map" "$t/$place" | sed "s/^/in the map, but not in the $place: /" >"$t/less"
    if [ -s "$t/more" ] || [ -s "$t/less" ]; then
        cat "$t/more" "$t/less"
        bad=1
    fi
done
echo "$(wc -l <"$t/map") names in the map"
exit $bad
