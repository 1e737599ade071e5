/** What an image is made of: recipes, their grammar, and what is said about a wrong one. */
@NullMarked
package org.vse.imagestore.recipe;

import org.jspecify.annotations.NullMarked;
