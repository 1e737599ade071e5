/** What batch systems call before, around and after a script. Thin, without state, of the JDK alone: a hook has 100 ms. */
@NullMarked
package org.vse.job.hook;

import org.jspecify.annotations.NullMarked;
