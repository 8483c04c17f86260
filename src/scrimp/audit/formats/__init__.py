"""The readers: one small file a log format, each turning one row of its log into entries."""
