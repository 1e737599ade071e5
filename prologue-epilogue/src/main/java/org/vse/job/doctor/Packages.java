package org.vse.job.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.vse.process.Command;
import org.vse.process.CommandResult;

/** What packages.txt asks for to run jobs: a package that dpkg has, or its command. */
final class Packages implements Check {
    private static final Set<String> SECTIONS = Set.of("client", "runtime");
    private static final String NO_COMMAND = "-";

    @Override
    public String name() {
        return "packages";
    }

    @Override
    public Finding look(Host host) {
        List<String> wanted = new ArrayList<>();
        int all = 0;
        try {
            for (String line : Files.readAllLines(host.packages())) {
                String[] fields = line.strip().split("\\s+", 4);
                if (fields.length < 3 || !SECTIONS.contains(fields[0])) {
                    continue;
                }
                all++;
                // This program is the Java that is asked for.
                boolean there = fields[2].equals("java")
                        || (!fields[2].equals(NO_COMMAND)
                                && host.programs().find(fields[2]).isPresent());
                if (!there) {
                    wanted.add(fields[1]);
                }
            }
        } catch (IOException e) {
            return Finding.warning(
                    "the list of packages is not where it should be: " + host.packages(),
                    "run the vse of a complete tree");
        }
        if (host.programs().find("dpkg-query").isEmpty()) {
            return Finding.warning(
                    "there is no dpkg-query here, so nobody knows: " + String.join(" ", wanted),
                    "see " + host.packages() + " for what is needed and why");
        }
        Set<String> installed = installed(host, wanted);
        List<String> missing =
                wanted.stream().filter(p -> !installed.contains(p)).toList();
        if (missing.isEmpty()) {
            return Finding.ok("all " + all + " are installed");
        }
        return Finding.failed(
                missing.size() + " of " + all + " are missing: " + String.join(" ", missing),
                "apt-get install --no-install-recommends " + String.join(" ", missing));
    }

    /** dpkg-query exits with 1 when it does not know one of them, and lists the others all the same. */
    private static Set<String> installed(Host host, List<String> packages) {
        if (packages.isEmpty()) {
            return Set.of();
        }
        List<String> argv = new ArrayList<>(List.of("dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\\n"));
        argv.addAll(packages);
        CommandResult result = host.programs().run(Command.of(argv));
        return result.stdout()
                .lines()
                .filter(line -> line.startsWith("installed "))
                .map(line -> line.substring("installed ".length()))
                .collect(Collectors.toSet());
    }
}
