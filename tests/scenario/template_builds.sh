#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Goal: what `tenon plugin new` copies builds as it is. Method: each template is filled in a
# temporary folder, built with make and with cmake against this tree's plugin-api, its unit tests
# run, and both shared objects are looked at: one exported symbol, no code at load, the note there.
# With the tenon tool built, the same through `tenon plugin new` and `plugin check`.
# usage: TENON_SOURCE=... TENON_BUILD=... template_builds.sh
set -eu
LC_ALL=C
export LC_ALL
source_dir=${TENON_SOURCE:?template_builds.sh: set TENON_SOURCE to the source tree}
build_dir=${TENON_BUILD:?template_builds.sh: set TENON_BUILD to the build folder}
api=$source_dir/plugin-api
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset TENON_API MAKEFLAGS MFLAGS CFLAGS

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# id, folder of the shared object
look_at() {
    so=$2/$1.so
    [ -f "$so" ] || fail "$so was not built"
    names=$(nm -D --defined-only "$so" | awk '{print $3}')
    [ "$names" = tn_entry ] || fail "$so exports '$names', not tn_entry alone"
    if readelf -SW "$so" | grep -Eq '\.(init|fini|preinit|init_array|fini_array)( |$)'; then
        fail "$so has code that runs at load"
    fi
    readelf -SW "$so" | grep -q '\.note\.tenon' || fail "$so has no .note.tenon"
}

# kind, id
instantiate() {
    mkdir "$work/$2"
    for file in "$api/template/$1"/*; do
        sed -e "s|@ID@|$2|g" -e "s|@API@|$api|g" "$file" > "$work/$2/${file##*/}"
    done
    if grep -rn '@[A-Z]*@' "$work/$2"; then
        fail "a placeholder of the $1 template was not filled"
    fi
}

for kind in strategy indicator; do
    id=my_$kind
    instantiate $kind $id
    make -s -C "$work/$id" || fail "make of the $kind template"
    look_at $id "$work/$id"
    make -s -C "$work/$id" test > "$work/log" 2>&1 || { cat "$work/log"; fail "its unit tests"; }
    grep -q 'PASSED.* 2 test' "$work/log" || fail "the unit tests of the $kind template did not run"
    cmake -S "$work/$id" -B "$work/$id/build" > "$work/log" 2>&1 &&
        cmake --build "$work/$id/build" >> "$work/log" 2>&1 ||
        { cat "$work/log"; fail "cmake of the $kind template"; }
    built=$(find "$work/$id/build" -name "$id.so")
    [ -n "$built" ] || fail "cmake built no $id.so"
    look_at $id "${built%/*}"
    (cd "$work/$id/build" && ctest) > "$work/log" 2>&1 || { cat "$work/log"; fail "ctest"; }
    make -s -C "$work/$id" clean
    [ ! -e "$work/$id/$id.so" ] || fail "make clean left $id.so"
    echo "ok: $kind template builds with make and cmake, tests pass, one symbol"
done

# A wrong TENON_API is a sentence, not a list of compiler errors.
if TENON_API=/nowhere PKG_CONFIG_PATH=/nowhere PKG_CONFIG_LIBDIR=/nowhere \
    make -s -C "$work/my_strategy" > "$work/log" 2>&1; then
    fail "make found headers in /nowhere"
fi
grep -q 'no Tenon headers: set TENON_API' "$work/log" || { cat "$work/log"; fail "no sentence"; }

if [ -x "$build_dir/tenon" ]; then
    for kind in strategy indicator; do
        "$build_dir/tenon" plugin new $kind cli_$kind --dir "$work" > /dev/null
        "$build_dir/tenon" plugin build "$work/cli_$kind" > "$work/log" 2>&1 ||
            { cat "$work/log"; fail "tenon plugin build of the $kind template"; }
        look_at cli_$kind "$work/cli_$kind"
        "$build_dir/tenon" plugin check "$work/cli_$kind/cli_$kind.so" > "$work/log" 2>&1 ||
            { cat "$work/log"; fail "tenon plugin check of the $kind template"; }
        echo "ok: $kind template through tenon plugin new, build, check"
    done
fi
