"""What the working file tells: one question a file, each answered by queries over the calls, in flat memory."""
