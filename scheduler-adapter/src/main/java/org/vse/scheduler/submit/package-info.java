/** How users' commands of batch systems are spoken: from what is wanted to a command line, from what it prints to values. */
@NullMarked
package org.vse.scheduler.submit;

import org.jspecify.annotations.NullMarked;
