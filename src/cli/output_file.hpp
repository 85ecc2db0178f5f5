// Files that a command writes beside its answer: one way for all of them, and it destroys nothing.
//
// Failure: Error `io`, or `disk_full`. Where something stands in the way nothing is touched.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/pending_file.hpp"

namespace freshet::cli {

// What a command works with, whether it is there by now or not.
struct FilesInUse {
  std::optional<std::filesystem::path> database = std::nullopt;  // The files beside it are meant as well.
  std::optional<std::filesystem::path> script = std::nullopt;
};

// Whether Freshet's own databases may be replaced, as an older copy by a newer one. Those of others never are.
enum class OwnDatabases { keep, replace };

// Throws unless this file may be written: there is none, or it may be replaced and is no database, nor belongs to one,
// nor is in use. Whoever calls this has no other database open than `in_use` says: looking into a file that SQLite has
// open in this process would drop its locks.
void check_output(const std::filesystem::path& file, ExistingFile existing, const FilesInUse& in_use,
                  OwnDatabases own_databases = OwnDatabases::keep);

// A file that appears as a whole, when it is committed. A named pipe or a device, or /dev/stdout and the like, is
// written to as it comes.
class OutputFile {
 public:
  // It has the permissions of `source`, if it is a copy of that.
  OutputFile(const std::filesystem::path& file, ExistingFile existing, const FilesInUse& in_use,
             const std::optional<std::filesystem::path>& source = std::nullopt);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view text);

  // Writes out what is left. Without it nothing is left behind.
  void commit();

 private:
  void write_out();
  [[noreturn]] void fail(int reason) const;

  std::filesystem::path file_;
  std::optional<PendingFile> pending_;  // Nothing where it is written to as it comes.
  int descriptor_ = -1;
  std::string buffer_;
};

}  // namespace freshet::cli
