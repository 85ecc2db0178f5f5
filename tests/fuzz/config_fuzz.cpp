// Fuzz target: a file for --config.
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <variant>

#include "cli/parser.hpp"
#include "cli/printable.hpp"
#include "fuzz/fuzz.hpp"

namespace freshet::fuzz {
namespace {

// A file that is nowhere but in memory, for as long as this object lives.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view text) : descriptor_(::memfd_create("config", MFD_CLOEXEC)) {
    ensure(descriptor_ >= 0, "a file in memory can be made");
    ensure(::write(descriptor_, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
           "a file in memory can be written");
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] std::string name() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace

void check(std::string_view text) {
  const MemoryFile file{text};
  const auto parsed = cli::parse({"--config", file.name(), "order", "list"}, cli::Settings{});
  if (const auto* error = std::get_if<cli::UsageError>(&parsed.outcome)) {
    ensure_shown(cli::printable(error->message));
  }
}

}  // namespace freshet::fuzz
