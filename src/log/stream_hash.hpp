// For tables of streams in memory.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "freshet/types.hpp"

namespace freshet::log {

struct StreamHash {
  std::size_t operator()(const StreamId& stream) const {
    return std::hash<std::string>{}(stream.id) + 31 * std::hash<std::string>{}(stream.category);
  }
};

}  // namespace freshet::log
