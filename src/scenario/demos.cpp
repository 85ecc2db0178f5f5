// Looks up the scripts that were embedded at build time.
#include "scenario/demos.hpp"

#include <algorithm>

#include "scenario/demo_texts.hpp"

namespace freshet::scenario {
namespace {

// The script's first line is a comment that says what it shows.
std::string_view description_of(std::string_view script) {
  script.remove_prefix(std::min(script.find_first_not_of("# "), script.size()));
  return script.substr(0, script.find('\n'));
}

std::vector<Demo> make_demos() {
  std::vector<Demo> made;
  for (const DemoText& text : demo_texts) made.push_back({text.name, description_of(text.script), text.script});
  return made;
}

}  // namespace

const std::vector<Demo>& demos() {
  static const std::vector<Demo> all = make_demos();
  return all;
}

const Demo* find_demo(std::string_view name) {
  const auto found = std::ranges::find(demos(), name, &Demo::name);
  return found == demos().end() ? nullptr : &*found;
}

}  // namespace freshet::scenario
