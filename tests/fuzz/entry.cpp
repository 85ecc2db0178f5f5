// What libFuzzer calls, whatever the target; and the count of what it has tried.
#include <cstdint>
#include <cstdio>

#include "fuzz/fuzz.hpp"

namespace {

// Printed when the process ends well, for run.py.
struct Tried {
  unsigned long long inputs = 0;
  unsigned long long bytes = 0;

  ~Tried() { std::fprintf(stderr, "tried %llu inputs of %llu bytes\n", inputs, bytes); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Tried tried;
  ++tried.inputs;
  tried.bytes += size;
  freshet::fuzz::check({reinterpret_cast<const char*>(data), size});
  return 0;  // Every input is worth keeping if it reaches new code.
}
