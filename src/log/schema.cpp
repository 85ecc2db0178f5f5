// Takes schema.sql to pieces.
#include "log/schema.hpp"

namespace freshet::log {
namespace {

// The name of the table or index that the statement makes; empty if it makes something else.
std::string_view made_by(std::string_view statement) {
  for (const std::string_view kind : {" TABLE ", " INDEX "}) {
    const std::size_t place = statement.find(kind);
    if (place == std::string_view::npos) continue;
    statement.remove_prefix(place + kind.size());
    return statement.substr(0, statement.find(' '));
  }
  return {};
}

}  // namespace

// In schema.sql a statement begins a line and ends one.
std::map<std::string_view, std::string_view> schema() {
  constexpr std::string_view beginning = "\nCREATE ";
  constexpr std::string_view end = ";\n";
  std::map<std::string_view, std::string_view> statements;
  const std::string_view text = schema_sql;
  for (std::size_t place = text.find(beginning); place != std::string_view::npos; place = text.find(beginning, place)) {
    ++place;
    const std::string_view statement = text.substr(place, text.find(end, place) - place);
    if (const auto name = made_by(statement); !name.empty()) statements.emplace(name, statement);
  }
  return statements;
}

}  // namespace freshet::log
