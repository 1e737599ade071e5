# Becomes the job's script; runs as the job's user. Arguments: name of the script or nothing, directory, umask, interpreter
# of the script's first line or nothing.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask "$3"
if ! cd -- "$2" 2> /dev/null; then
    if [ -d "$2" ]; then
        why='permission denied'
    else
        why='there is no such directory in the guest'
    fi
    printf "vse: cannot change to directory '%s': %s\n" "$2" "$why" >&2
    exit 125
fi
if [ -n "$4" ] && [ ! -x "$4" ]; then
    interpreter=${4%"$(printf '\r')"}
    why=''
    [ "$interpreter" = "$4" ] || why=': the line ends with a carriage return (dos2unix removes them)'
    printf "vse: the interpreter '%s' in the first line of '%s' is not in the image%s\n" "$interpreter" "$1" "$why" >&2
    exit 127
fi
# Splitting by a character that is not white space keeps empty entries and everything that is in an entry.
IFS=$(printf '\377')
set -f
set -- $(cat /run/vse/job/launch)
exec env -i -- "$@"
