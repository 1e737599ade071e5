#!/bin/bash
# The jars of this tree. Sourced after packages.sh by vse and dev, which set own_failure, home and build.
#
# Each build makes a directory of its own, build/dist-TIME, and build/current names the one to use: a daemon that runs
# keeps the jars it was started with.
#
# Who may not write to the tree uses what its owner built. Where that is missing or old, they build from a copy of the tree
# in their cache directory (XDG_CACHE_HOME, ~/.cache).

# Sets dist to a directory with up-to-date jars, building them where needed.
require_jars() { # CONSENT
    if jars_current; then
        return
    fi
    mkdir -p "$build/log"
    exec 9>"$build/lock"
    if ! flock -n 9; then
        say 'another build is running, waiting for it'
        flock 9
    fi
    if ! jars_current; then
        require_packages "$1" client build
        build_jars
    fi
    exec 9>&-
}

# Moves build to where this user may write, unless the jars of the tree are current.
choose_build() {
    local tree=$build
    if jars_current || may_build; then
        return
    fi
    build=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/vse/$(printf '%s' "$home" | sha256sum | head -c 12)
    if ! mkdir -p "$build/log" 2>/dev/null; then
        say "the jars are not built or old, and neither '$tree' nor '$build' is writable [COMMAND_FAILED]"
        printf '  next: as the owner of the tree: %s/vse version\n' "$home" >&2
        exit "$own_failure"
    fi
}

# True when the tree is this user's to write.
may_build() {
    [[ -w $build || ! -e $build && -w $home ]]
}

# True when dist is set and nothing that the jars are made of is younger.
jars_current() {
    dist=
    if [[ -r $build/current ]]; then
        dist=$build/$(<"$build/current")
        [[ -e $dist/stamp ]] || dist=
    fi
    [[ -n $dist && -z $(cd "$home" && find pom.xml .mvn [!t]*/pom.xml [!t]*/src/main \
        -newer "$dist/stamp" -print -quit) ]]
}

build_jars() {
    local begin=$SECONDS log=$build/log/jars.log name old source
    name=dist-$(date +%Y%m%d-%H%M%S)-$$
    say "building the jars once, log: $log"
    dist=$build/$name
    mkdir -p "$dist/lib"
    : >"$dist/stamp"
    source=$home
    if [[ $build != "$home/build" ]]; then
        source=$build/source
        rm -rf "$source"
        mkdir -p "$source"
        tar -C "$home" --exclude=./build --exclude=./.git --exclude=target -cf - . | tar -C "$source" -xf -
    fi
    rm -rf "$source/prologue-epilogue/target/dist"
    (cd "$source" && mvn -B -ntp -Dstyle.color=never -Dmaven.test.skip=true -pl prologue-epilogue -am package </dev/null 2>&1) |
        tee "$log" | moving_line '^(Building|Compiling|Recompiling) ' || failed 'building the jars failed [COMMAND_FAILED]' "$log"
    cp "$source"/prologue-epilogue/target/dist/*.jar "$source"/prologue-epilogue/target/vse-prologue-epilogue-*.jar "$dist/lib"
    if [[ $source != "$home" ]]; then
        rm -rf "$source"
    fi
    find_java || no_java
    archive_classes "$log"
    prepare_hook "$log" "$source/prologue-epilogue/target/classes"
    printf '%s\n' "$name" >"$build/current.new"
    mv "$build/current.new" "$build/current"
    for old in "$build"/dist-*; do
        if [[ $old != "$dist" ]] && ! grep -qsF "$old/" /proc/[0-9]*/cmdline; then
            rm -rf "$old"
        fi
    done
    say "built in $((SECONDS - begin)) s"
}

# Class data sharing (java(1), -Xshare) halves the start of Java. The static kind, because the dynamic one leaves out old
# class files, and picocli's are. Without the archive everything works, only later.
archive_classes() { # LOG
    local -a lists=()
    local arguments
    for arguments in 'job ls' 'run --help' 'run /nonexistent'; do
        lists+=("$dist/classes.${#lists[@]}")
        # shellcheck disable=SC2086 # words of a constant
        VSE_RUN_DIR=/nonexistent "$java" -Xshare:off -XX:DumpLoadedClassList="${lists[-1]}" -XX:+UseSerialGC -Xlog:disable \
            -cp "$(class_path)" org.vse.job.cli.Vse $arguments >>"$1" 2>&1 || true
    done
    awk '!seen[$0]++' "${lists[@]}" >"$dist/classes"
    "$java" -Xshare:dump -XX:SharedClassListFile="$dist/classes" -XX:SharedArchiveFile="$dist/vse.jsa" -XX:+UseSerialGC \
        -Xmx256m -Xlog:disable -cp "$(class_path)" >>"$1" 2>&1 || true
    rm -f "${lists[@]}" "$dist/classes"
}

# Writes hook.sh, which sets hook to the beginning of a hook's command line: with the few jars that a hook needs and with an
# archive of its own. Where the archive is of no use, as after an upgrade of Java, hooks only start later.
prepare_hook() { # LOG CLASSES
    local path='' name
    for name in failure policy scheduler-adapter prologue-epilogue; do
        path+=${path:+:}$(printf '%s' "$dist"/lib/vse-"$name"-[0-9]*.jar)
    done
    local -a flags=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xms8m -Xmx64m -Xlog:disable)
    local -a started=(-XX:DumpLoadedClassList="$dist/classes" "${flags[@]}" -cp "$path" org.vse.job.cli.HookEntry)
    SLURM_JOB_ID=1 SLURM_JOB_RESTART_COUNT=0 \
        "$java" -Xshare:off "${started[@]}" starter --scheduler slurm --run /nonexistent -- "$dist/stamp" >>"$1" 2>&1 || true
    # What a call needs once it is answered.
    (cd "$2" && find org/vse/job/client org/vse/job/hook -name '*.class') | sed 's/\.class$//' >>"$dist/classes"
    awk '!seen[$0]++' "$dist/classes" >"$dist/hook.classes"
    "$java" -Xshare:dump -XX:SharedClassListFile="$dist/hook.classes" -XX:SharedArchiveFile="$dist/hook.jsa" "${flags[@]}" \
        -cp "$path" >>"$1" 2>&1 || true
    rm -f "$dist/classes" "$dist/hook.classes"
    {
        printf 'hook=('
        printf '%q ' "$java" -Xshare:auto -XX:SharedArchiveFile="$dist/hook.jsa" "${flags[@]}" -Xlog:all=error:stderr \
            -cp "$path" org.vse.job.cli.HookEntry
        printf ')\n'
    } >"$dist/hook.sh"
}

# Relative to no directory and in a fixed order: the archive is bound to it.
class_path() {
    local -a jars=("$dist"/lib/*.jar)
    (IFS=: && printf '%s' "${jars[*]}")
}
