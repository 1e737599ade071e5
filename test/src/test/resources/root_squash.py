"""A file system over a directory that does for each caller what that caller may do there, and for root what nobody may.

As a client sees an export with root_squash (exports(5)). Usage: root_squash.py DIRECTORY [MOUNTPOINT]; in the foreground.
"""

import contextlib
import errno
import os
import sys

import fusepy

NOBODY = 65534


@contextlib.contextmanager
def caller():
    uid, gid, _ = fusepy.fuse_get_context()
    if uid == 0:
        uid, gid = NOBODY, NOBODY
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


class RootSquash(fusepy.Operations):
    """Paths are below the directory that this process is in; it was entered before it was covered by the mount."""

    def __init__(self):
        self.root = os.open(".", os.O_PATH)

    def __call__(self, op, path, *args):
        with caller():
            return super().__call__(op, "." + path if path else path, *args)

    def getattr(self, path, fh=None):
        # An NFS server tells everybody the attributes of a handle; its client has that of the root from mounting.
        stat = os.fstat(self.root) if path == "./" else os.lstat(path)
        return {
            key: getattr(stat, key)
            for key in ("st_atime", "st_ctime", "st_gid", "st_ino", "st_mode", "st_mtime", "st_nlink", "st_size", "st_uid")
        }

    def access(self, path, mode):
        if not os.access(path, mode, effective_ids=True):
            raise fusepy.FuseOSError(errno.EACCES)

    def statfs(self, path):
        stat = os.statvfs(path)
        return {key: getattr(stat, key) for key in ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_files", "f_namemax")}

    def opendir(self, path):
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY)

    def readdir(self, path, fh):
        return [".", "..", *os.listdir(fh)]

    def releasedir(self, path, fh):
        os.close(fh)

    def open(self, path, flags):
        return os.open(path, flags)

    def create(self, path, mode, fi=None):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def read(self, path, size, offset, fh):
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        return os.pwrite(fh, data, offset)

    def flush(self, path, fh):
        return 0

    def fsync(self, path, datasync, fh):
        return os.fsync(fh)

    def release(self, path, fh):
        os.close(fh)

    def truncate(self, path, length, fh=None):
        os.truncate(path if fh is None else fh, length)

    def utimens(self, path, times=None):
        os.utime(path, times)

    def rename(self, old, new):
        os.rename(old, "." + new)

    def link(self, target, source):
        os.link("." + source, target)

    def symlink(self, target, source):
        os.symlink(source, target)

    chmod = staticmethod(os.chmod)
    chown = staticmethod(os.lchown)
    mkdir = staticmethod(os.mkdir)
    readlink = staticmethod(os.readlink)
    rmdir = staticmethod(os.rmdir)
    unlink = staticmethod(os.unlink)


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    os.umask(0)
    os.setgroups([])
    fusepy.FUSE(
        RootSquash(),
        sys.argv[-1],
        foreground=True,
        nothreads=True,
        raw_fi=False,
        allow_other=True,
        use_ino=True,
        noforget=True,
        nonempty=True,
        entry_timeout=0,
        attr_timeout=0,
        fsname="root-squash",
    )
