// Runs the files of a folder through a fuzz target, so that every compiler checks what a fuzzer has found.
// A broken promise aborts. Closes with 'N passed, 0 failed'.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"

namespace {

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

}  // namespace

int main(int argument_count, char** arguments) {
  freshet::ensure(argument_count == 2, "the argument is a folder of inputs");
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{arguments[1]}) files.push_back(entry.path());
  std::ranges::sort(files);
  for (const auto& file : files) {
    std::printf("%s\n", file.filename().c_str());  // So that whoever sees it abort knows where.
    std::fflush(stdout);
    freshet::fuzz::check(bytes_of(file));
  }
  std::printf("%zu passed, 0 failed\n", files.size());
}
