// What a run did, line by line: hashed, so that two runs can be compared, and printed if asked for.
#pragma once

#include <cstdint>
#include <iostream>
#include <string>

namespace freshet::simulation {

class Journal {
 public:
  enum class Printing { off, on };
  explicit Journal(Printing printing) : printing_(printing) {}

  void add(const std::string& line) {
    for (const char character : line) mix(static_cast<unsigned char>(character));
    mix('\n');
    if (printing_ == Printing::on) std::cout << line << '\n';
  }

  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  // FNV-1a.
  void mix(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001b3U; }

  Printing printing_;
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

}  // namespace freshet::simulation
