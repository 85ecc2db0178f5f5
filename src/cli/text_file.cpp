// Writes whole files.
#include "cli/text_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "freshet/error.hpp"

namespace freshet::cli {

void write_file(const std::filesystem::path& file, std::string_view text) {
  std::ofstream stream{file, std::ios::binary | std::ios::trunc};
  stream << text;
  stream.close();
  if (!stream) throw Error(ErrorCode::io, fmt::format("cannot write '{}': {}", file.string(), std::strerror(errno)));
}

}  // namespace freshet::cli
