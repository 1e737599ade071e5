/** What a node counts and measures, as Prometheus reads it. */
@NullMarked
package org.vse.job.metrics;

import org.jspecify.annotations.NullMarked;
