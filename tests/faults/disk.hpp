// A disk for tests: files in memory behind SQLite's interface to the operating system. It loses power at
// a chosen change, fails a chosen call, and holds whatever damage a test writes into a file.
//
// While a Disk lives it is the process's default VFS, so that the library needs no hook.
//
// What a power cut leaves is this, by the seed of reboot():
// - What was written or cut off since the last sync of its file is kept, dropped or torn, each call for
//   itself. Tearing keeps some of its sectors of 512 bytes; bytes of a sector that were not written stay
//   as they were (SQLite's "powersafe overwrite", which it assumes of every disk by default).
// - Where a file has grown over something that was dropped, there are zeros or rubbish.
// - A file that was created or removed since the last sync of the directory is there or not, each name for
//   itself, and may be an older file of that name. As under unix, the directory is synced with the first
//   sync of a new journal or write-ahead log, and by a removal that asks for it.
// - Locks and shared memory are gone.
// A sync that fails tells the truth only once: what it did not write stays in the memory of the system,
// where it can be read, and never reaches the disk unless it is written again.
//
// Threads: any.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

struct sqlite3_vfs;

namespace freshet::faults {

// How a chosen call fails.
enum class Failure {
  error,       // The operating system's error of this call; SQLITE_IOERR_CORRUPTFS for a read, and so on.
  full,        // No room: of a write half is done. Calls that take no room fail as `error`.
  short_read,  // A read gets nothing, as behind the end of the file. Other calls fail as `error`.
};

// What SQLite asks of a disk.
enum class Call { open, read, write, truncate, sync, remove, size, access, lock, map };

// What goes wrong, and when. Calls and changes are counted from 1, and 0 is never.
struct Plan {
  // The power goes during this change: a write, a truncation, a sync, the removal of a file.
  std::int64_t cut_at = 0;
  // This call fails; a call is whatever can fail: besides changes, reads, locks and questions.
  std::int64_t fail_at = 0;
  // The last one that fails.
  std::int64_t fail_until = 0;
  Failure failure = Failure::error;
  // Only calls of this kind are counted as calls.
  std::optional<Call> only = std::nullopt;
  // Syncs say that they have succeeded, and do nothing.
  bool ignores_sync = false;
};

inline constexpr std::int64_t for_ever = INT64_MAX;

// What was done to a file and may not be on the disk yet.
struct Change {
  std::int64_t offset;
  std::string bytes;
  bool truncates = false;  // To `offset`.
};

struct OpenFile;

// A file's content, apart from its name.
struct Content {
  std::string now;     // As it is read.
  std::string synced;  // As it is on the disk for certain.
  std::vector<Change> unsynced;

  std::vector<OpenFile*> openers;
  std::vector<std::unique_ptr<std::array<char, 32'768>>> memory;  // The shared memory of a write-ahead log.
};
using Contents = std::shared_ptr<Content>;

// A file as one connection has it open.
struct OpenFile {
  Contents content;
  std::string path;
  bool syncs_directory = false;
  bool is_removed_on_close = false;
  int lock = 0;            // SQLITE_LOCK_NONE to SQLITE_LOCK_EXCLUSIVE.
  unsigned shared = 0;     // Bits of the locks on the shared memory that it holds.
  unsigned exclusive = 0;  // Likewise.
  bool maps_memory = false;
  int last_error = 0;  // The system's number of the last call that failed.
};

class Disk {
 public:
  Disk();
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // From here on calls and changes are counted anew.
  void arm(const Plan& plan);
  [[nodiscard]] std::int64_t calls();
  [[nodiscard]] std::int64_t changes();
  [[nodiscard]] bool has_lost_power();
  // Calls that the plan made fail.
  [[nodiscard]] std::int64_t failures();
  // Of those, syncs.
  [[nodiscard]] std::int64_t failed_syncs();

  // Power again, and no plan. Every connection is closed by now. The seed chooses what the cut left; without
  // a cut in the plan, it is one at this moment.
  void reboot(std::uint64_t seed);

  // A file's bytes as they are read, for damage. Setting them is as if they had always been there.
  [[nodiscard]] bool has(const std::string& path);
  [[nodiscard]] std::string bytes(const std::string& path);
  void put(const std::string& path, std::string bytes);
  void remove(const std::string& path);

  // The same numbers for the same runs: what SQLite draws comes from here, from the beginning.
  void reset_random_numbers();

  // The rest is for the VFS.
  // SQLITE_OK if the call may go on; else what it returns.
  [[nodiscard]] int admit(Call call);
  // Full: a write may do its half.
  [[nodiscard]] bool is_full_now() const { return full_now_; }

  [[nodiscard]] std::recursive_mutex& mutex() { return mutex_; }
  [[nodiscard]] Contents find(const std::string& path);
  [[nodiscard]] Contents create(const std::string& path);
  void unlink(const std::string& path);
  static void change(Content& content, Change change);
  void sync(OpenFile& file);
  void sync_directory();
  [[nodiscard]] std::uint64_t draw() { return random_(); }

 private:
  // What a name has stood for since the directory was synced, the oldest first; null: for nothing.
  using History = std::vector<Contents>;

  [[nodiscard]] std::string image_of(const Content& content, std::mt19937_64& random) const;

  std::recursive_mutex mutex_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  Plan plan_;
  std::int64_t calls_ = 0;
  std::int64_t changes_ = 0;
  std::int64_t failures_ = 0;
  std::int64_t failed_syncs_ = 0;
  bool lost_power_ = false;
  bool full_now_ = false;
  std::map<std::string, History> names_;
  std::mt19937_64 random_;
};

}  // namespace freshet::faults
