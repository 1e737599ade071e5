package org.vse.test.house.ruin.policy;

/** Is everything and nothing. */
final class Common {}
