package org.vse.job.log;

import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;
import org.vse.job.lifecycle.JobRecord;
import org.vse.ledger.JobKey;

/** What a thread does for one attempt of a job: each line that it logs meanwhile has the job and the attempt. */
public final class JobScope {
    static final String JOB = "job";
    static final String ATTEMPT = "attempt";

    private JobScope() {}

    /** Works for that job; what this thread works for afterwards is what it was before. */
    public static void in(JobRecord record, Runnable work) {
        in(record.id(), record.attempt(), work);
    }

    static void in(JobKey key, Runnable work) {
        in(key.id(), key.attempt(), work);
    }

    private static void in(String id, int number, Runnable work) {
        String outerJob = MDC.get(JOB);
        String outerAttempt = MDC.get(ATTEMPT);
        MDC.put(JOB, id);
        MDC.put(ATTEMPT, Integer.toString(number));
        try {
            work.run();
        } finally {
            back(JOB, outerJob);
            back(ATTEMPT, outerAttempt);
        }
    }

    private static void back(String key, @Nullable String outer) {
        if (outer == null) {
            MDC.remove(key);
        } else {
            MDC.put(key, outer);
        }
    }
}
