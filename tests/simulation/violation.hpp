// A promise that was not kept: what was expected, and what was found.
#pragma once

#include <concepts>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "freshet/types.hpp"

namespace freshet::simulation {

class Violation : public std::runtime_error {
 public:
  Violation(std::string_view what, std::string expected, std::string found)
      : std::runtime_error(std::string(what)), expected_(std::move(expected)), found_(std::move(found)) {}

  [[nodiscard]] const std::string& expected() const { return expected_; }
  [[nodiscard]] const std::string& found() const { return found_; }

 private:
  std::string expected_;
  std::string found_;
};

inline std::string text(bool value) {
  return value ? "true" : "false";
}
inline std::string text(std::integral auto value) {
  return std::to_string(value);
}
inline std::string text(const std::string& value) {
  return "'" + value + "'";
}
inline std::string text(Position value) {
  return std::to_string(value.value);
}
inline std::string text(Version value) {
  return std::to_string(value.value);
}
inline std::string text(Duration value) {
  return std::to_string(value.count()) + "us";
}

template <typename T>
void expect_equal(std::string_view what, const T& expected, const T& found) {
  if (expected != found) throw Violation(what, text(expected), text(found));
}

inline void expect(std::string_view what, bool condition) {
  if (!condition) throw Violation(what, "so", "not so");
}

}  // namespace freshet::simulation
