// A report as text for people.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "scenario/timeline.hpp"

namespace freshet::scenario {

// How words that matter are marked, beyond the words themselves: colours on a terminal, nothing elsewhere.
struct Marks {
  using Mark = std::function<std::string(std::string_view)>;
  static std::string plain(std::string_view text) { return std::string{text}; }

  Mark stale = plain;
  Mark strong = plain;
  Mark faint = plain;
};

// The timeline, the gaps and the point. Whole lines, with their ends.
[[nodiscard]] std::string render_text(const Report& report, const Marks& marks);

}  // namespace freshet::scenario
