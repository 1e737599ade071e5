# accounts DIR USER UID GID HOME SHELL GROUPS
#
# Makes USER an account of the files passwd, group and shadow in DIR. GROUPS has one line NAME:GID for each group, the
# primary one first. An entry of the same name is replaced; an entry with the same number stays but comes later, so that
# the number's name is ours. POSIX sh without any other program.
accounts() {
    newline='
'
    entries="$2:x:$3:$4::$5:$6$newline"
    while IFS= read -r line || [ -n "$line" ]; do
        [ "${line%%:*}" = "$2" ] || entries="$entries$line$newline"
    done < "$1/passwd"
    printf '%s' "$entries" > "$1/passwd"

    entries='' taken=: member=''
    while IFS=: read -r name number; do
        entries="$entries$name:x:$number:$member$newline" taken="$taken$name:" member=$2
    done << GROUPS
$7
GROUPS
    while IFS= read -r line || [ -n "$line" ]; do
        case $taken in
            *":${line%%:*}:"*) ;;
            *) entries="$entries$line$newline" ;;
        esac
    done < "$1/group"
    printf '%s' "$entries" > "$1/group"

    [ -e "$1/shadow" ] || return 0
    entries="$2:*:::::::$newline"
    while IFS= read -r line || [ -n "$line" ]; do
        [ "${line%%:*}" = "$2" ] || entries="$entries$line$newline"
    done < "$1/shadow"
    printf '%s' "$entries" > "$1/shadow"
}
