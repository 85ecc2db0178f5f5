// Reads and appends the history's file, one line each.
#include "cli/history.hpp"

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
  // Commands name customers.
  if (is_new) std::filesystem::permissions(file_.parent_path(), std::filesystem::perms::owner_all, ignored);
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
