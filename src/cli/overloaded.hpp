// One function object out of several, for std::visit.
#pragma once

namespace freshet::cli {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace freshet::cli
