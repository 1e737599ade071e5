/** Who asks: one package per batch system, each speaking that system's terms only. */
@NullMarked
package org.vse.scheduler;

import org.jspecify.annotations.NullMarked;
