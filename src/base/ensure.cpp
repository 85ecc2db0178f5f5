// The one place that ends the process: a broken program must not go on writing.
#include "base/ensure.hpp"

#include <cstdio>
#include <cstdlib>

namespace freshet {

void ensure(bool condition, const char* sentence, const char* file, int line) {
  if (condition) return;
  std::fprintf(stderr, "freshet: %s:%d: %s\n", file, line, sentence);
  std::abort();
}

}  // namespace freshet
