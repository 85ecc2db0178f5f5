// Copying a database page by page, on SQLite's backup interface.
#pragma once

#include <cstdint>

#include "sqlite/connection.hpp"

struct sqlite3_backup;

namespace freshet::sqlite {

class PageCopy {
 public:
  // `from` has a read transaction open in which something was read: its snapshot is copied, whatever others
  // write meanwhile. `to` is new and empty. Both outlive the copy.
  PageCopy(Connection& from, Connection& to);
  ~PageCopy();
  PageCopy(const PageCopy&) = delete;
  PageCopy& operator=(const PageCopy&) = delete;

  // Copies up to so many pages. False: it is complete. Throws `busy` if `from` is a file that was taken as one that
  // does not change, and has.
  [[nodiscard]] bool step(int pages);

  [[nodiscard]] std::int64_t pages_done() const;
  [[nodiscard]] std::int64_t pages() const;

 private:
  Connection& from_;
  sqlite3_backup* backup_;
};

}  // namespace freshet::sqlite
