package org.vse.test.resilience;

/** Job scripts for tests in which something dies. */
final class Scripts {
    /** Ends with exit code 7 after about ten seconds. */
    static final String NUMBERED = """
            #!/bin/bash
            #VSE image=debian-12
            exec 3<> <(:)
            for ((i = 1; i <= 200; i++)); do
              echo "line $i"
              echo "error $i" >&2
              read -r -t 0.05 -u 3
            done
            head -c 5242880 /dev/zero | tr '\\0' x
            echo
            echo end
            exit 7
            """;

    private Scripts() {}

    /** Everything that {@link #NUMBERED} writes to its standard output. */
    static String numberedOut() {
        StringBuilder all = new StringBuilder();
        for (int i = 1; i <= 200; i++) {
            all.append("line ").append(i).append('\n');
        }
        return all.append("x".repeat(5_242_880)).append("\nend\n").toString();
    }

    /** Everything that {@link #NUMBERED} writes to its standard error. */
    static String numberedErr() {
        StringBuilder all = new StringBuilder();
        for (int i = 1; i <= 200; i++) {
            all.append("error ").append(i).append('\n');
        }
        return all.toString();
    }

    /** Says {@code started} and does that. */
    static String saysStartedAnd(String what) {
        return "#!/bin/bash\n#VSE image=debian-12\necho started\n" + what + "\n";
    }
}
