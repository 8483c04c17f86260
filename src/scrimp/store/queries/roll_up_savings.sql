-- The savings of the calls after :seq, added to the cells that roll_up.sql has just made.
INSERT INTO rollup_savings (rollup_id, strategy, kind, nano)
SELECT rollups.id, savings.strategy, savings.kind, sum(savings.nano)
FROM call_cells
JOIN savings ON savings.call_id = call_cells.id
JOIN rollups USING (hour, feature, user, team, key, model, provider, tags)
WHERE call_cells.seq > :seq
GROUP BY rollups.id, savings.strategy, savings.kind
ON CONFLICT (rollup_id, strategy, kind) DO UPDATE SET nano = nano + excluded.nano
