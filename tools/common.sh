# SPDX-License-Identifier: Apache-2.0
# What run, test, check and bench share. Sourced, never run: build a preset, run its tests, count.
#
# passed and failed are the running totals of the command that sources this file. A step that
# cannot even start (a build that fails, no test found) counts as one failure, so that a broken
# tree never looks like an empty success.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=${TENON_JOBS:-$(nproc)}
passed=0
failed=0

# build PRESET [TARGET...]: configures and builds; what the tools say goes to stderr. One builder
# at a time per preset: a second one waits.
build() {
    local preset=$1 log
    shift
    mkdir -p "$root/build"
    log=$root/build/$preset.configure.log
    (
        flock 9
        cd "$root"
        if ! cmake --preset "$preset" >"$log" 2>&1; then
            cat "$log" >&2
            echo "build: cmake could not configure the preset '$preset': its words are above and" \
                "in build/$preset.configure.log" >&2
            exit 1
        fi
        local quiet=()
        [ -t 2 ] || quiet=(--quiet)
        if ! ninja -C "build/$preset" -j "$jobs" "${quiet[@]}" "$@" >&2; then
            echo "build: ninja could not build the preset '$preset': the first error is above;" \
                "to see it again: ninja -C build/$preset" >&2
            exit 1
        fi
    ) 9>"$root/build/$preset.lock"
}

# count NAME WORD: one step that is no test program: passed or failed.
count() {
    if [ "$2" = passed ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    echo "$1: $2"
}

# targets_of PRESET PATTERN: its test programs whose names begin so
targets_of() {
    (cd "$root" && cmake --preset "$1" >/dev/null && ninja -C "build/$1" -t targets all |
        sed -nE "s/^($2[a-z0-9_]*): .*/\1/p")
}

# test_preset PRESET [CTEST ARGUMENT...]: builds all of it, or only='PATTERN' of its test programs,
# and runs its tests.
test_preset() {
    local preset=$1 report
    shift
    report=$root/build/$preset/tests.xml
    echo "== $preset"
    local targets=()
    if [ -n "${only:-}" ]; then
        mapfile -t targets < <(targets_of "$preset" "$only")
    fi
    if ! build "$preset" "${targets[@]}"; then
        count "$preset build" failed
        return
    fi
    rm -f "$report"
    # exit 77 of a test is a skip; ctest's own exit code is not needed: the report is counted
    ctest --test-dir "$root/build/$preset" -j "$jobs" --timeout 900 --output-on-failure \
        --output-junit "$report" "$@" || true
    local counts
    if ! counts=$(/usr/bin/python3 "$root/tools/junit_count.py" "$report"); then
        count "$preset tests" failed
        return
    fi
    local p f
    read -r p f <<<"$counts"
    passed=$((passed + p))
    failed=$((failed + f))
    echo "$preset: $p passed, $f failed"
}

# The last line of test, check and .ci/run, and their exit code.
totals() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
