/** What OpenPBS and TORQUE write alike, as both come from one PBS. */
@NullMarked
package org.vse.scheduler.pbs;

import org.jspecify.annotations.NullMarked;
