// Reads and appends the history's file, one line each.
#include "cli/history.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <system_error>

namespace freshet::cli {
namespace {

std::filesystem::path variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// What the XDG base directory specification says of state; a relative path there is to be ignored.
std::filesystem::path state_directory() {
  const std::filesystem::path state = variable("XDG_STATE_HOME");
  if (state.is_absolute()) return state;
  const std::filesystem::path home = variable("HOME");
  return home.is_absolute() ? home / ".local" / "state" : std::filesystem::path{};
}

// Commands name customers, so the file is its owner's alone: from the moment at which there is one, and one that others
// could read is so from now on.
void keep_private(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
  if (descriptor < 0) return;
  struct stat status{};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) ::fchmod(descriptor, 0600);
  ::close(descriptor);
}

void write_lines(const std::filesystem::path& file, const std::vector<std::string>& lines) {
  std::ofstream output{file};
  for (const std::string& line : lines) output << line << '\n';
}

}  // namespace

History::History() {
  const std::filesystem::path state = state_directory();
  if (state.empty()) return;
  std::error_code ignored;
  const bool is_new = std::filesystem::create_directories(state / "freshet", ignored);
  file_ = state / "freshet" / "history";
  if (is_new) std::filesystem::permissions(file_.parent_path(), std::filesystem::perms::owner_all, ignored);
  keep_private(file_);
}

std::vector<std::string> History::lines() const {
  std::vector<std::string> lines;
  std::ifstream input{file_};
  for (std::string line; std::getline(input, line);) lines.push_back(std::move(line));
  if (lines.size() <= lines_max) return lines;
  const bool is_long = lines.size() > 2 * lines_max;
  lines.erase(lines.begin(), lines.end() - lines_max);
  if (is_long) write_lines(file_, lines);
  return lines;
}

void History::add(const std::string& line) const {
  if (file_.empty()) return;
  std::ofstream output{file_, std::ios::app};
  output << line + "\n";
}

}  // namespace freshet::cli
