package org.vse.test.house.ruin;

/** Is in no room. */
public final class Homeless {}
