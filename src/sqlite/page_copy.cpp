// The calls of SQLite's backup interface.
#include "sqlite/page_copy.hpp"

#include <sqlite3.h>

#include "sqlite/failure.hpp"

namespace freshet::sqlite {

PageCopy::PageCopy(Connection& from, Connection& to)
    : from_(from), backup_(sqlite3_backup_init(to.handle(), "main", from.handle(), "main")) {
  if (backup_ == nullptr) fail(to.handle(), "cannot begin a copy");
}

PageCopy::~PageCopy() {
  // It repeats the error of the last step, which was thrown already.
  sqlite3_backup_finish(backup_);
}

bool PageCopy::step(int pages) {
  const int result = sqlite3_backup_step(backup_, pages);
  from_.check_unchanged();
  if (result == SQLITE_OK) return true;
  if (result == SQLITE_DONE) return false;
  fail(result, "cannot copy the database", sqlite3_errstr(result));
}

std::int64_t PageCopy::pages_done() const {
  return pages() - sqlite3_backup_remaining(backup_);
}

std::int64_t PageCopy::pages() const {
  return sqlite3_backup_pagecount(backup_);
}

}  // namespace freshet::sqlite
