// SQLite's interface to the operating system, answered by a Disk.
#pragma once

#include <sqlite3.h>

#include <memory>

namespace freshet::faults {

class Disk;

// Outlived by the disk, and not registered yet.
[[nodiscard]] std::unique_ptr<sqlite3_vfs> make_vfs(Disk& disk);

}  // namespace freshet::faults
