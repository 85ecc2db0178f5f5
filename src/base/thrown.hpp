// What an application's code has thrown, which may be anything.
#pragma once

#include <string>

namespace freshet {

// The words of the exception that is being handled. For a handler that has to take all of them: catch (...).
[[nodiscard]] std::string words_of_thrown();

}  // namespace freshet
