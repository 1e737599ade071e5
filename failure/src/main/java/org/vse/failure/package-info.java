/** What went wrong: every error that a person may see has a code, a kind, the facts and the next action. */
@NullMarked
package org.vse.failure;

import org.jspecify.annotations.NullMarked;
