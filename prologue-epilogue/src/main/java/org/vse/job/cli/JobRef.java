package org.vse.job.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A VM as people name it: {@code JOB} or {@code JOB.N}. Job ids of batch systems contain dots ({@code 12.server}); only a
 * last part of digits is a number of a VM.
 *
 * @param job id of the job
 * @param index number of the VM in the job, from 0
 */
record JobRef(String job, int index) {
    private static final Pattern NUMBERED = Pattern.compile("(.+)\\.([0-9]{1,4})");

    static JobRef parse(String text) {
        Matcher matcher = NUMBERED.matcher(text);
        return matcher.matches()
                ? new JobRef(matcher.group(1), Integer.parseInt(matcher.group(2)))
                : new JobRef(text, 0);
    }
}
