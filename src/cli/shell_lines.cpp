// Reads lines from a terminal or from a pipe.
#include "cli/shell_lines.hpp"

#include "base/line_reader.hpp"
#include "cli/history.hpp"
#include "cli/input.hpp"
#include "cli/signals.hpp"
#include "scenario/script.hpp"

namespace freshet::cli {
namespace {

bool is_interrupted() {
  return signal_seen() != 0;
}

class TypedLines final : public ShellLines {
 public:
  explicit TypedLines(LineEditor::Complete complete) : editor_(std::move(complete), is_interrupted) {
    for (const std::string& line : history_.lines()) editor_.remember(line);
  }

  [[nodiscard]] bool is_interactive() const override { return true; }

 private:
  std::optional<std::string> read(Place place) override {
    return editor_.read(place == Place::begin ? "freshet> " : "       > ");
  }

  void keep(const std::string& command) override {
    if (command.find_first_not_of(' ') == std::string::npos || command == kept_) return;
    kept_ = command;
    editor_.remember(command);
    history_.add(command);
  }

  History history_;
  LineEditor editor_;
  std::string kept_;
};

class PipedLines final : public ShellLines {
 public:
  [[nodiscard]] bool is_interactive() const override { return false; }

 private:
  std::optional<std::string> read(Place /*place*/) override {
    if (const auto line = reader_.next()) return std::string{*line};
    input_.check();
    return std::nullopt;
  }

  Input input_{"-", is_interrupted};
  // One byte more than allowed, so that whoever reads the line finds it too long.
  LineReader reader_{input_.stream(), scenario::script_line_bytes_max + 1};
};

// An even number of backslashes are letters, each hidden by the one before.
bool is_continued(const std::string& line) {
  const std::size_t last = line.find_last_not_of('\\');
  return (line.size() - (last == std::string::npos ? 0 : last + 1)) % 2 == 1;
}

}  // namespace

std::optional<std::string> ShellLines::next() {
  std::string command;
  for (Place place = Place::begin;; place = Place::continuation) {
    auto line = read(place);
    // What has begun and is not continued is a command as it is.
    if (!line && (place == Place::begin || is_interrupted())) return std::nullopt;
    if (!line) break;
    ++number_;
    if (line->ends_with('\r')) line->pop_back();
    const bool goes_on = is_continued(*line);
    if (goes_on) line->back() = ' ';
    // Longer than allowed it is refused, however long it is.
    if (command.size() <= scenario::script_line_bytes_max) command += *line;
    if (!goes_on) break;
  }
  keep(command);
  return command;
}

std::unique_ptr<ShellLines> typed_lines(LineEditor::Complete complete) {
  return std::make_unique<TypedLines>(std::move(complete));
}

std::unique_ptr<ShellLines> piped_lines() {
  return std::make_unique<PipedLines>();
}

}  // namespace freshet::cli
