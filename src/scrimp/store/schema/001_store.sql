-- The store of scrimp, to be opened and queried with any SQLite client: docs/reference/schema.md.
-- Times are integer nanoseconds since the epoch (UTC), durations nanoseconds, money integer nanodollars.

PRAGMA application_id = 1935897968;

CREATE TABLE calls (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  provider TEXT NOT NULL,
  api TEXT NOT NULL,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  model_asked TEXT NOT NULL,
  model TEXT NOT NULL,
  stream INTEGER NOT NULL,
  status INTEGER NOT NULL,
  ending TEXT NOT NULL,
  error TEXT NOT NULL,
  finish TEXT NOT NULL,
  tier TEXT NOT NULL,
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  feature TEXT NOT NULL,
  feature_from TEXT NOT NULL,
  user TEXT NOT NULL,
  team TEXT NOT NULL,
  session TEXT NOT NULL,
  environment TEXT NOT NULL,
  tags TEXT NOT NULL,
  tokens_input INTEGER NOT NULL,
  tokens_cached INTEGER NOT NULL,
  tokens_cache_write INTEGER NOT NULL,
  tokens_cache_write_1h INTEGER NOT NULL,
  tokens_cache_write_12h INTEGER NOT NULL,
  tokens_audio_input INTEGER NOT NULL,
  tokens_audio_cached INTEGER NOT NULL,
  tokens_image_input INTEGER NOT NULL,
  tokens_video_input INTEGER NOT NULL,
  tokens_output INTEGER NOT NULL,
  tokens_reasoning INTEGER NOT NULL,
  tokens_audio_output INTEGER NOT NULL,
  tokens_image_output INTEGER NOT NULL,
  tokens_rejected_prediction INTEGER NOT NULL,
  searches INTEGER NOT NULL,
  basis TEXT NOT NULL,
  unpriced TEXT NOT NULL,
  price_model TEXT NOT NULL,
  flags TEXT NOT NULL,
  list_nano INTEGER NOT NULL,
  paid_nano INTEGER NOT NULL,
  overhead_nano INTEGER NOT NULL,
  first_byte_ns INTEGER NOT NULL,
  total_ns INTEGER NOT NULL,
  overhead_ns INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  facts TEXT NOT NULL,
  request_id TEXT NOT NULL
);
CREATE INDEX calls_at ON calls (at);

CREATE TABLE savings (
  call_id TEXT NOT NULL,
  place INTEGER NOT NULL,
  strategy TEXT NOT NULL,
  nano INTEGER NOT NULL,
  kind TEXT NOT NULL,
  PRIMARY KEY (call_id, place)
) WITHOUT ROWID;

CREATE TABLE bodies (
  call_id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  request BLOB,
  answer BLOB
);
CREATE INDEX bodies_at ON bodies (at);

CREATE TABLE rollups (
  id INTEGER PRIMARY KEY,
  hour INTEGER NOT NULL,
  feature TEXT NOT NULL,
  user TEXT NOT NULL,
  team TEXT NOT NULL,
  key TEXT NOT NULL,
  model TEXT NOT NULL,
  provider TEXT NOT NULL,
  tags TEXT NOT NULL,
  calls INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  list_nano INTEGER NOT NULL,
  paid_nano INTEGER NOT NULL,
  overhead_nano INTEGER NOT NULL,
  total_ns INTEGER NOT NULL,
  UNIQUE (hour, feature, user, team, key, model, provider, tags)
);

CREATE TABLE rollup_savings (
  rollup_id INTEGER NOT NULL,
  strategy TEXT NOT NULL,
  kind TEXT NOT NULL,
  nano INTEGER NOT NULL,
  PRIMARY KEY (rollup_id, strategy, kind)
) WITHOUT ROWID;

CREATE TABLE counters (
  key TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE blobs (
  key TEXT NOT NULL UNIQUE,
  value BLOB NOT NULL,
  expires INTEGER NOT NULL
);
CREATE INDEX blobs_expire ON blobs (expires) WHERE expires > 0;

CREATE TABLE jobs (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  queue TEXT NOT NULL,
  body BLOB NOT NULL,
  due INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  leased_until INTEGER NOT NULL,
  result BLOB
);
CREATE INDEX jobs_due ON jobs (queue, due) WHERE result IS NULL;

CREATE TABLE knowledge (
  topic TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (topic, key)
);

-- Each call as its cell of the rollups sees it: the hour, the labels, the sums of one call.
CREATE VIEW call_cells AS
SELECT
  seq,
  id,
  at / 3600000000000 AS hour,
  feature,
  user,
  team,
  key,
  model,
  provider,
  CASE tags WHEN '[]' THEN '' ELSE
    (SELECT group_concat(value, ',') FROM (SELECT DISTINCT value FROM json_each(calls.tags) ORDER BY value))
  END AS tags,
  ending NOT IN ('ok', 'client-left', 'stopped') AS failed,
  unpriced <> '' AS unpriced,
  basis IN ('estimated', 'assumed-full') AS estimated,
  tokens_input + tokens_cached + tokens_cache_write + tokens_cache_write_1h + tokens_cache_write_12h
    + tokens_audio_input + tokens_audio_cached + tokens_image_input + tokens_video_input AS input_tokens,
  tokens_cached + tokens_audio_cached AS cached_tokens,
  tokens_output + tokens_reasoning + tokens_audio_output + tokens_image_output
    + tokens_rejected_prediction AS output_tokens,
  list_nano,
  paid_nano,
  overhead_nano,
  total_ns
FROM calls;

CREATE VIEW calls_usd AS
SELECT
  strftime('%Y-%m-%dT%H:%M:%S', at / 1000000000, 'unixepoch') || printf('.%03dZ', at / 1000000 % 1000) AS time,
  id,
  calls.feature,
  calls.user,
  calls.team,
  calls.key,
  calls.tags,
  calls.provider,
  calls.model,
  status,
  ending,
  input_tokens,
  cached_tokens,
  output_tokens,
  calls.list_nano / 1e9 AS list_usd,
  (calls.list_nano + calls.overhead_nano - calls.paid_nano) / 1e9 AS saved_usd,
  calls.overhead_nano / 1e9 AS overhead_usd,
  calls.paid_nano / 1e9 AS paid_usd,
  calls.unpriced,
  basis,
  first_byte_ns / 1e6 AS first_byte_ms,
  calls.total_ns / 1e6 AS total_ms,
  overhead_ns / 1e6 AS overhead_ms
FROM calls JOIN call_cells USING (seq, id);
