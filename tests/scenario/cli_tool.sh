#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Goal: the tool itself, as people and scripts meet it: exit codes, what goes to which stream, help,
# completion, and a plugin from template to listing. No host runs. Method: the real binary, in a
# folder of its own; each line of `expect` states a command's exit code and a piece of its output.
set -u
tenon=${TENON_BUILD:?}/tenon
[ -x "$tenon" ] || { echo "skip: $tenon is not built"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export XDG_RUNTIME_DIR=$work XDG_STATE_HOME=$work/state TENON_SHARE=${TENON_SOURCE:?}/plugin-api
unset NO_COLOR
cd "$work" || exit 1
failed=0 count=0

# expect EXIT STREAM TEXT COMMAND...: STREAM is out or err; the other one's content is not judged
expect() {
    local exit=$1 stream=$2 text=$3 got
    shift 3
    "$tenon" "$@" >out 2>err </dev/null
    got=$?
    count=$((count + 1))
    if [ "$got" != "$exit" ] || ! grep -qF -- "$text" "$stream"; then
        echo "FAIL: tenon $*: exit $got (wanted $exit), wanted '$text' in $stream; it said:"
        cat out err
        failed=$((failed + 1))
    fi
}
silent() { # STREAM: the last command left it empty
    [ ! -s "$1" ] || { echo "FAIL: something on $1:"; cat "$1"; failed=$((failed + 1)); }
}

expect 64 err 'no command is given';                          silent out
expect 64 err 'did you mean tenon status?' stauts;            silent out
expect 64 err 'unknown flag --jsno' status --jsno;            silent out
expect 64 err '--seed is given twice' run --seed 1 --seed 2;  silent out
expect 64 err 'exclude each other' run --demo --config x
expect 64 err 'is not a whole number' run --seed 0x50
expect 64 err 'is a folder' run --config .
expect 66 err "no file 'absent.yaml'" run --config absent.yaml
expect 64 err 'secrets are never taken' run --api-key=hunter2
if grep -q hunter2 out err; then echo "FAIL: a secret was printed"; failed=$((failed + 1)); fi
expect 64 out '"code":"USAGE"' --json status --nope
expect 69 err 'no host is running' status --socket "$work/none.sock";                  silent out
expect 69 out '"schema":"tenon.error.v1"' status --json --socket "$work/none.sock"
expect 69 err 'no host is running' risk kill --reason test --socket "$work/none.sock"
expect 69 err 'no host is running' auto on --socket "$work/none.sock"
expect 0 out 'plugin ABI' version;                            silent err
expect 0 out '"schema":"tenon.version.v1"' version --json
expect 0 out 'Usage: tenon journal cat' journal cat --help
expect 0 out 'Usage: tenon journal VERB' help journal
expect 0 out '.TH TENON 1' help --man
expect 0 out '"command":"risk kill"' help risk kill --json
expect 66 err 'did you mean tenon help journal?' help jornal
expect 0 out 'complete -o filenames' completion bash
bash -n out || { echo "FAIL: the bash script does not parse"; failed=$((failed + 1)); }
expect 64 err 'none of: bash zsh fish' completion tcsh
expect 66 err 'there is no journal' journal cat
expect 66 err 'no record type' journal cat --type BARR
grep -q 'did you mean BAR' err || { echo "FAIL: no hint for BARR"; failed=$((failed + 1)); }

expect 64 err 'is no plugin id' plugin new strategy Bad
expect 0 out './my_first' plugin new strategy my_first
expect 65 err 'exists already' plugin new strategy my_first
expect 0 err 'built my_first' plugin build my_first
expect 0 out 'my_first' plugin list --plugins my_first
expect 0 out '"kind":"strategy"' plugin list --plugins my_first --json
expect 0 out 'PARAMETER' plugin show my_first/my_first.so
expect 0 out 'my_first' plugin show my_first --plugins my_first
expect 66 err "no plugin 'other'" plugin show other --plugins my_first
if grep -rq '@ID@\|@API@' my_first/*.[cm]*; then
    echo "FAIL: a placeholder is left"; failed=$((failed + 1))
fi
echo 'int broken' >>my_first/strategy.c
expect 1 err 'the build in my_first failed' plugin build my_first;  silent out
expect 66 err 'no Makefile' plugin build .
ls -d ./*.new-* 2>/dev/null && { echo "FAIL: a half-made folder is left"; failed=$((failed + 1)); }
"$tenon" version >/dev/full 2>err &&
    { echo "FAIL: a full disk is not seen"; failed=$((failed + 1)); }

echo "$((count - failed)) passed, $failed failed"
[ "$failed" = 0 ]
