// The statements of schema.sql.
#pragma once

#include <map>
#include <string_view>

namespace freshet::log {

extern const char* const schema_sql;

// The SQL that makes each table and index, by its name.
[[nodiscard]] std::map<std::string_view, std::string_view> schema();

}  // namespace freshet::log
