// The files, what is synced of them, and what a power cut leaves.
#include "faults/disk.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>

#include "faults/vfs.hpp"

namespace freshet::faults {
namespace {

constexpr std::int64_t sector_bytes = 512;

void write(std::string& bytes, std::int64_t offset, std::string_view data) {
  const auto from = static_cast<std::size_t>(offset);
  if (bytes.size() < from + data.size()) bytes.resize(from + data.size());
  std::copy(data.begin(), data.end(), bytes.begin() + offset);
}

void put_into(std::string& bytes, const Change& change) {
  if (change.truncates) {
    bytes.resize(static_cast<std::size_t>(change.offset));
  } else {
    write(bytes, change.offset, change.bytes);
  }
}

// Calls `body` with each part of the change that lies in one sector.
template <typename Body>
void for_each_sector(const Change& change, const Body& body) {
  std::int64_t at = change.offset;
  const std::int64_t end = at + static_cast<std::int64_t>(change.bytes.size());
  while (at < end) {
    const std::int64_t next = std::min(end, (at / sector_bytes + 1) * sector_bytes);
    body(at, std::string_view(change.bytes)
                 .substr(static_cast<std::size_t>(at - change.offset), static_cast<std::size_t>(next - at)));
    at = next;
  }
}

bool is_change(Call call) {
  return call == Call::write || call == Call::truncate || call == Call::sync || call == Call::remove;
}

int error_of(Call call) {
  switch (call) {
    case Call::open:
      return SQLITE_CANTOPEN;
    case Call::read:
      return SQLITE_IOERR_CORRUPTFS;  // As under Linux, where it is EIO.
    case Call::write:
      return SQLITE_IOERR_WRITE;
    case Call::truncate:
      return SQLITE_IOERR_TRUNCATE;
    case Call::sync:
      return SQLITE_IOERR_FSYNC;
    case Call::remove:
      return SQLITE_IOERR_DELETE;
    case Call::size:
      return SQLITE_IOERR_FSTAT;
    case Call::access:
      return SQLITE_IOERR_ACCESS;
    case Call::lock:
      return SQLITE_IOERR_LOCK;
    case Call::map:
      return SQLITE_IOERR_SHMMAP;
  }
  return SQLITE_IOERR;
}

}  // namespace

Disk::Disk() : vfs_(make_vfs(*this)) {
  sqlite3_vfs_register(vfs_.get(), 1);
  reset_random_numbers();
}

Disk::~Disk() {
  sqlite3_vfs_unregister(vfs_.get());
}

void Disk::arm(const Plan& plan) {
  const std::lock_guard lock(mutex_);
  plan_ = plan;
  calls_ = changes_ = failures_ = failed_syncs_ = 0;
}

std::int64_t Disk::calls() {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::int64_t Disk::changes() {
  const std::lock_guard lock(mutex_);
  return changes_;
}

bool Disk::has_lost_power() {
  const std::lock_guard lock(mutex_);
  return lost_power_;
}

std::int64_t Disk::failures() {
  const std::lock_guard lock(mutex_);
  return failures_;
}

std::int64_t Disk::failed_syncs() {
  const std::lock_guard lock(mutex_);
  return failed_syncs_;
}

int Disk::admit(Call call) {
  full_now_ = false;
  if (lost_power_) return error_of(call);
  if (!plan_.only || *plan_.only == call) ++calls_;
  if (is_change(call) && ++changes_ == plan_.cut_at) {
    // What is written at this moment may still get there, whole or in part.
    lost_power_ = true;
    return call == Call::sync ? error_of(call) : SQLITE_OK;
  }
  if (plan_.only && *plan_.only != call) return SQLITE_OK;
  if (plan_.fail_at == 0 || calls_ < plan_.fail_at || calls_ > std::max(plan_.fail_at, plan_.fail_until)) {
    return SQLITE_OK;
  }
  ++failures_;
  if (call == Call::sync) ++failed_syncs_;
  if (plan_.failure == Failure::full && call == Call::write) {
    full_now_ = true;
    return SQLITE_FULL;
  }
  if (plan_.failure == Failure::short_read && call == Call::read) return SQLITE_IOERR_SHORT_READ;
  return error_of(call);
}

Contents Disk::find(const std::string& path) {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second.back();
}

Contents Disk::create(const std::string& path) {
  History& history = names_[path];
  if (history.empty()) history.push_back(nullptr);
  history.push_back(std::make_shared<Content>());
  return history.back();
}

void Disk::unlink(const std::string& path) {
  names_[path].push_back(nullptr);
}

void Disk::change(Content& content, Change change) {
  put_into(content.now, change);
  content.unsynced.push_back(std::move(change));
}

void Disk::sync(OpenFile& file) {
  if (plan_.ignores_sync) return;
  for (const Change& change : file.content->unsynced) put_into(file.content->synced, change);
  file.content->unsynced.clear();
  if (file.syncs_directory) sync_directory();
  file.syncs_directory = false;
}

void Disk::sync_directory() {
  if (plan_.ignores_sync) return;
  for (auto& [name, history] : names_) history.erase(history.begin(), history.end() - 1);
  std::erase_if(names_, [](const auto& entry) { return entry.second.back() == nullptr; });
}

std::string Disk::image_of(const Content& content, std::mt19937_64& random) const {
  std::string image = content.synced;
  // Of this many of four changes each survives whole, and of the others each second one in parts.
  const std::uint64_t kept = random() % 5;
  const bool rubbish = random() % 4 == 0;
  for (const Change& change : content.unsynced) {
    if (random() % 4 < kept) {
      put_into(image, change);
    } else if (!change.truncates && kept != 0 && random() % 2 == 0) {
      for_each_sector(change, [&](std::int64_t offset, std::string_view data) {
        const auto end = static_cast<std::size_t>(offset) + data.size();
        if (random() % 2 == 0) {
          write(image, offset, data);
        } else if (rubbish && image.size() < end) {
          image.resize(end, static_cast<char>(random()));
        }
      });
    }
  }
  return image;
}

void Disk::reboot(std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  std::mt19937_64 random(seed);
  std::map<std::string, History> names;
  for (const auto& [name, history] : names_) {
    const Contents& survivor = history[random() % history.size()];
    if (!survivor) continue;
    auto content = std::make_shared<Content>();
    content->now = content->synced = image_of(*survivor, random);
    names[name] = {content};
  }
  names_ = std::move(names);
  lost_power_ = false;
  arm({});
}

bool Disk::has(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return find(path) != nullptr;
}

std::string Disk::bytes(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const Contents content = find(path);
  return content ? content->now : std::string();
}

void Disk::put(const std::string& path, std::string bytes) {
  const std::lock_guard lock(mutex_);
  auto content = std::make_shared<Content>();
  content->now = content->synced = std::move(bytes);
  names_[path] = {content};
}

void Disk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  names_.erase(path);
}

void Disk::reset_random_numbers() {
  {
    const std::lock_guard lock(mutex_);
    random_.seed(1);
  }
  sqlite3_randomness(0, nullptr);  // Draws under a lock of SQLite's own.
}

}  // namespace freshet::faults
