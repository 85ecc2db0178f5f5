// The scripts that come with the program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace freshet::scenario {

struct Demo {
  std::string_view name;
  std::string_view description;  // One line.
  std::string_view script;
};

// In the order in which they are best seen.
[[nodiscard]] const std::vector<Demo>& demos();

// Nothing if there is none of this name.
[[nodiscard]] const Demo* find_demo(std::string_view name);

}  // namespace freshet::scenario
