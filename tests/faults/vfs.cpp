// The functions that SQLite calls: each asks the disk's plan first, and then does what a disk does.
#include "faults/vfs.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "faults/disk.hpp"

namespace freshet::faults {
namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

// What SQLite reserves room for.
struct Handle {
  sqlite3_file base;
  Disk* disk;
  OpenFile* file;
};

Handle& handle_of(sqlite3_file* file) {
  return *reinterpret_cast<Handle*>(file);
}

Disk& disk_of(sqlite3_vfs* vfs) {
  return *static_cast<Disk*>(vfs->pAppData);
}

void let_go_of_memory(OpenFile& file) {
  file.shared = file.exclusive = 0;
  file.maps_memory = false;
  const auto& openers = file.content->openers;
  if (std::none_of(openers.begin(), openers.end(), [](const OpenFile* other) { return other->maps_memory; })) {
    file.content->memory.clear();
  }
}

int close_file(sqlite3_file* base) {
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  const std::unique_ptr<OpenFile> file(handle.file);
  let_go_of_memory(*file);
  std::erase(file->content->openers, file.get());
  return SQLITE_OK;
}

int read_file(sqlite3_file* base, void* to, int amount, sqlite3_int64 offset) {
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  const int verdict = handle.disk->admit(Call::read);
  if (verdict != SQLITE_OK && verdict != SQLITE_IOERR_SHORT_READ) {
    handle.file->last_error = EIO;
    return verdict;
  }
  const std::string& bytes = handle.file->content->now;
  const auto wanted = static_cast<std::size_t>(std::max(amount, 0));
  const auto from = std::min(static_cast<std::size_t>(offset), bytes.size());
  const std::size_t there = verdict == SQLITE_OK ? std::min(bytes.size() - from, wanted) : 0;
  if (there > 0) std::memcpy(to, bytes.data() + from, there);
  if (there == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(to) + there, 0, wanted - there);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* base, const void* from, int amount, sqlite3_int64 offset) {
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  const int verdict = handle.disk->admit(Call::write);
  if (verdict != SQLITE_OK && !handle.disk->is_full_now()) return verdict;
  const auto size = static_cast<std::size_t>(verdict == SQLITE_OK ? amount : amount / 2);
  Disk::change(*handle.file->content, {.offset = offset, .bytes = std::string(static_cast<const char*>(from), size)});
  if (handle.disk->has_lost_power()) return SQLITE_IOERR_WRITE;
  return verdict;
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  if (const int verdict = handle.disk->admit(Call::truncate); verdict != SQLITE_OK) return verdict;
  Disk::change(*handle.file->content, {.offset = size, .bytes = {}, .truncates = true});
  return handle.disk->has_lost_power() ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

int sync_file(sqlite3_file* base, int) {
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  if (const int verdict = handle.disk->admit(Call::sync); verdict != SQLITE_OK) {
    // The system forgets that it still had to write this; see the head of disk.hpp.
    if (!handle.disk->has_lost_power()) handle.file->content->unsynced.clear();
    return verdict;
  }
  handle.disk->sync(*handle.file);
  return SQLITE_OK;
}

int file_size(sqlite3_file* base, sqlite3_int64* size) {
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  if (const int verdict = handle.disk->admit(Call::size); verdict != SQLITE_OK) return verdict;
  *size = static_cast<sqlite3_int64>(handle.file->content->now.size());
  return SQLITE_OK;
}

// The strongest lock that another connection holds.
int strongest_other_lock(const OpenFile& file) {
  int strongest = SQLITE_LOCK_NONE;
  for (const OpenFile* other : file.content->openers) {
    if (other != &file) strongest = std::max(strongest, other->lock);
  }
  return strongest;
}

int lock_file(sqlite3_file* base, int wanted) {
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  OpenFile& file = *handle.file;
  if (file.lock >= wanted) return SQLITE_OK;
  if (const int verdict = handle.disk->admit(Call::lock); verdict != SQLITE_OK) return verdict;
  const int others = strongest_other_lock(file);
  if (wanted == SQLITE_LOCK_SHARED && others >= SQLITE_LOCK_PENDING) return SQLITE_BUSY;
  if (wanted >= SQLITE_LOCK_RESERVED && others >= SQLITE_LOCK_RESERVED) return SQLITE_BUSY;
  if (wanted == SQLITE_LOCK_EXCLUSIVE && others >= SQLITE_LOCK_SHARED) {
    file.lock = SQLITE_LOCK_PENDING;
    return SQLITE_BUSY;
  }
  file.lock = wanted;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* base, int wanted) {
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  handle.file->lock = std::min(handle.file->lock, wanted);
  return SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* base, int* reserved) {
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  if (const int verdict = handle.disk->admit(Call::lock); verdict != SQLITE_OK) return verdict;
  *reserved = std::max(handle.file->lock, strongest_other_lock(*handle.file)) >= SQLITE_LOCK_RESERVED;
  return SQLITE_OK;
}

int control_file(sqlite3_file* base, int asked, void* answer) {
  if (asked != SQLITE_FCNTL_LAST_ERRNO) return SQLITE_NOTFOUND;
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  *static_cast<int*>(answer) = handle.file->last_error;
  return SQLITE_OK;
}

int sector_size(sqlite3_file*) {
  return 4'096;
}

int characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int map_memory(sqlite3_file* base, int region, int size, int extend, void volatile** memory) {
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  *memory = nullptr;
  if (const int verdict = handle.disk->admit(Call::map); verdict != SQLITE_OK) return verdict;
  auto& regions = handle.file->content->memory;
  handle.file->maps_memory = true;
  const auto index = static_cast<std::size_t>(region);
  if (index >= regions.size() && extend == 0) return SQLITE_OK;
  while (index >= regions.size()) regions.push_back(std::make_unique<std::array<char, 32'768>>());
  if (static_cast<std::size_t>(size) > regions[index]->size()) return SQLITE_IOERR_SHMSIZE;
  *memory = regions[index]->data();
  return SQLITE_OK;
}

int lock_memory(sqlite3_file* base, int first, int count, int flags) {
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  OpenFile& file = *handle.file;
  const unsigned bits = ((1U << static_cast<unsigned>(count)) - 1U) << static_cast<unsigned>(first);
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    file.shared &= ~bits;
    file.exclusive &= ~bits;
    return SQLITE_OK;
  }
  if (const int verdict = handle.disk->admit(Call::lock); verdict != SQLITE_OK) return verdict;
  for (const OpenFile* other : file.content->openers) {
    if (other == &file) continue;
    const unsigned held = (flags & SQLITE_SHM_SHARED) != 0 ? other->exclusive : other->exclusive | other->shared;
    if ((held & bits) != 0) return SQLITE_BUSY;
  }
  ((flags & SQLITE_SHM_SHARED) != 0 ? file.shared : file.exclusive) |= bits;
  return SQLITE_OK;
}

void memory_barrier(sqlite3_file* base) {
  const Lock lock(handle_of(base).disk->mutex());
}

int unmap_memory(sqlite3_file* base, int) {
  const Handle& handle = handle_of(base);
  const Lock lock(handle.disk->mutex());
  let_go_of_memory(*handle.file);
  return SQLITE_OK;
}

constexpr sqlite3_io_methods methods{.iVersion = 2,
                                     .xClose = close_file,
                                     .xRead = read_file,
                                     .xWrite = write_file,
                                     .xTruncate = truncate_file,
                                     .xSync = sync_file,
                                     .xFileSize = file_size,
                                     .xLock = lock_file,
                                     .xUnlock = unlock_file,
                                     .xCheckReservedLock = check_reserved_lock,
                                     .xFileControl = control_file,
                                     .xSectorSize = sector_size,
                                     .xDeviceCharacteristics = characteristics,
                                     .xShmMap = map_memory,
                                     .xShmLock = lock_memory,
                                     .xShmBarrier = memory_barrier,
                                     .xShmUnmap = unmap_memory,
                                     .xFetch = nullptr,
                                     .xUnfetch = nullptr};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* base, int flags, int* out_flags) {
  Disk& disk = disk_of(vfs);
  const Lock lock(disk.mutex());
  base->pMethods = nullptr;
  if (const int verdict = disk.admit(Call::open); verdict != SQLITE_OK) return verdict;
  auto file = std::make_unique<OpenFile>();
  // Without a name it is a scratch file that nobody else sees.
  if (name == nullptr) {
    file->content = std::make_shared<Content>();
  } else {
    file->path = name;
    file->content = disk.find(name);
    if (!file->content) {
      if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
      file->content = disk.create(name);
      file->syncs_directory = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    }
  }
  file->content->openers.push_back(file.get());
  Handle& handle = handle_of(base);
  handle.disk = &disk;
  handle.file = file.release();
  handle.base.pMethods = &methods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int remove_file(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  Disk& disk = disk_of(vfs);
  const Lock lock(disk.mutex());
  if (const int verdict = disk.admit(Call::remove); verdict != SQLITE_OK) return verdict;
  if (!disk.find(name)) return SQLITE_IOERR_DELETE_NOENT;
  disk.unlink(name);
  if (disk.has_lost_power()) return SQLITE_IOERR_DELETE;
  if (sync_directory != 0) disk.sync_directory();
  return SQLITE_OK;
}

int access_file(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  Disk& disk = disk_of(vfs);
  const Lock lock(disk.mutex());
  if (const int verdict = disk.admit(Call::access); verdict != SQLITE_OK) return verdict;
  const Contents content = disk.find(name);
  // As under unix, an empty file does not count as one that exists.
  *result = content && (flags != SQLITE_ACCESS_EXISTS || !content->now.empty());
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* to) {
  if (std::strlen(name) >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::strcpy(to, name);
  return SQLITE_OK;
}

int draw_bytes(sqlite3_vfs* vfs, int size, char* to) {
  Disk& disk = disk_of(vfs);
  const Lock lock(disk.mutex());
  for (int index = 0; index < size; ++index) to[index] = static_cast<char>(disk.draw());
  return size;
}

// Nobody else is there to wait for.
int sleep_for(sqlite3_vfs*, int microseconds) {
  return microseconds;
}

}  // namespace

std::unique_ptr<sqlite3_vfs> make_vfs(Disk& disk) {
  // The rest, such as the time, is the system's.
  auto vfs = std::make_unique<sqlite3_vfs>(*sqlite3_vfs_find("unix"));
  vfs->szOsFile = sizeof(Handle);
  vfs->mxPathname = 512;
  vfs->pNext = nullptr;
  vfs->zName = "faults";
  vfs->pAppData = &disk;
  vfs->xOpen = open_file;
  vfs->xDelete = remove_file;
  vfs->xAccess = access_file;
  vfs->xFullPathname = full_path;
  vfs->xRandomness = draw_bytes;
  vfs->xSleep = sleep_for;
  return vfs;
}

}  // namespace freshet::faults
