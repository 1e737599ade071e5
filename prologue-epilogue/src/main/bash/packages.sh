#!/bin/bash
# What this node must have: Java, and the Debian packages of packages.txt. Sourced by vse and dev, which set own_failure,
# home and build.

say() {
    printf 'vse: %s\n' "$*" >&2
}

# The version number of a Java program, 0 when it is none: the file "release" beside it says so without starting it.
version_of() { # PATH-OF-JAVA-OR-JAVAC
    local real line
    real=$(readlink -f -- "$1")
    if [[ -r ${real%/bin/*}/release ]]; then
        while read -r line; do
            if [[ $line =~ ^JAVA_VERSION=\"([0-9]+) ]]; then
                printf '%s' "${BASH_REMATCH[1]}"
                return
            fi
        done <"${real%/bin/*}/release"
    fi
    printf 0
}

# Sets java and java_version to the first Java 17 or later: VSE_JAVA, JAVA_HOME, PATH, the directory of Debian.
find_java() { # [PROGRAM]
    local program=${1:-java} candidate
    for candidate in "${VSE_JAVA:+${VSE_JAVA%/*}/$program}" "${JAVA_HOME:+$JAVA_HOME/bin/$program}" \
        "$(type -P "$program" || true)" /usr/lib/jvm/*/bin/"$program"; do
        if [[ -n $candidate && -x $candidate ]]; then
            java_version=$(version_of "$candidate")
            if ((java_version >= 17)); then
                java=$candidate
                return 0
            fi
        fi
    done
    return 1
}

no_java() {
    say 'there is no Java 17 or later here [PACKAGE_MISSING]'
    printf '  looked in: VSE_JAVA, JAVA_HOME, PATH, /usr/lib/jvm\n  next     : set JAVA_HOME\n' >&2
    exit "$own_failure"
}

# Fills missing (packages) and reasons (one line each) for the sections.
find_missing() { # SECTION…
    local section package command purpose present status
    local -a wanted=()
    local -A purposes=()
    missing=() reasons=()
    while read -r section package command purpose; do
        case " $* " in
            *" $section "*) ;;
            *) continue ;;
        esac
        case $command in
            java | javac) find_java "$command" && continue ;;
            -) ;;
            *) type -P "$command" >/dev/null && continue ;;
        esac
        wanted+=("$package")
        purposes[$package]=$purpose
    done < <(grep -v '^#' "$home/packages.txt")
    if ((${#wanted[@]} == 0)) || ! type -P dpkg-query >/dev/null; then
        return
    fi
    present=' '
    while read -r status package; do
        if [[ $status == installed ]]; then
            present+="$package "
        fi
    done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null)
    for package in "${wanted[@]}"; do
        if [[ $present != *" $package "* ]]; then
            missing+=("$package")
            reasons+=("$(printf '  %-24s: %s' "$package" "${purposes[$package]}")")
        fi
    done
}

# Returns when the packages of the sections are there. As root it installs them: on a terminal after a question, else
# saying so. Anybody else gets the command to hand to root, and exit code 125.
require_packages() { # CONSENT SECTION…
    local consent=$1 stamp answer
    shift
    stamp="$build/packages-$(IFS=- && printf '%s' "$*")"
    if [[ $stamp -nt /var/lib/dpkg/status && $stamp -nt $home/packages.txt ]]; then
        return
    fi
    find_missing "$@"
    if ((${#missing[@]} > 0)); then
        say "this node lacks ${#missing[@]} Debian packages [PACKAGE_MISSING]"
        printf '%s\n' "${reasons[@]}" >&2
        if ((EUID != 0)); then
            printf '  next: as root: apt-get install --no-install-recommends %s\n' "${missing[*]}" >&2
            exit "$own_failure"
        fi
        if [[ -t 0 && -t 2 && $consent != [1yYtT]* ]]; then
            read -r -p 'vse: install them with apt-get now? [Y/n] ' answer
            if [[ $answer == [nN]* ]]; then
                printf '  next: apt-get install --no-install-recommends %s\n' "${missing[*]}" >&2
                exit "$own_failure"
            fi
        fi
        install_packages "$@"
    fi
    if [[ -w $build || (! -e $build && -w $home) ]]; then
        mkdir -p "$build"
        : >"$stamp"
    fi
}

install_packages() { # SECTION…
    local log begin=$SECONDS
    mkdir -p "$build/log"
    log=$build/log/apt.log
    : >"$log"
    say "installing: apt-get install --no-install-recommends ${missing[*]}"
    say "log: $log"
    if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then
        apt_get "$log" update || failed "apt-get update failed [COMMAND_FAILED]" "$log"
    fi
    if ! apt_get "$log" install -y --no-install-recommends "${missing[@]}"; then
        say 'refreshing the lists of packages and trying once more'
        apt_get "$log" update || failed "apt-get update failed [COMMAND_FAILED]" "$log"
        apt_get "$log" install -y --no-install-recommends "${missing[@]}" ||
            failed "apt-get install failed [COMMAND_FAILED]" "$log"
    fi
    local installed=" ${missing[*]} "
    find_missing "$@"
    if ((${#missing[@]} > 0)); then
        failed "apt-get installed, but these are still missing: ${missing[*]} [PACKAGE_MISSING]" "$log"
    fi
    say "installed in $((SECONDS - begin)) s"
    if [[ $installed == *' nfs-ganesha '* && -d /run/systemd/system ]]; then
        say 'note: Debian enables the service nfs-ganesha; VSE starts share servers of its own, one per job.'
        say "note: where nothing else needs it: systemctl disable --now nfs-ganesha"
    fi
}

apt_get() { # LOG ARGUMENT…
    local log=$1
    shift
    DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
        apt-get -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null 2>&1 | tee -a "$log" | moving_line .
}

# shellcheck disable=SC2120 # jars.sh passes one
# Shows lines that arrive and match: the last one in place on a terminal, else one every five seconds.
moving_line() { # [PATTERN]
    local line shown=$SECONDS
    while IFS= read -r line; do
        line=${line#'[INFO] '}
        if [[ ! $line =~ ${1:-[[:alpha:]]} ]]; then
            continue
        fi
        if [[ -t 2 ]]; then
            printf '\r\033[Kvse: %.90s' "${line//[[:cntrl:]]/ }" >&2
        elif ((SECONDS - shown >= 5)); then
            shown=$SECONDS
            printf 'vse: … %.90s\n' "$line" >&2
        fi
    done
    if [[ -t 2 ]]; then
        printf '\r\033[K' >&2
    fi
}

# Ends with a message and the last lines of a log.
failed() { # MESSAGE LOG
    say "$1"
    tail -n 20 -- "$2" | sed 's/^/  | /' >&2
    printf '  log : %s\n' "$2" >&2
    exit "$own_failure"
}
