// Tells whether anybody, in any process, has committed to the file since a moment, without a system call: by the
// counters at the head of the write-ahead log's index, which all connections share in memory. SQLite documents
// them (walformat) and gives access to that memory (sqlite3_io_methods::xShmMap).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

struct sqlite3;

namespace freshet::sqlite {

// Equal marks: nothing was committed between them.
using CommitMark = std::array<std::uint32_t, 12>;

// Where a connection finds the mark. It stays there until the connection is closed, which ends after this.
class CommitMarks {
 public:
  // The connection has read something before.
  explicit CommitMarks(sqlite3* database);

  // Nothing where it cannot be known: another journal mode, or an index of another version. Such a connection is
  // never taken to be up to date.
  [[nodiscard]] std::optional<CommitMark> current() const;

  // Pages in the log as of its last commit; 0 if there is none, or if that cannot be known.
  [[nodiscard]] std::uint32_t log_frames() const;

 private:
  const std::uint32_t volatile* numbers_ = nullptr;
};

}  // namespace freshet::sqlite
