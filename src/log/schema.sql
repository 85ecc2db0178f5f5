-- The format of a Freshet file, version 4 (PRAGMA user_version; application_id is "FRSH").
-- The first five tables cannot be made again: the log, which is the truth, and whose it is. The rest can be made again
-- from the log. One more, state_snapshots, is made when it is first needed: see state_snapshots.cpp.

-- Streams are interned: an event names its stream by a small number. That is no foreign key, which would be looked up
-- for each event although the append has just looked it up itself; verification looks for numbers without a stream.
CREATE TABLE streams (
  number   INTEGER PRIMARY KEY,
  category TEXT NOT NULL,
  id       TEXT NOT NULL,
  UNIQUE (category, id)
) STRICT;

CREATE TABLE events (
  position       INTEGER PRIMARY KEY,
  stream         INTEGER NOT NULL,  -- streams.number
  version        INTEGER NOT NULL,
  append_end     INTEGER,           -- the last position of its append; NULL: its own, or not noted, as by format 3
  type           TEXT NOT NULL,
  schema_version INTEGER NOT NULL,  -- the form of this type's data, from 1
  data           ANY NOT NULL,      -- JSON text; a blob where content_type says something else
  content_type   TEXT,              -- NULL: application/json
  metadata       TEXT,              -- JSON; NULL: none
  correlation_id TEXT,              -- what it belongs to; NULL: none, and no causation either
  causation_id   TEXT,              -- what led to it
  occurred_at    INTEGER NOT NULL,  -- microseconds since 1970, UTC
  recorded_at    INTEGER NOT NULL,  -- likewise; rises with the position
  -- XXH3, 64 bits, of all of the above, with the stream's name in the place of its number. In format 3 its name was
  -- checksum, and its meaning another one: a program of that format that is still open is to find no such column, or
  -- it would call every event damaged.
  xxh3           INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_of_stream ON events (stream, version);

-- Idempotency keys, what each belongs to, and what was answered. `first` is 0 where no events were recorded.
CREATE TABLE commands (
  id        TEXT PRIMARY KEY,
  stream    INTEGER,  -- streams.number; NULL: refused before the stream existed
  target    TEXT,     -- then the stream's name, as category/id
  first     INTEGER NOT NULL,
  last      INTEGER NOT NULL,
  version   INTEGER NOT NULL,
  outcome   TEXT NOT NULL,
  name      TEXT,  -- of the command, '' where it was given none; NULL: under format 3, which did not keep it
  arguments BLOB   -- XXH3, 128 bits, of what the command said; NULL likewise
) STRICT, WITHOUT ROWID;

-- Append only. INSERT OR REPLACE fires the DELETE triggers only with PRAGMA recursive_triggers; on a connection of
-- Freshet's nothing inserts here but what appends.
CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events
BEGIN SELECT raise(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT raise(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER streams_are_not_updated BEFORE UPDATE ON streams
BEGIN SELECT raise(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER streams_are_not_deleted BEFORE DELETE ON streams
BEGIN SELECT raise(ABORT, 'the event log is append-only'); END;

-- Who is this file? Session tokens name it.
CREATE TABLE store (
  id              TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  epoch           TEXT NOT NULL,  -- anew in each backup: from there on its history is another one
  role            TEXT NOT NULL,  -- 'store', or 'replica': an exact copy, to which nothing of its own is appended
  origin          TEXT,           -- of a replica: what it is a copy of, by its address; NULL: it is a store
  origin_position INTEGER         -- of a replica: up to where in its origin it has come
) STRICT;

-- The histories that this one goes on from, in the order of their rows, and itself as the last: a place up to where the
-- next one begins means the same event in both.
CREATE TABLE epochs (
  epoch        TEXT PRIMARY KEY,
  begins_after INTEGER NOT NULL  -- a position
) STRICT;

-- The checkpoint of each projection: everything up to `position` is applied.
CREATE TABLE projections (
  number             INTEGER PRIMARY KEY,
  name               TEXT NOT NULL UNIQUE,
  schema_version     INTEGER NOT NULL,
  generation         INTEGER NOT NULL,  -- counts rebuilds
  position           INTEGER NOT NULL,
  revision           INTEGER NOT NULL,  -- counts changes of this row and of the two tables below
  duplicates_skipped INTEGER NOT NULL,
  rebuild_token      TEXT  -- whose the tables beside those in use are; NULL: there are none
) STRICT;

-- Whose the read tables are.
CREATE TABLE projection_tables (
  name       TEXT PRIMARY KEY COLLATE NOCASE,
  projection INTEGER REFERENCES projections (number)  -- NULL: made by a release that did not note it
) STRICT;

-- Positions above the checkpoint that are applied as well.
CREATE TABLE applied_above (
  projection INTEGER NOT NULL REFERENCES projections (number),
  position   INTEGER NOT NULL,
  PRIMARY KEY (projection, position)
) STRICT, WITHOUT ROWID;

-- Events that a projection could not apply, and the later ones of their streams.
CREATE TABLE dead_letters (
  projection   INTEGER NOT NULL REFERENCES projections (number),
  position     INTEGER NOT NULL,
  stream       INTEGER NOT NULL,
  attempts     INTEGER NOT NULL,  -- 0: follows an earlier dead letter of its stream
  reason       TEXT NOT NULL,
  at           INTEGER NOT NULL,  -- of the last attempt
  discarded_at INTEGER,           -- not NULL: the event's effect is left out on purpose
  PRIMARY KEY (projection, position)
) STRICT, WITHOUT ROWID;

-- Consumer groups' offsets, committed lazily.
CREATE TABLE consumer_offsets (
  consumer_group TEXT NOT NULL,
  partition      INTEGER NOT NULL,
  position       INTEGER NOT NULL,
  PRIMARY KEY (consumer_group, partition)
) STRICT, WITHOUT ROWID;
