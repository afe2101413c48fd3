#!/bin/sh
# Feeds the parsers and machines of this project with made up input, by libFuzzer with AddressSanitizer.
# What it tries lies in Fuzz/Targets, the inputs it begins with in Fuzz/Corpus. See docs/testing.md.
set -eu

usage() {
    cat <<'TEXT'
usage: scripts/fuzz.sh                         all targets, a few seconds each
       scripts/fuzz.sh NAME [--smoke | --seconds N]
       scripts/fuzz.sh --all [--smoke | --seconds N]
       scripts/fuzz.sh NAME --minimise FILE    make a find smaller
       scripts/fuzz.sh [NAME] --coverage       regions that corpora reach, by source file
       scripts/fuzz.sh [NAME] --coverage --check
                                               each parser by the corpus of its own target; fails below 90 %
       scripts/fuzz.sh NAME --merge            keep what new inputs reach, small
       scripts/fuzz.sh --seed                  write the seeds the corpora lack
       scripts/fuzz.sh --list                  what there is to try

  --smoke      3 seconds a target
  --seconds N  N seconds a target (60 unless told)

A find is written to .build/fuzz/finds/NAME and ends the run with status 1. New inputs are kept in
.build/fuzz/corpus/NAME, outside the repository.
TEXT
}

fail() {
    echo "fuzz: $*" >&2
    exit 2
}

cd "$(dirname "$0")/.."
build=.build/fuzz
name='' mode=run seconds=60 all=no file='' check=no
[ $# -gt 0 ] || set -- --all --smoke
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage; exit 0 ;;
    --smoke) seconds=3 ;;
    --seconds)
        [ $# -gt 1 ] || fail "--seconds needs a number"
        seconds=$2
        shift
        case $seconds in '' | *[!0-9]*) fail "--seconds needs a whole number, not '$seconds'" ;; esac
        ;;
    --all) all=yes ;;
    --list) mode=list ;;
    --seed) mode=seed ;;
    --coverage) mode=coverage ;;
    --check) check=yes ;;
    --merge) mode=merge ;;
    --minimise)
        [ $# -gt 1 ] || fail "--minimise needs a file"
        mode=minimise file=$2
        shift
        [ -f "$file" ] || fail "there is no file '$file'"
        ;;
    -*) usage >&2; fail "unknown option '$1'" ;;
    *)
        [ -z "$name" ] || fail "one target at a time; '$1' is one too many"
        name=$1
        ;;
    esac
    shift
done

command -v swift >/dev/null || fail "swift is not on the path"
libraries='-lssl -lcrypto -luv -lz -lzstd -lyaml -lmicrohttpd -lcurl -lodbc'

# compile FOLDER MODULES-ARE-MADE-WITH DRIVER-IS-MADE-WITH: makes FOLDER/fuzz. The targets see inside the modules, so
# that testing is on; optimized, since it is speed that finds.
compile() {
    mkdir -p "$1"
    log=$1/build.log
    # shellcheck disable=SC2086 # a list of options
    swift build --scratch-path "$1" -c release --target FuzzTargets -Xswiftc -enable-testing $2 >"$log" 2>&1 || {
        cat "$log" >&2
        fail "the targets do not compile"
    }
    # Objects of sources that are gone stay behind, so each module's own list is asked.
    for object in "$1"/release/*.build/*.o; do
        list=$(dirname "$object")/sources
        source=$(basename "$object" .o)
        if [ ! -f "$list" ] || grep -qF "/$source" "$list"; then echo "$object"; fi
    done >"$1/objects"
    maps=$(for map in Sources/C*/module.modulemap "$1"/release/*.build/module.modulemap; do
        printf -- '-Xcc -fmodule-map-file=%s ' "$map"
    done)
    # shellcheck disable=SC2086,SC2046 # lists of options and files
    swiftc -parse-as-library -swift-version 6 -O $3 -I "$1/release/Modules" $maps Fuzz/Driver/Driver.swift \
        $(cat "$1/objects") $libraries -o "$1/fuzz" >"$log" 2>&1 || {
        cat "$log" >&2
        fail "the targets do not link; 'make deps' installs the libraries they need"
    }
}

compile_fuzzer() {
    compile $build '--sanitize=address -Xswiftc -sanitize=fuzzer' '-sanitize=fuzzer,address'
    FUZZ_LIST=1 $build/fuzz >$build/list
}

longest() {
    line=$(grep "^$1	" $build/list) || fail "there is no target '$1'; see: scripts/fuzz.sh --list"
    echo "$line" | cut -f2
}

# libfuzzer NAME ARGUMENT...: an input may take 5 seconds, ask for 64 MiB at once and hold 2 GiB with the sanitizer's
# own, which keeps what was freed.
libfuzzer() {
    FUZZ_TARGET=$1
    export FUZZ_TARGET
    shift
    ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no $build/fuzz \
        -timeout=5 -malloc_limit_mb=64 -rss_limit_mb=2048 "$@"
}

run() {
    mkdir -p "$build/corpus/$1" "$build/finds/$1"
    longest=$(longest "$1")
    echo "fuzz: $1 for $seconds s"
    if ! libfuzzer "$1" -max_len="$longest" -max_total_time="$seconds" -print_final_stats=1 \
        -artifact_prefix="$build/finds/$1/" "$build/corpus/$1" "Fuzz/Corpus/$1" >"$build/$1.log" 2>&1; then
        tail -n 60 "$build/$1.log" >&2
        echo "fuzz: $1 found something; try: scripts/fuzz.sh $1 --minimise $(ls -t "$build/finds/$1"/* | head -n 1)" >&2
        return 1
    fi
    sed -n 's/^stat::number_of_executed_units: */  inputs tried: /p' "$build/$1.log"
}

