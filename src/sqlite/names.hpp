// Names of tables in braces, as the SQL of an application writes them.
#pragma once

#include <string>
#include <string_view>

namespace freshet::sqlite {

// SQLite's order of names: case does not count.
struct NameLess {
  bool operator()(const std::string& left, const std::string& right) const;
};

// `{orders}_by_day` with the suffix "_2" is `orders_2_by_day`. What stands in a literal, in a quoted name or in a
// comment is left as it is. But the arguments of a virtual table are its module's: one in quotes that is nothing but a
// name in braces, as in `content='{notes}'`, is a name. Throws `invalid` for any other brace, since SQL has none.
[[nodiscard]] std::string expand_names(std::string_view sql, std::string_view suffix);

}  // namespace freshet::sqlite
