# without FILE NAMES: sets rest to the lines of FILE whose first field is none of NAMES, which have a colon before, between
# and after them.
without() {
    content=$(cat "$1")
    rest=''
    set -f
    IFS='
'
    for line in $content; do
        case $2 in
            *":${line%%:*}:"*) ;;
            *) rest="$rest$line$IFS" ;;
        esac
    done
    unset IFS
    set +f
}

# accounts DIR USER UID GID HOME SHELL GROUPS
#
# Makes USER an account of the files passwd, group and shadow in DIR. GROUPS has one line NAME:GID for each group, the
# primary one first. An entry of the same name is replaced; an entry with the same number stays but comes later, so that
# the number's name is ours. The files are read whole: a shell's own read takes them byte by byte.
accounts() {
    without "$1/passwd" ":$2:"
    printf '%s\n%s' "$2:x:$3:$4::$5:$6" "$rest" > "$1/passwd"

    entries='' taken=: member=''
    while IFS=: read -r name number; do
        entries="$entries$name:x:$number:$member
" taken="$taken$name:" member=$2
    done << GROUPS
$7
GROUPS
    without "$1/group" "$taken"
    printf '%s%s' "$entries" "$rest" > "$1/group"

    [ -e "$1/shadow" ] || return 0
    without "$1/shadow" ":$2:"
    printf '%s\n%s' "$2:*:::::::" "$rest" > "$1/shadow"
}
