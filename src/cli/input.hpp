// A file or standard input, read as a stream that tells an error from the end, and whose waiting for more
// can be interrupted.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <string>

#include "cli/session.hpp"

namespace freshet::cli {

class Input {
 public:
  // "-" is standard input. Throws Error `io` if the file cannot be read. Once `interrupted` says so, the
  // stream ends behind the last whole line.
  Input(const std::string& file, std::function<bool()> interrupted);
  // The same for a request, until that is interrupted. Throws Error `invalid` if the file is its database.
  Input(const std::string& file, Session& session);
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  [[nodiscard]] std::istream& stream() { return stream_; }

  // Throws Error `io` if the stream has ended because it could not be read any further.
  void check() const;

  // How long the whole is, and how much of it has been read. The length of a pipe is not known, and 0.
  [[nodiscard]] std::int64_t bytes() const;
  [[nodiscard]] std::int64_t bytes_read() const;

 private:
  class Buffer;
  std::unique_ptr<Buffer> buffer_;
  std::istream stream_;
};

}  // namespace freshet::cli
