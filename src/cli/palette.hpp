// Colours for a terminal, or none.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "cli/request.hpp"

namespace freshet::cli {

// Whether what goes to `descriptor` is to be coloured: automatic means a terminal, and no NO_COLOR.
[[nodiscard]] bool wants_colour(Colour colour, int descriptor);

class Palette {
 public:
  enum class Colours { off, on };
  explicit Palette(Colours colours) : colours_(colours) {}

  [[nodiscard]] std::string strong(std::string_view text) const { return paint("1", text); }
  [[nodiscard]] std::string good(std::string_view text) const { return paint("32", text); }
  [[nodiscard]] std::string bad(std::string_view text) const { return paint("31", text); }
  [[nodiscard]] std::string faint(std::string_view text) const { return paint("2", text); }

 private:
  [[nodiscard]] std::string paint(std::string_view code, std::string_view text) const {
    return colours_ == Colours::on ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string{text};
  }

  Colours colours_;
};

}  // namespace freshet::cli
