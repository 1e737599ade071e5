package org.vse.job.cli;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.Consumer;
import org.vse.failure.ErrorCode;
import org.vse.failure.VseException;

/**
 * Signals of the operating system, handled on a thread of their own.
 *
 * <p>The JDK has one way to handle a signal without ending the process: {@code sun.misc.Signal} of the supported module
 * jdk.unsupported (JEP 260). It is reached by reflection because javac warns of it in a way that cannot be suppressed.
 */
final class OsSignals {
    private OsSignals() {}

    /**
     * Hands the named signals ({@code INT}, {@code WINCH}, …) to {@code handler}. One that this process was started to
     * ignore, as {@code nohup} does with HUP, stays ignored.
     */
    static void handle(List<String> names, Consumer<String> handler) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
            Object ignore = handlerType.getField("SIG_IGN").get(null);
            for (String name : names) {
                Object proxy = Proxy.newProxyInstance(
                        OsSignals.class.getClassLoader(), new Class<?>[] {handlerType}, (self, method, arguments) -> {
                            return switch (method.getName()) {
                                case "handle" -> {
                                    handler.accept(name);
                                    yield null;
                                }
                                case "equals" -> self == arguments[0];
                                case "hashCode" -> name.hashCode();
                                default -> "handler of SIG" + name;
                            };
                        });
                Object of = signal.getConstructor(String.class).newInstance(name);
                Object before = signal.getMethod("handle", signal, handlerType).invoke(null, of, proxy);
                if (ignore.equals(before)) {
                    signal.getMethod("handle", signal, handlerType).invoke(null, of, ignore);
                }
            }
        } catch (ReflectiveOperationException e) {
            throw VseException.of(ErrorCode.INTERNAL, "this Java has no way to handle signals")
                    .fact("java", System.getProperty("java.version"))
                    .because(e);
        }
    }
}
