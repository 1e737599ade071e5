package org.vse.job.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.Encoder;
import java.io.OutputStream;
import net.logstash.logback.encoder.LogstashEncoder;
import net.logstash.logback.fieldnames.LogstashFieldNames;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where the daemon's log goes and how its lines look. What it logs never has a value of a user's environment. */
public final class DaemonLog {
    /** Control characters of what others have said begin no line and move no cursor. */
    private static final String PATTERN = "%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z', UTC} %-5level node=%property{node}"
            + " job=%X{" + JobScope.JOB + ":--} attempt=%X{" + JobScope.ATTEMPT
            + ":--} %logger{0}: %replace(%msg){'\\p{Cntrl}', ' '}%n%ex";

    private static final String IGNORED = "[ignore]";

    private DaemonLog() {}

    /**
     * Sends the log of this process there, and nowhere else: WARN and above of what it uses, INFO and above of its own.
     *
     * @param node name of this node, which each line has; empty while it is not known
     */
    public static void begin(OutputStream to, LogFormat format, String node) {
        LoggerContext logging = (LoggerContext) LoggerFactory.getILoggerFactory();
        ch.qos.logback.classic.Logger root = logging.getLogger(Logger.ROOT_LOGGER_NAME);
        // Without stopping them, which closes what they wrote to: it is the process's.
        root.iteratorForAppenders().forEachRemaining(root::detachAppender);
        root.addAppender(appender(logging, to, format, node));
        root.setLevel(Level.WARN);
        logging.getLogger("org.vse").setLevel(Level.INFO);
    }

    static Appender<ILoggingEvent> appender(LoggerContext logging, OutputStream to, LogFormat format, String node) {
        logging.putProperty("node", node.isEmpty() ? "-" : node);
        OutputStreamAppender<ILoggingEvent> appender = new OutputStreamAppender<>();
        appender.setContext(logging);
        appender.setName(format.word());
        appender.setEncoder(format == LogFormat.JSON ? json(logging) : text(logging));
        appender.setOutputStream(to);
        appender.start();
        return appender;
    }

    private static Encoder<ILoggingEvent> text(LoggerContext logging) {
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(logging);
        encoder.setPattern(PATTERN);
        encoder.start();
        return encoder;
    }

    private static Encoder<ILoggingEvent> json(LoggerContext logging) {
        LogstashFieldNames names = new LogstashFieldNames();
        names.setTimestamp("time");
        names.setLogger("logger");
        names.setThread("thread");
        names.setStackTrace("trace");
        names.setVersion(IGNORED);
        names.setLevelValue(IGNORED);
        LogstashEncoder encoder = new LogstashEncoder();
        encoder.setContext(logging);
        encoder.setFieldNames(names);
        encoder.setTimeZone("UTC");
        encoder.start();
        return encoder;
    }
}
