// A scan of SQL that knows as much of it as tells a brace of the author's from one in a text.
#include "sqlite/names.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "freshet/error.hpp"

namespace freshet::sqlite {
namespace {

// SQLite takes every byte of a longer character for a letter.
bool is_letter(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_' ||
         byte == '$' || byte >= 0x80;
}

bool is_space(char character) {
  return std::string_view{" \t\n\f\r"}.find(character) != std::string_view::npos;
}

// Behind the next `end` from `from` on. What is not ended reaches to the end of the text, and SQLite complains of it.
std::size_t behind(std::string_view sql, std::string_view end, std::size_t from) {
  const auto found = sql.find(end, from);
  return found == std::string_view::npos ? sql.size() : found + end.size();
}

// Behind the comment that begins at `at`; `at` if none does.
std::size_t behind_comment(std::string_view sql, std::size_t at) {
  const std::string_view two = sql.substr(at, 2);
  if (two == "--") return behind(sql, "\n", at + 2);
  if (two == "/*") return behind(sql, "*/", at + 2);
  return at;
}

// Behind the literal or the quoted name that begins at `at`; `at` if none does. A doubled quote inside is taken for the
// end of one and the beginning of another, which comes to the same.
std::size_t behind_quoted(std::string_view sql, std::size_t at) {
  switch (sql[at]) {
    case '\'':
    case '"':
    case '`':
      return behind(sql, sql.substr(at, 1), at + 1);
    case '[':
      return behind(sql, "]", at + 1);
    default:
      return at;
  }
}

// The name in the braces that the text begins with; empty if it is none.
std::string_view name_in_braces(std::string_view text) {
  if (!text.starts_with('{')) return {};
  const auto* const end = std::find_if_not(text.begin() + 1, text.end(), is_letter);
  if (end == text.end() || *end != '}') return {};
  return {text.begin() + 1, end};
}

bool makes_virtual_table(std::string_view sql) {
  std::size_t at = 0;
  for (const std::string_view word : std::array<std::string_view, 3>{"create", "virtual", "table"}) {
    while (at < sql.size()) {
      const std::size_t end = is_space(sql[at]) ? at + 1 : behind_comment(sql, at);
      if (end == at) break;
      at = end;
    }
    const std::string_view found = sql.substr(at, word.size());
    if (!std::ranges::equal(found, word, {}, [](char letter) { return static_cast<char>(letter | 0x20); }))
      return false;
    at += word.size();
  }
  return at == sql.size() || !is_letter(sql[at]);
}

}  // namespace

bool NameLess::operator()(const std::string& left, const std::string& right) const {
  return sqlite3_stricmp(left.c_str(), right.c_str()) < 0;
}

std::string expand_names(std::string_view sql, std::string_view suffix) {
  if (sql.find_first_of("{}") == std::string_view::npos) return std::string(sql);
  const bool has_module = makes_virtual_table(sql);
  std::string expanded;
  expanded.reserve(sql.size() + 4 * suffix.size());
  for (std::size_t at = 0; at < sql.size();) {
    std::size_t end = behind_comment(sql, at);
    if (end == at) end = behind_quoted(sql, at);
    const bool is_quoted = end > at;
    const std::string_view name = name_in_braces(sql.substr(is_quoted ? at + 1 : at));
    if (is_quoted && (!has_module || name.empty() || end != at + name.size() + 4)) {
      expanded += sql.substr(at, end - at);
    } else if (!name.empty()) {
      if (is_quoted) expanded += sql[at];
      expanded.append(name).append(suffix);
      if (is_quoted) expanded += sql[end - 1];
      end = std::max(end, at + name.size() + 2);
    } else if (sql[at] == '{' || sql[at] == '}') {
      throw Error(ErrorCode::invalid,
                  "a brace stands around a name, as in {orders}, or in a text in quotes: '" + std::string(sql) + "'");
    } else {
      expanded += sql[at];
      end = at + 1;
    }
    at = end;
  }
  return expanded;
}

}  // namespace freshet::sqlite
