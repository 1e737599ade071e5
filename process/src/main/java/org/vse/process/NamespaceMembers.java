package org.vse.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The processes that live in a network namespace (namespaces(7)). */
public final class NamespaceMembers {
    private NamespaceMembers() {}

    /**
     * Finds every process whose network namespace is the one kept by that file.
     *
     * @param file a namespace file such as {@code /run/netns/NAME}
     */
    public static List<ProcessIdentity> of(Path file) {
        try {
            String wanted = "net:[" + Files.getAttribute(file, "unix:ino") + "]";
            List<ProcessIdentity> members = new ArrayList<>();
            try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
                for (Path entry : entries.filter(NamespaceMembers::isProcess).toList()) {
                    if (wanted.equals(namespace(entry))) {
                        Optional<ProcessIdentity> member = ProcessIdentity.of(
                                Long.parseLong(entry.getFileName().toString()));
                        member.ifPresent(members::add);
                    }
                }
            }
            return members;
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isProcess(Path entry) {
        return entry.getFileName().toString().chars().allMatch(Character::isDigit);
    }

    private static String namespace(Path process) {
        try {
            return Files.readSymbolicLink(process.resolve("ns/net")).toString();
        } catch (IOException e) {
            // The process has ended, or is a zombie, which has no namespaces any more.
            return "";
        }
    }
}
