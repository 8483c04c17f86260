-- The calls after :seq, added to the cells of their hour. Says in SQL what base.roll_up says in Python.
INSERT INTO rollups (
  hour, feature, user, team, key, model, provider, tags,
  calls, failed, unpriced, estimated, input_tokens, cached_tokens, output_tokens,
  list_nano, paid_nano, overhead_nano, total_ns
)
SELECT
  hour, feature, user, team, key, model, provider, tags,
  count(*), sum(failed), sum(unpriced), sum(estimated), sum(input_tokens), sum(cached_tokens), sum(output_tokens),
  sum(list_nano), sum(paid_nano), sum(overhead_nano), sum(total_ns)
FROM call_cells
WHERE seq > :seq
GROUP BY hour, feature, user, team, key, model, provider, tags
ON CONFLICT (hour, feature, user, team, key, model, provider, tags) DO UPDATE SET
  calls = calls + excluded.calls,
  failed = failed + excluded.failed,
  unpriced = unpriced + excluded.unpriced,
  estimated = estimated + excluded.estimated,
  input_tokens = input_tokens + excluded.input_tokens,
  cached_tokens = cached_tokens + excluded.cached_tokens,
  output_tokens = output_tokens + excluded.output_tokens,
  list_nano = list_nano + excluded.list_nano,
  paid_nano = paid_nano + excluded.paid_nano,
  overhead_nano = overhead_nano + excluded.overhead_nano,
  total_ns = total_ns + excluded.total_ns
