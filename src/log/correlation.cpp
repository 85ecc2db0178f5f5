// The ids in and out of metadata: the top level of a JSON object, and no more of JSON than that takes.
#include "freshet/correlation.hpp"

#include <cstdint>

#include "base/utf8.hpp"
#include "freshet/error.hpp"

namespace freshet {
namespace {

constexpr std::string_view correlation_member = "correlation_id";
constexpr std::string_view causation_member = "causation_id";
constexpr std::string_view white_space = " \t\r\n";

// Reads the members of a JSON object one after another. Text that is no JSON ends it early.
class Members {
 public:
  explicit Members(std::string_view text) : rest_(text) { is_object_ = take('{'); }

  [[nodiscard]] bool is_object() const { return is_object_; }

  // The next member's name; nothing after the last one.
  std::optional<std::string> next() {
    if (!is_object_) return std::nullopt;
    static_cast<void>(take(','));
    auto name = text();
    if (!name || !take(':')) return std::nullopt;
    return name;
  }

  // The member's value, if it is a text.
  std::optional<std::string> text() {
    if (!take('"')) return std::nullopt;
    std::string read;
    while (!rest_.empty()) {
      const char character = pop();
      if (character == '"') return read;
      if (character == '\\') {
        if (!unescape(read)) return std::nullopt;
      } else {
        read += character;
      }
    }
    return std::nullopt;
  }

  // Passes over the member's value, whatever it is.
  void skip() {
    int depth = 0;
    while (!rest_.empty()) {
      if (rest_.front() == '"') {
        if (!text()) return;
        continue;
      }
      const char character = rest_.front();
      if (depth == 0 && (character == ',' || character == '}')) return;
      if (character == '{' || character == '[') ++depth;
      if (character == '}' || character == ']') --depth;
      rest_.remove_prefix(1);
    }
  }

 private:
  char pop() {
    const char character = rest_.front();
    rest_.remove_prefix(1);
    return character;
  }

  bool take(char wanted) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(white_space), rest_.size()));
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::uint32_t> hexadecimal() {
    if (rest_.size() < 4) return std::nullopt;
    std::uint32_t value = 0;
    for (int digit = 0; digit < 4; ++digit) {
      const auto place = std::string_view{"0123456789abcdefABCDEF"}.find(pop());
      if (place == std::string_view::npos) return std::nullopt;
      value = value * 16 + static_cast<std::uint32_t>(place < 16 ? place : place - 6);
    }
    return value;
  }

  bool unescape(std::string& to) {
    if (rest_.empty()) return false;
    const char escaped = pop();
    if (escaped == 'u') return unescape_code_point(to);
    const auto place = std::string_view{"\"\\/bfnrt"}.find(escaped);
    if (place == std::string_view::npos) return false;
    to += "\"\\/\b\f\n\r\t"[place];
    return true;
  }

  bool unescape_code_point(std::string& to) {
    const auto first = hexadecimal();
    if (!first) return false;
    std::uint32_t code = *first;
    if (code >= 0xd800 && code < 0xdc00) {  // The first half of a pair.
      if (!rest_.starts_with("\\u")) return false;
      rest_.remove_prefix(2);
      const auto second = hexadecimal();
      if (!second || *second < 0xdc00 || *second > 0xdfff) return false;
      code = 0x10000 + ((code - 0xd800) << 10U) + (*second - 0xdc00);
    }
    const auto add = [&](std::uint32_t byte) { to += static_cast<char>(byte); };
    const auto add_tail = [&](unsigned shift) { add(0x80U | ((code >> shift) & 0x3fU)); };
    if (code < 0x80) {
      add(code);
    } else if (code < 0x800) {
      add(0xc0U | (code >> 6U));
      add_tail(0);
    } else if (code < 0x10000) {
      add(0xe0U | (code >> 12U));
      add_tail(6);
      add_tail(0);
    } else {
      add(0xf0U | (code >> 18U));
      add_tail(12);
      add_tail(6);
      add_tail(0);
    }
    return true;
  }

  std::string_view rest_;
  bool is_object_ = false;
};

struct Found {
  bool is_object = false;
  std::optional<std::string> correlation_id;
  std::optional<std::string> causation_id;
  bool named = false;  // One of the members is there, whatever its value.
};

Found find_ids(std::string_view metadata) {
  Members members(metadata);
  Found found{.is_object = members.is_object()};
  while (const auto name = members.next()) {
    const bool is_correlation = *name == correlation_member;
    if (is_correlation || *name == causation_member) {
      found.named = true;
      (is_correlation ? found.correlation_id : found.causation_id) = members.text();
    }
    members.skip();
  }
  return found;
}

void check(std::string_view id) {
  if (!id.empty() && id.size() <= correlation_id_bytes_max && is_utf8(id)) return;
  throw Error(ErrorCode::invalid,
              "a correlation or causation id is 1 to " + std::to_string(correlation_id_bytes_max) + " bytes of UTF-8");
}

void add_member(std::string& object, std::string_view name, std::string_view value) {
  constexpr std::string_view digits = "0123456789abcdef";
  object += '"';
  object += name;
  object += "\":\"";
  for (const char character : value) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20) {
      object += "\\u00";
      object += digits[byte / 16U];
      object += digits[byte % 16U];
      continue;
    }
    if (character == '"' || character == '\\') object += '\\';
    object += character;
  }
  object += '"';
}

}  // namespace

std::optional<Correlation> correlation_of(const RecordedEvent& event) {
  Found found = find_ids(event.metadata);
  if (!found.correlation_id || !found.causation_id) return std::nullopt;
  return Correlation{std::move(*found.correlation_id), std::move(*found.causation_id)};
}

std::string event_id(const RecordedEvent& event) {
  return event.stream.category + '/' + event.stream.id + '@' + std::to_string(event.version.value);
}

Correlation follow_up(const RecordedEvent& cause) {
  std::string id = event_id(cause);
  const auto correlation = correlation_of(cause);
  return {.correlation_id = correlation ? correlation->correlation_id : id, .causation_id = std::move(id)};
}

std::string with_correlation(std::string_view metadata, const Correlation& correlation) {
  check(correlation.correlation_id);
  check(correlation.causation_id);
  if (metadata.empty()) metadata = "{}";
  const Found found = find_ids(metadata);
  if (!found.is_object) throw Error(ErrorCode::invalid, "metadata that is to hold correlation ids is a JSON object");
  if (found.named) return std::string(metadata);
  std::string object = "{";
  add_member(object, correlation_member, correlation.correlation_id);
  object += ',';
  add_member(object, causation_member, correlation.causation_id);
  const std::string_view rest = metadata.substr(metadata.find('{') + 1);
  const auto first = rest.find_first_not_of(white_space);
  if (first != std::string_view::npos && rest[first] != '}') object += ',';
  object += rest;
  return object;
}

}  // namespace freshet
