package org.vse.ledger;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * The events of a node as they happened: an append-only file of one JSON object a line, {@link LogFrame}. The first line
 * names the log.
 *
 * <p>When {@link #append} returns, the events have been forced to the disk; when it throws, none of them is in the log. One
 * process has a log open at a time. An incomplete last line, which only a crash inside {@code append} leaves, is cut off at
 * the next opening and reported by {@link #torn}.
 */
final class EventLog implements AutoCloseable {
    /** Largest line, bytes. */
    static final int MAX_LINE = 1 << 20;

    /** Largest event that is taken, bytes: one alone fits into a message between nodes. */
    static final int MAX_EVENT = 1 << 18;

    private static final Pattern HEADER = Pattern.compile("\\{\"log\":\"([0-9a-f-]{36})\",\"format\":1}");
    private static final int HEADER_LENGTH = LogFrame.of(header(new UUID(0, 0))).length;
    private static final int BLOCK = 1 << 16;

    private final Path file;
    private final FileChannel channel;
    private final UUID id;
    private final @Nullable Torn torn;
    private long end;
    private @Nullable IOException broken;

    private EventLog(Path file, FileChannel channel, UUID id, long end, @Nullable Torn torn) {
        this.file = file;
        this.channel = channel;
        this.id = id;
        this.end = end;
        this.torn = torn;
    }

    /**
     * What was cut off.
     *
     * @param offset where it began in the file
     * @param bytes how much it was
     * @param text the beginning of it, malformed bytes replaced
     */
    record Torn(long offset, long bytes, String text) {
        private static final int SHOWN = 2000;

        private static Torn read(FileChannel channel, long offset, long end) throws IOException {
            byte[] shown = EventLog.read(channel, offset, (int) Math.min(SHOWN, end - offset));
            return new Torn(offset, end - offset, new String(shown, StandardCharsets.UTF_8));
        }
    }

    /**
     * Events read from the log.
     *
     * @param end offset after the last of them
     */
    record Batch(List<LedgerEvent> events, long end) {}

    /**
     * Opens the log, creating it where there is none.
     *
     * @throws VseException LEDGER_FAILED when another process has it open, when it is not a log, or on an error of the disk
     */
    static EventLog open(Path file) {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(
                    file,
                    Set.of(StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            if (lock(channel) == null) {
                throw VseException.of(ErrorCode.LEDGER_FAILED, "the ledger is in use by another process")
                        .at(file.toString());
            }
            return recover(file, channel);
        } catch (IOException | VseException e) {
            close(channel, e);
            throw e instanceof VseException known ? known : failed("cannot open the event log", file, (IOException) e);
        }
    }

    /** Survives as long as the file: positions in one log mean nothing in another. */
    UUID id() {
        return id;
    }

    /** Offset after the last line. */
    synchronized long end() {
        return end;
    }

    Optional<Torn> torn() {
        return Optional.ofNullable(torn);
    }

    /** Appends the events and returns when they are on the disk. A crash meanwhile leaves the first few of them or none. */
    synchronized void append(List<LedgerEvent> events) {
        if (broken != null) {
            throw failed("the event log failed before and takes nothing more until it is opened again", file, broken);
        }
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        for (LedgerEvent event : events) {
            byte[] line = LogFrame.of(EventJson.write(event));
            if (line.length > MAX_EVENT) {
                throw new IllegalArgumentException("event " + event.id() + " has " + line.length + " bytes");
            }
            lines.writeBytes(line);
        }
        try {
            write(channel, lines.toByteArray(), end);
        } catch (IOException e) {
            takeBack(e);
            throw failed("cannot write to the event log", file, e);
        }
        try {
            channel.force(false);
        } catch (IOException e) {
            // After a failed fsync(2) the kernel may have dropped the pages and report success the next time.
            broken = e;
            throw failed("cannot force the event log to the disk", file, e);
        }
        end += lines.size();
    }

    /**
     * Reads events from an offset on.
     *
     * @param from 0, or the end of an earlier batch
     * @throws VseException LEDGER_FAILED when a line is damaged or of a kind that this version does not know
     */
    Batch read(long from, int maxEvents) {
        return read(from, maxEvents, Long.MAX_VALUE);
    }

    /**
     * The same, ending before an event that would make it larger than {@code maxBytes} of the log, but never before the
     * first.
     */
    Batch read(long from, int maxEvents, long maxBytes) {
        long begin = from == 0 ? HEADER_LENGTH : from;
        long position = begin;
        long stop = end();
        List<LedgerEvent> events = new ArrayList<>();
        try {
            Lines lines = new Lines(channel, position, stop);
            while (events.size() < maxEvents) {
                byte[] line = lines.next();
                if (line == null || (!events.isEmpty() && position + line.length + 1L - begin > maxBytes)) {
                    break;
                }
                byte[] body = LogFrame.body(line).orElse(null);
                if (body == null) {
                    throw damaged(position);
                }
                events.add(EventJson.read(body));
                position += line.length + 1L;
            }
            return new Batch(events, position);
        } catch (IOException e) {
            throw failed("cannot read the event log at byte " + position, file, e);
        }
    }

    /**
     * Makes the log anew, under another id, with what is kept of its events. The file is replaced at once and as a whole;
     * this log takes nothing more.
     */
    synchronized EventLog rewritten(int batch, UnaryOperator<List<LedgerEvent>> keep) {
        Path part = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.deleteIfExists(part);
            EventLog made = EventLog.open(part);
            try {
                for (long at = 0; at < end; ) {
                    Batch next = read(at, batch);
                    made.append(keep.apply(next.events()));
                    at = next.end();
                }
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                forceDirectory(file);
            } catch (IOException | RuntimeException e) {
                made.close();
                throw e;
            }
            broken = new IOException("it has been replaced");
            return new EventLog(file, made.channel, made.id, made.end, null);
        } catch (IOException e) {
            throw failed("cannot make the event log anew", file, e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw failed("cannot close the event log", file, e);
        }
    }

    private void takeBack(IOException cause) {
        try {
            channel.truncate(end);
        } catch (IOException e) {
            cause.addSuppressed(e);
            broken = cause;
        }
    }

    private VseException damaged(long position) {
        return VseException.of(ErrorCode.LEDGER_FAILED, "the event log is damaged at byte " + position)
                .at(file.toString())
                .next("see docs/runbook.md, LEDGER_FAILED");
    }

    private static EventLog recover(Path file, FileChannel channel) throws IOException {
        long size = channel.size();
        if (size < HEADER_LENGTH) {
            byte[] found = read(channel, 0, (int) size);
            if (!isHeaderPrefix(found)) {
                throw notALog(file);
            }
            return create(file, channel, size == 0 ? null : Torn.read(channel, 0, size));
        }
        byte[] first = read(channel, 0, HEADER_LENGTH - 1);
        Matcher header = HEADER.matcher(LogFrame.body(first)
                .map(body -> new String(body, StandardCharsets.UTF_8))
                .orElse(""));
        if (!header.matches()) {
            throw notALog(file);
        }
        long good = goodEnd(channel, size);
        Torn torn = null;
        if (good < size) {
            torn = Torn.read(channel, good, size);
            channel.truncate(good);
            channel.force(true);
        }
        return new EventLog(file, channel, UUID.fromString(header.group(1)), good, torn);
    }

    private static EventLog create(Path file, FileChannel channel, @Nullable Torn torn) throws IOException {
        UUID id = UUID.randomUUID();
        channel.truncate(0);
        write(channel, LogFrame.of(header(id)), 0);
        channel.force(true);
        forceDirectory(file);
        return new EventLog(file, channel, id, HEADER_LENGTH, torn);
    }

    private static void forceDirectory(Path file) throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        if (directory != null) {
            try (FileChannel entries = FileChannel.open(directory, StandardOpenOption.READ)) {
                entries.force(true);
            }
        }
    }

    /** Offset after the last line that is whole. Only the very last line may be incomplete; it is looked at alone. */
    private static long goodEnd(FileChannel channel, long size) throws IOException {
        long lastFeed = feedBefore(channel, size);
        if (lastFeed + 1 < size) {
            return lastFeed + 1;
        }
        long lineStart = feedBefore(channel, lastFeed) + 1;
        if (lineStart == 0 || lastFeed - lineStart >= MAX_LINE) {
            return size;
        }
        byte[] line = read(channel, lineStart, (int) (lastFeed - lineStart));
        return LogFrame.body(line).isPresent() ? size : lineStart;
    }

    /** Offset of the last line feed before {@code limit}, −1 when there is none. */
    private static long feedBefore(FileChannel channel, long limit) throws IOException {
        for (long blockEnd = limit; blockEnd > 0; ) {
            long blockStart = Math.max(0, blockEnd - BLOCK);
            byte[] block = read(channel, blockStart, (int) (blockEnd - blockStart));
            for (int i = block.length - 1; i >= 0; i--) {
                if (block[i] == '\n') {
                    return blockStart + i;
                }
            }
            blockEnd = blockStart;
        }
        return -1;
    }

    private static byte[] header(UUID id) {
        return ("{\"log\":\"" + id + "\",\"format\":1}").getBytes(StandardCharsets.US_ASCII);
    }

    private static boolean isHeaderPrefix(byte[] found) {
        byte[] start = Arrays.copyOf(LogFrame.of(header(new UUID(0, 0))), "{\"crc\":\"".length());
        int common = Math.min(found.length, start.length);
        return Arrays.equals(found, 0, common, start, 0, common);
    }

    private static void write(FileChannel channel, byte[] bytes, long at) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
            channel.write(buffer, at + buffer.position());
        }
    }

    private static byte[] read(FileChannel channel, long at, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, at + buffer.position()) < 0) {
                throw new IOException("the file became shorter while it was read");
            }
        }
        return buffer.array();
    }

    private static @Nullable FileLock lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }

    private static void close(@Nullable FileChannel channel, Exception cause) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                cause.addSuppressed(e);
            }
        }
    }

    private static VseException notALog(Path file) {
        return VseException.of(ErrorCode.LEDGER_FAILED, "this is not an event log of the ledger")
                .at(file.toString())
                .next("move the file away");
    }

    private static VseException failed(String what, Path file, IOException cause) {
        boolean full = VseException.saysFull(cause.getMessage());
        return VseException.of(full ? ErrorCode.DISK_FULL : ErrorCode.LEDGER_FAILED, what)
                .at(file.toString())
                .fact("reason", String.valueOf(cause.getMessage()))
                .because(cause);
    }

    /** The lines of a part of a file in order, read in blocks. */
    private static final class Lines {
        private final FileChannel channel;
        private final long stop;
        private long position;
        private byte[] block = new byte[0];
        private int next;

        Lines(FileChannel channel, long from, long stop) {
            this.channel = channel;
            this.position = from;
            this.stop = stop;
        }

        /** @return the next line without its line feed, null at the end */
        byte @Nullable [] next() throws IOException {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            while (true) {
                int feed = next;
                while (feed < block.length && block[feed] != '\n') {
                    feed++;
                }
                line.write(block, next, feed - next);
                if (feed < block.length) {
                    next = feed + 1;
                    return line.toByteArray();
                }
                if (position >= stop) {
                    return line.size() == 0 ? null : line.toByteArray();
                }
                if (line.size() > MAX_LINE) {
                    throw new IOException("a line of more than " + MAX_LINE + " bytes");
                }
                block = read(channel, position, (int) Math.min(BLOCK, stop - position));
                position += block.length;
                next = 0;
            }
        }
    }
}
