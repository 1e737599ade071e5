# Serves a directory of this guest to other guests by the kernel's NFS server; follows runtime.sh. Arguments: DIRECTORY UID GID
# ADDRESS..., the addresses being those that may mount it. Makes the directory, as that user's, where it is missing. Every
# access is that user's, root's too. Without an address nothing is served. May be run again.
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 022
directory=$1 uid=$2 gid=$3
shift 3

refuse() {
    printf '%s\n' "$1" >&2
    exit 1
}

if [ ! -e "$directory" ]; then
    mkdir -p -- "$directory"
    chown "$uid:$gid" -- "$directory"
fi
[ -d "$directory" ] || refuse "'$directory' of the image is no directory"
[ $# -gt 0 ] || exit 0

# Instead of the answers of rpc.mountd, which would ask a configuration: who is who, what the root of all exports is and how it
# is exported (the kernel's documentation, filesystems/nfs/rpc-cache; exports(5)). 2147483647: they hold for ever.
caches=/proc/net/rpc
modprobe nfsd 2> /dev/null || :
[ -e "$caches/nfsd.export/channel" ] || refuse "the image's kernel has no NFS server: it needs the module 'nfsd'"
for address do
    printf 'nfsd %s 2147483647 workers\n' "$address" > "$caches/auth.unix.ip/channel"
done
# root_squash 4, all_squash 8, async 16, no_subtree_check 1024, fsid 8192; async, since the disk lives no longer than its kernel.
printf 'workers %s 2147483647 9244 %s %s 0\n' "$directory" "$uid" "$gid" > "$caches/nfsd.export/channel" ||
    refuse "the kernel cannot serve the file system of '$directory'"
printf 'workers 1 \\x00000000 2147483647 %s\n' "$directory" > "$caches/nfsd.fh/channel"

nfsd=/proc/fs/nfsd
if [ ! -e "$nfsd/threads" ]; then
    program mount
    "$program" -i -t nfsd nfsd "$nfsd"
fi
read -r threads < "$nfsd/threads"
if [ "$threads" = 0 ]; then
    echo '-2 -3 +4' > "$nfsd/versions"
    # Nobody has anything to reclaim. The kernel ends the time for it at once where it can note its clients; 10 s is its least.
    echo 10 > "$nfsd/nfsv4gracetime"
    mkdir -p /var/lib/nfs/v4recovery
    echo 4 > "$nfsd/threads"
    (echo Y > "$nfsd/v4_end_grace") 2> /dev/null || :
fi
