# Mounts what another guest serves; follows runtime.sh. Arguments: TYPE OPTIONS SOURCE DIRECTORY SECONDS. Makes the directory
# where it is missing. May be run again.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 022
while read -r source target type rest; do
    [ "$target $type" != "$4 $1" ] || exit 0
done < /proc/self/mounts
mkdir -p -- "$4"
if [ -n "$(ls -A -- "$4")" ]; then
    echo "'$4' of the image is not empty: what is in it would be hidden" >&2
    exit 1
fi
program mount
timeout -s KILL "$5" "$program" -i -t "$1" -o "$2" -- "$3" "$4"
