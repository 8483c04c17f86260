-- The oldest due job of a queue that is neither finished nor leased past :now.
SELECT id, queue, body, due, attempt, leased_until, result
FROM jobs
WHERE queue = :queue AND result IS NULL AND due <= :now AND leased_until <= :now
ORDER BY due, seq
LIMIT 1
