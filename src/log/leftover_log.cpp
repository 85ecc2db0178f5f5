// Compares what the file says of itself with what it says once the log is read over it.
#include "log/leftover_log.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "freshet/error.hpp"
#include "log/format.hpp"
#include "sqlite/commit_mark.hpp"

namespace freshet::log {
namespace {

// What a file says of itself.
struct Said {
  StoreIdentity identity;
  std::int64_t format = 0;

  [[nodiscard]] bool is_backup() const { return is_marked_as_backup(identity); }
};

// Nothing where that cannot be known: a file is damaged, being made, or folded into while it is read.
std::optional<Said> said_by(sqlite::Connection& connection) {
  try {
    return Said{identity_of(connection), connection.integer("PRAGMA user_version")};
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<Said> said_without_log(const std::filesystem::path& file) {
  try {
    sqlite::Connection alone({.file = file, .access = sqlite::Access::read_only, .without_log = true});
    return said_by(alone);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool is_of_one_history(const Said& alone, const Said& seen, sqlite::Connection& connection) {
  if (alone.identity.id != seen.identity.id || alone.format > seen.format) return false;
  // Who writes to a backup for the first time gives it another epoch before anything else.
  if (seen.is_backup()) return false;
  // Releases of format 3 did so too, and kept no lineage.
  if (alone.format < format_version && alone.is_backup()) return true;
  const auto lineage = lineage_of(connection);
  // Where one of the two is the log's and the other the file's.
  if (lineage.empty() || lineage.back().epoch != seen.identity.epoch) return false;
  return std::ranges::find(lineage, alone.identity.epoch, &Epoch::epoch) != lineage.end();
}

}  // namespace

void check_log_is_own(sqlite::Connection& connection, const std::filesystem::path& file) {
  if (connection.is_immutable()) return;
  // Without a commit in the log the file is all there is.
  if (sqlite::CommitMarks(connection.handle()).log_frames() == 0) return;
  // The file first: what the log says of it can only have become more since.
  const auto alone = said_without_log(file);
  const auto seen = said_by(connection);
  if (!alone || !seen || seen->format > format_version) return;
  if (is_of_one_history(*alone, *seen, connection)) return;
  throw Error(ErrorCode::corrupt, "'" + file.string() + "-wal' is not of '" + file.string() +
                                      "', but of a store that was there before, and would be read over it: remove '" +
                                      file.string() + "-wal' and '" + file.string() +
                                      "-shm' if the file is a backup that you have restored");
}

}  // namespace freshet::log
