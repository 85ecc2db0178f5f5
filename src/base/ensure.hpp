// Assertions that stay on in every build: what must be impossible.
#pragma once

namespace freshet {

// Prints the place and `sentence`, and aborts, unless `condition` holds.
void ensure(bool condition, const char* sentence, const char* file = __builtin_FILE(), int line = __builtin_LINE());

}  // namespace freshet
