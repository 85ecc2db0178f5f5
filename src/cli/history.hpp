// The lines that were typed at the prompt, in a file, for the next session.
//
// Failure: none. A history that cannot be kept is no reason not to work.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace freshet::cli {

class History {
 public:
  static constexpr std::size_t lines_max = 1'000;

  // In $XDG_STATE_HOME/freshet, or ~/.local/state/freshet. Without a home there is no file.
  History();

  // The newest lines, oldest first.
  [[nodiscard]] std::vector<std::string> lines() const;

  // Written at once, so that a session that is killed has lost nothing and two sessions at a time both
  // leave their lines.
  void add(const std::string& line) const;

 private:
  std::filesystem::path file_;
};

}  // namespace freshet::cli
