#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: the tool and a running host over its socket: status, auto, kill, the second host refused
# (case 71), the socket gone after the end. Method: the real host on its demo market in a folder of
# its own; waiting is asking for the status, at most so many times, until the host answers.
set -u
tenon=${TENON_BUILD:?}/tenon
for need in tenon tenond; do
    [ -x "$TENON_BUILD/$need" ] || { echo "skip: $TENON_BUILD/$need is not built"; exit 77; }
done
work=$(mktemp -d) || exit 1
chmod 755 "$work"
export XDG_RUNTIME_DIR=$work XDG_STATE_HOME=$work/state TENON_SHARE=${TENON_SOURCE:?}/plugin-api
export TENON_CONFIGS=$TENON_SOURCE/configs
host=
finish() {
    if [ -n "$host" ]; then
        kill "$host" 2>/dev/null
        wait "$host" 2>/dev/null
    fi
    rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
failed=0 count=0
check() { # TEXT EXIT-WANTED EXIT-GOT: and TEXT stands in out or err
    count=$((count + 1))
    if [ "$2" != "$3" ] || ! grep -qhF -- "$1" out err; then
        echo "FAIL: exit $3 (wanted $2), wanted '$1' in:"
        cat out err
        failed=$((failed + 1))
    fi
}
shown() { # TEXT: the status says so, at the latest some views later
    local tries=0
    until ask status --json && grep -qF -- "$1" out; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || break
        read -r -t 0.1 <> <(:)
    done
    check "$1" 0 0
}
ask() { "$tenon" "$@" >out 2>err </dev/null; }

"$tenon" run --demo --speed 60 --journal "$work/journal" --heads "$work/heads" \
    --plugins "$TENON_BUILD/plugins" >host.out 2>host.err </dev/null &
host=$!
tries=0
until ask status --json && grep -q '"state":"running"' out; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ] || ! kill -0 "$host" 2>/dev/null; then
        echo "FAIL: the host does not answer; it said:"
        cat host.out host.err
        exit 1
    fi
    read -r -t 0.1 <> <(:) # a tenth of a second between two tries
done
check '"schema":"tenon.status.v1"' 0 0
ask status --no-color;                          check 'deployment  ' 0 $?
ask status
grep -q $'\033' out && { echo "FAIL: colours without a terminal"; failed=$((failed + 1)); }
[ "$(stat -c %a "$work/tenon.sock")" = 600 ] || { echo "FAIL: mode"; failed=$((failed + 1)); }
ask run --demo --journal "$work/journal2" --heads "$work/heads2" \
    --plugins "$TENON_BUILD/plugins";           check 'another host holds the socket' 75 $?
ask auto off;                                   check 'auto trading is off' 0 $?
shown '"auto_on":0'
ask auto on;                                    check 'auto trading is on' 0 $?
ask auto on no_such_strategy;                   check "no strategy 'no_such_strategy'" 66 $?
ask risk kill --reason 'end of the test';       check 'killed' 0 $?
shown '"mode":"KILLED"'
kill "$host"
wait "$host" 2>/dev/null
host=
# as root the host gave its rights up and cannot remove the file from root's folder any more
[ ! -e "$work/tenon.sock" ] || [ "$(id -u)" = 0 ] ||
    { echo "FAIL: the socket is left"; failed=$((failed + 1)); }
ask status;                                     check 'UNREACHABLE' 69 $?
ask journal cat --journal "$work/journal" --type AUTO
check 'by="uid:' 0 $?
ask journal cat --journal "$work/journal" --type MODE --json
check '"reason":"end of the test"' 0 $?
ask journal cat --journal "$work/journal" --from 2 --to 2 --json
check '"seq":2,"sub":0' 0 $?
ask journal cat --journal "$work/journal" --limit 3
[ "$(wc -l <out)" = 3 ] || { echo "FAIL: --limit 3"; failed=$((failed + 1)); }

echo "$((count - failed)) passed, $failed failed"
[ "$failed" = 0 ]
