// Reads a descriptor through a stream buffer.
//
// std::ifstream would take a directory for an empty file, and a read from std::cin goes on waiting through
// a signal.
#include "cli/input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <streambuf>
#include <string_view>
#include <utility>

#include "base/file_name.hpp"
#include "exchange/event_line.hpp"
#include "freshet/error.hpp"

namespace freshet::cli {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{64} << 10U;

// Of a line that is longer the rest is not waited for: there need be no end of it.
constexpr std::size_t line_bytes_finished = exchange::line_bytes_max;

// A signal may be handled on another thread, and then it does not end the wait.
constexpr int interruption_check_ms = 100;

// To close it would drop the locks that SQLite has on it in this process, and other processes would go on without them.
void check_is_not_of(const std::optional<std::filesystem::path>& database, const std::string& file) {
  const auto id = file == "-" ? std::nullopt : id_of_file(file);
  if (!id || !database) return;
  for (const char* companion : {"", "-wal", "-shm"}) {
    if (id != id_of_file(database->string() + companion)) continue;
    throw Error(ErrorCode::invalid,
                fmt::format("cannot read '{}': it is the database itself, or SQLite's beside it: name the text that is "
                            "to be read, such as what 'log export' writes",
                            file));
  }
}

}  // namespace

class Input::Buffer final : public std::streambuf {
 public:
  Buffer(const std::string& file, std::function<bool()> interrupted)
      : name_(file == "-" ? "standard input" : fmt::format("'{}'", file)), interrupted_(std::move(interrupted)) {
    // Of a pipe without a writer the opening itself would wait, and no signal would end that.
    descriptor_ = file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor_ < 0) throw Error(ErrorCode::io, fmt::format("cannot open {}: {}", name_, std::strerror(errno)));
    struct stat status{};
    if (::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode)) bytes_ = status.st_size;
    // It can be opened and not be read; that is better said before anything is done.
    if (S_ISDIR(status.st_mode)) fail(EISDIR);
    check();
  }

  ~Buffer() override {
    if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
  }

  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void check() const {
    if (!problem_.empty()) throw Error(ErrorCode::io, problem_);
  }

  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  [[nodiscard]] std::int64_t bytes_read() const { return bytes_read_; }

 protected:
  int_type underflow() override {
    keep_rest();
    while (true) {
      std::size_t ready = std::string_view{text_.data(), filled_}.rfind('\n') + 1;
      if (ready == 0 && filled_ == text_.size()) ready = filled_;  // A longer line goes out in parts.
      if (ready > 0) return give_out(ready);
      switch (read_more()) {
        case Outcome::more:
          break;
        case Outcome::end:
          return filled_ > 0 ? give_out(filled_) : traits_type::eof();
        case Outcome::stop:
          return traits_type::eof();
      }
    }
  }

 private:
  enum class Outcome { more, end, stop };

  // Moves what was read and not given out to the front.
  void keep_rest() {
    std::memmove(text_.data(), text_.data() + given_, filled_ - given_);
    filled_ -= given_;
    given_ = 0;
  }

  int_type give_out(std::size_t count) {
    given_ = count;
    const bool is_whole = text_[count - 1] == '\n';
    line_bytes_ = is_whole ? 0 : line_bytes_ + count;
    setg(text_.data(), text_.data(), text_.data() + count);
    return traits_type::to_int_type(text_[0]);
  }

  // A line that went out in part goes out whole, unless it is longer than any that is taken.
  [[nodiscard]] bool may_stop() const { return line_bytes_ == 0 || line_bytes_ > line_bytes_finished; }

  // Waits until there is more, the end, or a reason to stop.
  Outcome read_more() {
    while (!may_stop() || !interrupted_()) {
      pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, interruption_check_ms) <= 0) continue;
      const ssize_t count = ::read(descriptor_, text_.data() + filled_, text_.size() - filled_);
      if (count == 0) return Outcome::end;
      if (count > 0) {
        filled_ += static_cast<std::size_t>(count);
        bytes_read_ += count;
        return Outcome::more;
      }
      if (errno == EINTR || errno == EAGAIN) continue;
      fail(errno);
      return Outcome::stop;
    }
    return Outcome::stop;
  }

  void fail(int reason) { problem_ = fmt::format("cannot read {}: {}", name_, std::strerror(reason)); }

  std::string name_;
  std::function<bool()> interrupted_;
  std::string problem_;
  int descriptor_ = -1;
  std::int64_t bytes_ = 0;
  std::int64_t bytes_read_ = 0;
  // The first `given_` bytes of the `filled_` are given out.
  std::array<char, buffer_bytes> text_{};
  std::size_t filled_ = 0;
  std::size_t given_ = 0;
  std::size_t line_bytes_ = 0;  // Of a line that went out in part.
};

Input::Input(const std::string& file, std::function<bool()> interrupted)
    : buffer_(std::make_unique<Buffer>(file, std::move(interrupted))), stream_(buffer_.get()) {}

Input::Input(const std::string& file, Session& session)
    : Input((check_is_not_of(session.files_in_use().database, file), file),
            [&session] { return session.interrupted() != 0; }) {}

Input::~Input() = default;

void Input::check() const {
  buffer_->check();
}

std::int64_t Input::bytes() const {
  return buffer_->bytes();
}

std::int64_t Input::bytes_read() const {
  return buffer_->bytes_read();
}

}  // namespace freshet::cli
