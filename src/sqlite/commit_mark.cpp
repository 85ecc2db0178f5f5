// Reading the head of the write-ahead log's index.
#include "sqlite/commit_mark.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace freshet::sqlite {
namespace {

constexpr int region_bytes = 32'768;                // As SQLite maps it.
constexpr std::uint32_t index_version = 3'007'000;  // The first number; the only version there has been.
constexpr std::size_t frames_number = 4;            // Which one of the numbers says how many pages are in the log.

}  // namespace

CommitMarks::CommitMarks(sqlite3* database) {
  // Of a file that is taken as it lies there no index is mapped, and asking for one would make it.
  if (sqlite3_uri_boolean(sqlite3_db_filename(database, "main"), "immutable", 0) != 0) return;
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) return;
  if (file->pMethods == nullptr || file->pMethods->iVersion < 2) return;
  // The region is mapped already; this gives its place.
  void volatile* region = nullptr;
  if (file->pMethods->xShmMap(file, 0, region_bytes, 0, &region) != SQLITE_OK) return;
  numbers_ = static_cast<const std::uint32_t volatile*>(region);
}

std::optional<CommitMark> CommitMarks::current() const {
  if (numbers_ == nullptr) return std::nullopt;
  // Others may be writing it. A half-written mark equals none that was taken before, because a counter in it rises
  // with every commit.
  CommitMark mark;
  std::copy_n(numbers_, mark.size(), mark.begin());
  if (mark.front() != index_version) return std::nullopt;
  return mark;
}

std::uint32_t CommitMarks::log_frames() const {
  const auto mark = current();
  return mark ? (*mark)[frames_number] : 0;
}

}  // namespace freshet::sqlite
