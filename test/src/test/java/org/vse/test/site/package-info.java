/** A site of the tests' own: directories, users, a daemon, and the command line as its users have it. */
@NullMarked
package org.vse.test.site;

import org.jspecify.annotations.NullMarked;
