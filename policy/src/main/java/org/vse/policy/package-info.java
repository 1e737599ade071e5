/** What a job may have and gets: directives, descriptions, queue policy and the plan. Pure: values in, values out. */
@NullMarked
package org.vse.policy;

import org.jspecify.annotations.NullMarked;
