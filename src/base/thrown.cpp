// Throws it once more to see what it is.
#include "base/thrown.hpp"

#include <exception>

namespace freshet {

std::string words_of_thrown() {
  try {
    throw;
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "something was thrown that is no exception";
  }
}

}  // namespace freshet
