/** What a node needs to run jobs, looked at from outside: nothing is changed, and no daemon has to run. */
@NullMarked
package org.vse.job.doctor;

import org.jspecify.annotations.NullMarked;
