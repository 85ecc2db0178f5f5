// Copies one snapshot page by page, gives the copy its epoch, and puts it in its place.
#include "store/backup.hpp"

#include "base/pending_file.hpp"
#include "log/event_rows.hpp"
#include "log/format.hpp"
#include "sqlite/page_copy.hpp"

namespace freshet::store {
namespace {

// 1 MiB: little enough to be stopped soon.
constexpr int pages_at_a_time = 256;

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

void renew_epoch(const std::filesystem::path& file) {
  sqlite::Connection copy({.file = file, .access = sqlite::Access::read_write, .sync = sqlite::Sync::full});
  log::mark_as_backup(copy);
  // Closing would do so as well, and keep to itself that it failed.
  copy.execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace

std::optional<Backup> backup(sqlite::Connection& source, const std::filesystem::path& store,
                             const std::filesystem::path& file, ExistingFile existing, const Progress& progress) {
  PendingFile pending(file, existing, store);
  Position head;
  {
    const sqlite::Transaction snapshot(source, sqlite::Transaction::Kind::read);
    head = log::last_of_log(source).position;
    if (!copy_pages(source, pending.path(), progress)) return std::nullopt;
  }
  renew_epoch(pending.path());
  std::error_code unknown;
  const auto bytes = std::filesystem::file_size(pending.path(), unknown);
  if (unknown) throw Error(ErrorCode::io, "cannot look at the copy: " + unknown.message());
  pending.commit();
  return Backup{head, static_cast<std::int64_t>(bytes)};
}

}  // namespace freshet::store
