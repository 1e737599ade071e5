/**
 * The way to {@code vsed}: HTTP/1.1 over its Unix socket with nothing but the JDK, so that a process of a few milliseconds
 * can afford it. The contract is {@code docs/api.md}.
 */
@NullMarked
package org.vse.job.client;

import org.jspecify.annotations.NullMarked;
