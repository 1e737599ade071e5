package org.vse.test.cluster;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** A scenario that no other may share these hosts with; {@link #beside} names nodes that it uses like any other. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@interface Disturbs {
    /** Nodes, or {@code head}. */
    String[] value();

    String[] beside() default {};
}
