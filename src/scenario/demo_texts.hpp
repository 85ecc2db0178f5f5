// The texts of the scripts in demos/; their definitions are made by the build.
#pragma once

#include <array>
#include <string_view>

namespace freshet::scenario {

struct DemoText {
  std::string_view name;
  std::string_view script;
};

inline constexpr std::size_t demo_count = 7;
extern const std::array<DemoText, demo_count> demo_texts;

}  // namespace freshet::scenario
