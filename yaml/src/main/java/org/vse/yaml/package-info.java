/** YAML as people write it for us: strict, bounded, and every value knows its line and column. */
@NullMarked
package org.vse.yaml;

import org.jspecify.annotations.NullMarked;
