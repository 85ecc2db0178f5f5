// A lease: of all processes one holds it, and may do to a file what only one may do. A lock of the operating
// system on another file beside it, so that the death of the holder gives it back at once.
//
// Threads: one at a time.
#pragma once

#include <filesystem>

namespace freshet {

class Lease {
 public:
  // `name` keeps leases of one file apart; nothing is touched before acquire().
  Lease(const std::filesystem::path& file, const char* name);
  ~Lease() { release(); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // Does not wait. False: another process (or another store in this one) holds it.
  [[nodiscard]] bool acquire();

  // The lock's file is gone afterwards, unless somebody else has taken it over.
  void release();

  [[nodiscard]] bool is_held() const { return descriptor_ != -1; }

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace freshet
