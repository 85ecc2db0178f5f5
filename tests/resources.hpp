// What this process uses, as the system counts it; and how long a trial is.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <thread>

namespace freshet::tests {

// The long form of a trial asks for more by the environment.
inline std::int64_t asked_for(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoll(text);
}

// Under a sanitizer memory is its own, and says nothing about the engine.
inline bool is_memory_measurable() {
  return asked_for("FRESHET_MEMORY_IS_MEASURABLE", 1) != 0;
}

inline std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

inline std::int64_t entries_of(const std::filesystem::path& directory) {
  return std::distance(std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator());
}

inline std::int64_t descriptors() {
  return entries_of("/proc/self/fd") - 1;  // One is the reading of the directory.
}

inline std::int64_t threads() {
  return entries_of("/proc/self/task");
}

// A thread that was joined is on its way out of the system's list for a moment longer. A test that waits for ever is
// ended by its timeout.
inline void wait_until_threads_are_gone(std::int64_t threads_before) {
  while (threads() > threads_before) std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

// 0: it is not there.
inline std::int64_t bytes_of(const std::filesystem::path& file) {
  std::error_code missing;
  const auto size = std::filesystem::file_size(file, missing);
  return missing ? 0 : static_cast<std::int64_t>(size);
}

}  // namespace freshet::tests
