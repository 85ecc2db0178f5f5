// Finds the nearest word by edit distance.
#include "base/suggest.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace freshet {
namespace {

// Letters to insert, remove, replace or exchange with their neighbour to get from one word to the other.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before(to.size() + 1);  // The row before the last one.
  std::vector<std::size_t> last(to.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t row = 1; row <= from.size(); ++row) {
    std::vector<std::size_t> distances(to.size() + 1, row);
    for (std::size_t column = 1; column <= to.size(); ++column) {
      const std::size_t replaced = last[column - 1] + (from[row - 1] == to[column - 1] ? 0 : 1);
      distances[column] = std::min({replaced, last[column] + 1, distances[column - 1] + 1});
      const bool is_exchanged =
          row > 1 && column > 1 && from[row - 1] == to[column - 2] && from[row - 2] == to[column - 1];
      if (is_exchanged) distances[column] = std::min(distances[column], before[column - 2] + 1);
    }
    before = std::exchange(last, std::move(distances));
  }
  return last.back();
}

// Whoever meant a name wrote something like a name; and the work grows with the product of the lengths.
constexpr std::size_t word_bytes_max = 100;

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > word_bytes_max) return std::nullopt;
  // A third of the letters may be wrong, the dashes of an option apart; one in a short word.
  const std::size_t letters = word.size() - std::min(word.find_first_not_of('-'), word.size());
  std::size_t closest = std::max<std::size_t>(1, letters / 3) + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < closest && distance < std::min(letters, candidate.size())) {
      closest = distance;
      found = candidate;
    }
  }
  return found;
}

}  // namespace freshet
