// The tables a projection writes to, on one connection.
#pragma once

#include "sqlite/tables.hpp"

namespace freshet::projection {

using ReadTables = sqlite::KeptTables;

}  // namespace freshet::projection
