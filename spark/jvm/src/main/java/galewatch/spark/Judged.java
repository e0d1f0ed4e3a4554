package galewatch.spark;

/** A message of the readings' topic, as the query has judged it. */
sealed interface Judged permits Reading, DeadLetter {}
