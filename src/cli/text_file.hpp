// Files that a command writes beside its answer.
#pragma once

#include <filesystem>
#include <string_view>

namespace freshet::cli {

// Replaces what the file held. Throws Error `io` if it cannot be written.
void write_file(const std::filesystem::path& file, std::string_view text);

}  // namespace freshet::cli
