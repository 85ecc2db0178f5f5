// Finds the nearest word by edit distance.
#include "base/suggest.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace freshet {
namespace {

// Letters to insert, remove or replace to get from one word to the other (Levenshtein).
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> distances(to.size() + 1);
  std::iota(distances.begin(), distances.end(), std::size_t{0});
  for (std::size_t row = 1; row <= from.size(); ++row) {
    std::size_t diagonal = distances[0];
    distances[0] = row;
    for (std::size_t column = 1; column <= to.size(); ++column) {
      const std::size_t replaced = diagonal + (from[row - 1] == to[column - 1] ? 0 : 1);
      diagonal = distances[column];
      distances[column] = std::min({replaced, distances[column] + 1, distances[column - 1] + 1});
    }
  }
  return distances.back();
}

// Whoever meant a name wrote something like a name; and the work grows with the product of the lengths.
constexpr std::size_t word_bytes_max = 100;

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > word_bytes_max) return std::nullopt;
  // A third of the letters may be wrong; two in a short word.
  std::size_t closest = std::max<std::size_t>(2, word.size() / 3) + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < closest && distance < candidate.size()) {
      closest = distance;
      found = candidate;
    }
  }
  return found;
}

}  // namespace freshet
