// One line after the other from a person at a terminal, who can edit it, take up an earlier one and have
// it completed. The only place that knows the library for it.
//
// Threads: one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace freshet::cli {

class LineEditor {
 public:
  // The words that can stand where a line ends: those that continue its last, begun word.
  using Complete = std::function<std::vector<std::string>(std::string_view line)>;

  // Reading ends soon after `interrupted` says so.
  LineEditor(Complete complete, std::function<bool()> interrupted);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // Without the end of the line. Nothing at the end of the input (Ctrl-D), or where it was interrupted.
  [[nodiscard]] std::optional<std::string> read(const std::string& prompt);

  // From here on it can be taken up again.
  void remember(const std::string& line);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace freshet::cli
