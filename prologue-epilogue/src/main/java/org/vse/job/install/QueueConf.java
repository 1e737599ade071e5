package org.vse.job.install;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * A cluster queue of Grid Engine (queue_conf(5)) as {@code qconf -sq} prints it, without and with what the hooks need. What
 * the site has there already becomes arguments of the hook that takes its place, so that the queue itself says what to call
 * and what to give back.
 *
 * @param text an attribute on each line, with its value after blanks
 */
record QueueConf(String text) {
    private static final String NONE = "NONE";
    private static final String GLOBAL = "global ";
    private static final String STARTER =
            GridEngineInstallation.HOOKS.resolve("starter").toString();
    private static final String PROLOG =
            "root@" + GridEngineInstallation.HOOKS.resolve("prolog") + " $job_owner $queue ";
    private static final String EPILOG = "root@" + GridEngineInstallation.HOOKS.resolve("epilog") + " $job_owner ";
    private static final String SUSPEND = GridEngineInstallation.HOOKS.resolve("suspend") + " $job_pid ";
    private static final Pattern PLAIN = Pattern.compile("/[A-Za-z0-9._/+-]+");
    private static final Pattern OVERRIDE = Pattern.compile(",\\[([^=\\]]+)=([^\\]]*)\\]");

    /** An attribute's value; NONE when it is not there. */
    String value(String attribute) {
        Matcher matcher = line(attribute).matcher(text);
        return matcher.find() ? matcher.group(2).strip() : NONE;
    }

    boolean isInstalled() {
        return value("starter_method").equals(STARTER)
                && each(value("prolog")).stream().allMatch(value -> value.startsWith(PROLOG))
                && each(value("epilog")).stream().allMatch(value -> value.startsWith(EPILOG))
                && value("suspend_method").startsWith(SUSPEND);
    }

    /**
     * The queue with the hooks.
     *
     * @param global the prolog and the epilog of the global configuration, which hold where the queue has none
     */
    QueueConf install(QueueConf global) {
        QueueConf own = uninstall();
        String starter = own.value("starter_method");
        if (!isNone(starter) && !PLAIN.matcher(starter).matches()) {
            throw cannotCall("starter_method", starter);
        }
        String suspend = own.value("suspend_method");
        if (OVERRIDE.matcher(suspend).find()) {
            throw cannotCall("suspend_method", suspend);
        }
        String prolog = PROLOG + (isNone(starter) ? NONE : starter) + " ";
        return own.with("prolog", changed(own.value("prolog"), value -> prolog + called(value, global.value("prolog"))))
                .with("epilog", changed(own.value("epilog"), value -> EPILOG + called(value, global.value("epilog"))))
                .with("starter_method", STARTER)
                .with("suspend_method", SUSPEND + suspend);
    }

    /** The queue as the site had it. */
    QueueConf uninstall() {
        String prolog = each(value("prolog")).get(0);
        QueueConf own = this;
        if (prolog.startsWith(PROLOG) && value("starter_method").equals(STARTER)) {
            own = own.with("starter_method", prolog.substring(PROLOG.length()).split(" ", 2)[0]);
        }
        return own.with(
                        "prolog",
                        changed(
                                value("prolog"),
                                value -> value.startsWith(PROLOG)
                                        ? given(value.substring(PROLOG.length()).split(" ", 2)[1])
                                        : value))
                .with(
                        "epilog",
                        changed(
                                value("epilog"),
                                value -> value.startsWith(EPILOG) ? given(value.substring(EPILOG.length())) : value))
                .with(
                        "suspend_method",
                        value("suspend_method").startsWith(SUSPEND)
                                ? value("suspend_method").substring(SUSPEND.length())
                                : value("suspend_method"));
    }

    private QueueConf with(String attribute, String value) {
        return new QueueConf(
                line(attribute).matcher(text).replaceFirst(found -> Matcher.quoteReplacement(found.group(1) + value)));
    }

    /** A value for all hosts, and those for some. */
    private static List<String> each(String value) {
        List<String> values = new ArrayList<>();
        values.add(OVERRIDE.matcher(value).replaceAll(""));
        OVERRIDE.matcher(value).results().forEach(found -> values.add(found.group(2)));
        return values;
    }

    private static String changed(String value, UnaryOperator<String> change) {
        return change.apply(OVERRIDE.matcher(value).replaceAll(""))
                + OVERRIDE.matcher(value)
                        .results()
                        .map(found -> ",[" + found.group(1) + "=" + change.apply(found.group(2)) + "]")
                        .collect(Collectors.joining());
    }

    private static String called(String own, String global) {
        return isNone(own) && !isNone(global) ? GLOBAL + global : own;
    }

    private static String given(String called) {
        return called.startsWith(GLOBAL) ? NONE : called;
    }

    private static boolean isNone(String value) {
        return value.equalsIgnoreCase(NONE);
    }

    private static Pattern line(String attribute) {
        return Pattern.compile("(?m)^(" + attribute + "[ \\t]+)(.*)$");
    }

    private VseException cannotCall(String attribute, String found) {
        return VseException.of(ErrorCode.CONFIG_INVALID, "the site's " + attribute + " cannot be called by ours")
                .at("queue '" + value("qname") + "'")
                .fact("found", "'" + found + "'")
                .fact("allowed", Arrays.asList(NONE, "one program for all hosts of the queue"))
                .next("qconf -mq " + value("qname"));
    }
}
