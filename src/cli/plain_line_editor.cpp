// Reads lines as the terminal gives them, where no library for editing is at hand.
#include <unistd.h>

#include "cli/input.hpp"
#include "cli/line_editor.hpp"

namespace freshet::cli {

class LineEditor::Impl {
 public:
  explicit Impl(std::function<bool()> interrupted) : interrupted_(std::move(interrupted)) {}

  std::optional<std::string> read(const std::string& prompt) {
    static_cast<void>(::write(STDOUT_FILENO, prompt.data(), prompt.size()));
    // An interruption ends a stream for good, so each line has its own; a terminal gives one line at a time.
    Input input{"-", interrupted_};
    std::string line;
    if (!std::getline(input.stream(), line)) return std::nullopt;
    return line;
  }

 private:
  std::function<bool()> interrupted_;
};

LineEditor::LineEditor(Complete /*complete*/, std::function<bool()> interrupted)
    : impl_(std::make_unique<Impl>(std::move(interrupted))) {}

LineEditor::~LineEditor() = default;

std::optional<std::string> LineEditor::read(const std::string& prompt) {
  return impl_->read(prompt);
}

void LineEditor::remember(const std::string& /*line*/) {}

}  // namespace freshet::cli
