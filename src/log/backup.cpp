// Copies one snapshot page by page, gives the copy its epoch, and puts it in its place.
#include "log/backup.hpp"

#include <algorithm>
#include <fstream>
#include <vector>

#include "base/pending_file.hpp"
#include "log/event_rows.hpp"
#include "log/format.hpp"
#include "sqlite/page_copy.hpp"

namespace freshet::log {
namespace {

// 1 MiB: little enough to be stopped soon.
constexpr int pages_at_a_time = 256;

constexpr std::streamsize compared_at_a_time = 1 << 20;

// False: it was stopped.
bool copy_pages(sqlite::Connection& source, const std::filesystem::path& file, const Progress& progress) {
  // Nothing is synced here: that is done once, before the file gets its name.
  sqlite::Connection target({.file = file, .access = sqlite::Access::create, .sync = sqlite::Sync::normal});
  sqlite::PageCopy copy(source, target);
  while (copy.step(pages_at_a_time)) {
    if (progress && !progress(copy.pages_done(), copy.pages())) return false;
  }
  return true;
}

void renew_epoch(const std::filesystem::path& file, void (&mark)(sqlite::Connection& copy)) {
  sqlite::Connection copy({.file = file, .access = sqlite::Access::read_write, .sync = sqlite::Sync::full});
  mark(copy);
  // Closing would do so as well, and keep to itself that it failed.
  copy.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

bool says_the_same(const std::filesystem::path& left, const std::filesystem::path& right) {
  std::ifstream left_in(left, std::ios::binary);
  std::ifstream right_in(right, std::ios::binary);
  std::vector<char> left_bytes(compared_at_a_time);
  std::vector<char> right_bytes(compared_at_a_time);
  while (left_in && right_in) {
    left_in.read(left_bytes.data(), compared_at_a_time);
    right_in.read(right_bytes.data(), compared_at_a_time);
    if (left_in.gcount() != right_in.gcount()) return false;
    if (!std::equal(left_bytes.begin(), left_bytes.begin() + left_in.gcount(), right_bytes.begin())) return false;
  }
  return left_in.eof() && right_in.eof();
}

}  // namespace

CopyMade copy_once(sqlite::Connection& source, const std::filesystem::path& store, const std::filesystem::path& file) {
  std::error_code unknown;
  const bool is_there = std::filesystem::exists(file, unknown);
  PendingFile pending(file, is_there ? ExistingFile::replace : ExistingFile::refuse, store);
  {
    const sqlite::Transaction snapshot(source, sqlite::Transaction::Kind::read);
    static_cast<void>(last_of_log(source));
    copy_pages(source, pending.path(), {});
  }
  renew_epoch(pending.path(), mark_as_copy);
  if (is_there) return says_the_same(pending.path(), file) ? CopyMade::same_there : CopyMade::other_there;
  pending.commit();
  return CopyMade::yes;
}

std::optional<Backup> backup(sqlite::Connection& source, const std::filesystem::path& store,
                             const std::filesystem::path& file, ExistingFile existing, const Progress& progress) {
  PendingFile pending(file, existing, store);
  Position head;
  {
    const sqlite::Transaction snapshot(source, sqlite::Transaction::Kind::read);
    head = last_of_log(source).position;
    if (!copy_pages(source, pending.path(), progress)) return std::nullopt;
  }
  renew_epoch(pending.path(), mark_as_backup);
  std::error_code unknown;
  const auto bytes = std::filesystem::file_size(pending.path(), unknown);
  if (unknown) throw Error(ErrorCode::io, "cannot look at the copy: " + unknown.message());
  pending.commit();
  return Backup{head, static_cast<std::int64_t>(bytes)};
}

}  // namespace freshet::log
