// Compares answers with what was expected of them.
#include "scenario/expect.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/suggest.hpp"

namespace freshet::scenario {
namespace {

using Json = nlohmann::ordered_json;
using Relation = Condition::Relation;

struct Sign {
  const char* text;
  Relation relation;
};
// The longer ones first, since '=' is in each.
constexpr std::array<Sign, 4> signs{
    {{"!=", Relation::different}, {">=", Relation::at_least}, {"<=", Relation::at_most}, {"=", Relation::equal}}};

const char* sign_of(Relation relation) {
  for (const Sign& sign : signs) {
    if (sign.relation == relation) return sign.text;
  }
  return "=";
}

std::optional<double> number(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc{} || result.ptr != end) return std::nullopt;
  return value;
}

const Json* member(const Json& json, const std::string& name) {
  if (json.is_object()) return json.contains(name) ? &json[name] : nullptr;
  if (!json.is_array()) return nullptr;
  std::size_t index = 0;
  const char* end = name.data() + name.size();
  const auto result = std::from_chars(name.data(), end, index);
  return result.ec == std::errc{} && result.ptr == end && index < json.size() ? &json[index] : nullptr;
}

const Json* find(const Json& answer, const std::string& path) {
  const Json* found = &answer;
  for (std::size_t start = 0; found != nullptr && start <= path.size();) {
    const std::size_t end = std::min(path.find('.', start), path.size());
    found = member(*found, path.substr(start, end - start));
    start = end + 1;
  }
  return found;
}

void add_paths(const Json& json, const std::string& prefix, std::vector<std::string>& paths) {
  if (!json.is_structured()) return;
  for (const auto& [name, value] : json.items()) {
    paths.push_back(prefix + name);
    add_paths(value, prefix + name + ".", paths);
  }
}

std::string unknown_field(const std::string& field, const Json& answer) {
  std::vector<std::string> paths;
  add_paths(answer, "", paths);
  if (const auto known = nearest(field, paths)) {
    return fmt::format("the answer has no field '{}': did you mean '{}'?", field, *known);
  }
  if (paths.empty()) return fmt::format("the answer has no field '{}': it is empty", field);
  return fmt::format("the answer has no field '{}': there are {}", field, fmt::join(paths, ", "));
}

std::string text_of(const Json& json) {
  return json.is_string() ? json.get<std::string>() : json.dump();
}

// As texts; numbers also by their value, since nobody writes 0 as 0.0.
bool is_equal(const Json& found, const std::string& wanted) {
  if (text_of(found) == wanted) return true;
  return found.is_number() && number(wanted) == found.get<double>();
}

bool holds(const Condition& condition, const Json& found) {
  const auto bound = number(condition.value);
  const bool are_numbers = found.is_number() && bound;
  switch (condition.relation) {
    case Relation::equal:
      return is_equal(found, condition.value);
    case Relation::different:
      return !is_equal(found, condition.value);
    case Relation::at_least:
      return are_numbers && found.get<double>() >= *bound;
    case Relation::at_most:
      return are_numbers && found.get<double>() <= *bound;
  }
  return false;
}

}  // namespace

std::optional<Condition> parse_condition(const std::string& text) {
  const std::size_t place = text.find_first_of("!<>=");
  if (place == 0 || place == std::string::npos) return std::nullopt;
  for (const Sign& sign : signs) {
    const std::string_view mark = sign.text;
    if (text.compare(place, mark.size(), mark) == 0) {
      return Condition{text.substr(0, place), sign.relation, text.substr(place + mark.size())};
    }
  }
  return std::nullopt;
}

std::optional<Miss> check(const Condition& condition, const Json& answer) {
  const Json* found = find(answer, condition.field);
  if (found != nullptr && holds(condition, *found)) return std::nullopt;
  const std::string wanted = condition.field + sign_of(condition.relation) + condition.value;
  if (found != nullptr) {
    const std::string text = text_of(*found);
    return Miss{condition.field, condition.value, text,
                fmt::format("expected {}, found {}={}", wanted, condition.field, text)};
  }
  return Miss{condition.field, condition.value, std::nullopt,
              fmt::format("expected {}: {}", wanted, unknown_field(condition.field, answer))};
}

}  // namespace freshet::scenario