# judge NAME...: the parsers that these targets answer for, by Fuzz/parsers, and what their own corpora reach of them.
# Each file must be reached to 90 %, or to what Fuzz/parsers says behind it; docs/testing.md says why.
judge() {
    printf '%-22s %-52s %8s %8s %7s\n' targets source regions reached least
    status=0
    sed '/^#/d; /^$/d' Fuzz/parsers >$folder/parsers
    while read -r owners files; do
        profiles='' wanted=no
        for owner in $(echo "$owners" | tr + ' '); do
            profiles="$profiles $folder/$owner.profraw"
            case " $* " in *" $owner "*) wanted=yes ;; esac
        done
        [ $wanted = yes ] || continue
        # shellcheck disable=SC2086 # a list of files
        "$tools/llvm-profdata" merge -o $folder/owners.profdata $profiles
        "$tools/llvm-cov" report $folder/fuzz -instr-profile=$folder/owners.profdata Sources >$folder/owners.report
        for entry in $files; do
            source=${entry%=*} least=90
            [ "$source" = "$entry" ] || least=${entry#*=}
            awk -v owners="$owners" -v source="$source" -v least="$least" '
                $1 == source {
                    found = 1
                    reached = 100 * ($2 - $3) / $2
                    bad = reached < least
                    printf "%-22s %-52s %8d %7.1f%% %6d%%%s\n", owners, source, $2, reached, least,
                        bad ? "  too little" : ""
                }
                END {
                    if (!found) printf "%-22s %-52s is not among the sources\n", owners, source
                    exit !found || bad
                }' $folder/owners.report || status=1
        done
    done <$folder/parsers
    return $status
}

case $mode in
list)
    compile_fuzzer
    cut -f1,3 $build/list
    ;;
seed)
    compile_fuzzer
    FUZZ_SEED=Fuzz/Corpus $build/fuzz
    for file in topology/*.yaml; do cp "$file" "Fuzz/Corpus/topology/seed-$(basename "$file" .yaml)"; done
    ;;
minimise)
    [ -n "$name" ] || fail "whose find is it? give the target's name"
    compile_fuzzer
    longest "$name" >/dev/null
    libfuzzer "$name" -minimize_crash=1 -max_total_time="$seconds" -exact_artifact_path="$file.small" "$file" \
        >"$build/$name.log" 2>&1 || true
    [ -f "$file.small" ] || fail "it cannot be made smaller, or fails no more; see $build/$name.log"
    echo "$file.small"
    ;;
merge)
    [ -n "$name" ] || fail "whose corpus? give the target's name"
    compile_fuzzer
    mkdir -p "$build/corpus/$name"
    libfuzzer "$name" -max_len="$(longest "$name")" -use_counters=0 -merge=1 "Fuzz/Corpus/$name" "$build/corpus/$name"
    ;;
coverage)
    folder=.build/fuzz-coverage
    compile $folder '-Xswiftc -profile-generate -Xswiftc -profile-coverage-mapping' \
        '-sanitize=fuzzer -profile-generate -profile-coverage-mapping'
    names=$name
    # What one answers for together with others needs the others' corpora too.
    [ -n "$names" ] && [ $check = no ] || names=$(ls Fuzz/Corpus)
    # Of the compiler's own version, whatever else is on the path.
    tools=$(dirname "$(readlink -f "$(command -v swift)")")
    for each in $names; do
        [ -d "Fuzz/Corpus/$each" ] || fail "there is no target '$each'; see: scripts/fuzz.sh --list"
        FUZZ_TARGET=$each LLVM_PROFILE_FILE=$folder/$each.profraw $folder/fuzz -runs=0 -max_len=1000000 -artifact_prefix=$folder/ \
            "Fuzz/Corpus/$each" >$folder/$each.log 2>&1 || fail "$each fails on its corpus; see $folder/$each.log"
    done
    if [ $check = yes ]; then
        # shellcheck disable=SC2086 # a list of names
        judge ${name:-$names}
    else
        # shellcheck disable=SC2046 # a list of files
        "$tools/llvm-profdata" merge -o $folder/all.profdata $(for each in $names; do echo $folder/$each.profraw; done)
        "$tools/llvm-cov" report $folder/fuzz -instr-profile=$folder/all.profdata Sources
    fi
    ;;
run)
    [ $all = yes ] || [ -n "$name" ] || { usage >&2; fail "which target? give its name, or --all"; }
    compile_fuzzer
    if [ $all = no ]; then
        run "$name"
        exit
    fi
    status=0
    for each in $(cut -f1 $build/list); do run "$each" || status=1; done
    exit $status
    ;;
esac
