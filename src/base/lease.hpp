// A lease: of all processes one holds it, and may do to a file what only one may do. A lock of the operating
// system on another file beside it, so that the death of the holder gives it back at once; a child that the holder has
// forked does not keep it. The file says which process that is.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/fork.hpp"

namespace freshet {

class Lease {
 public:
  // `name` keeps leases of one file apart; nothing is touched before acquire(). Whoever may write to the file may hold
  // its leases: theirs has its permissions, and as far as that is ours to say its owner.
  Lease(const std::filesystem::path& file, const std::string& name);
  ~Lease() { release(); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // Does not wait. False: another process (or another store in this one) holds it. Throws Error `read_only` or `io`
  // where that cannot be found out.
  [[nodiscard]] bool acquire();

  // The lock's file is gone afterwards, unless somebody else has taken it over.
  void release();

  [[nodiscard]] bool is_held() const { return descriptor_.is_open(); }

  // The process that holds it; nothing if none does, or if that cannot be found out. Does not wait.
  [[nodiscard]] std::optional<std::int64_t> holder() const;

 private:
  enum class Opened { to_write, to_read, not_at_all };
  [[nodiscard]] Opened open();
  [[nodiscard]] bool create();
  [[nodiscard]] bool lock(int kind);
  [[nodiscard]] bool is_linked() const;
  void note_holder() const;

  std::filesystem::path file_;  // Whose lease it is.
  std::filesystem::path path_;
  ClosedInChild descriptor_;
};

}  // namespace freshet
