/** TORQUE: its prologue and epilogue, what {@code qstat} prints. */
@NullMarked
package org.vse.scheduler.torque;

import org.jspecify.annotations.NullMarked;
