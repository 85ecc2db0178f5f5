// Dropping and renaming tables as they stand, whatever refers to them: what took another's place under its name is
// what everything that names it means from then on.
#pragma once

#include <string>

#include "sqlite/connection.hpp"

namespace freshet::sqlite {

// `name` as it stands in SQL.
[[nodiscard]] std::string quoted(const std::string& name);

// Drops the table, view or trigger of this name, if there is one. Rows that refer to the table's stay.
void drop(Connection& connection, const std::string& name);

// Takes a text out of the arguments that virtual tables were made with, where names of other tables are. What is in
// them stays. To be done before something is renamed: SQLite reads them anew then.
void take_from_arguments(Connection& connection, const std::string& text);

// The foreign keys of other tables follow; views and triggers stay as they are written.
void rename_table(Connection& connection, const std::string& from, const std::string& to);

}  // namespace freshet::sqlite
