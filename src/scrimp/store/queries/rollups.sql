-- Cells of the hours from :since to before :until, each with its savings as a JSON array.
SELECT
  hour, feature, user, team, key, model, provider, tags,
  calls, failed, unpriced, estimated, input_tokens, cached_tokens, output_tokens,
  list_nano, paid_nano, overhead_nano, total_ns,
  (SELECT json_group_array(json_array(strategy, kind, nano)) FROM rollup_savings WHERE rollup_id = rollups.id)
FROM rollups
WHERE hour >= :since AND hour < :until
ORDER BY hour, id
