"""The audit: logs that a team already has, replayed through the pipeline's PLAN; it reads, and sends nothing."""
