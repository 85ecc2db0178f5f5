// Permissions by what SQLite says of a statement.
#include "sqlite/permission.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <string_view>

#include "freshet/event_log.hpp"

namespace freshet::sqlite {
namespace {

// What would end or leave the engine's transaction, or change its connection; empty if nothing.
std::string refuse_control(int action, const char* first) {
  switch (action) {
    case SQLITE_TRANSACTION:
      return std::string(first) + ": the transaction is the engine's to begin and to end";
    case SQLITE_SAVEPOINT:
      return "the transaction is the engine's, and a statement makes no savepoints in it";
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return "the connection is the engine's, and holds one file";
    case SQLITE_PRAGMA:
      // The table of a full-text index asks for it.
      if (std::string_view{first} == "page_size" || std::string_view{first} == "data_version") return {};
      return "the connection is the engine's, and so are its settings";
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_VIEW:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TRIGGER:
      return "the connection is the engine's, and what is temporary would be seen there alone";
    default:
      return {};
  }
}

}  // namespace

// SQLite keeps books of its own while it makes tables.
const char* written_name(int action, const char* first, const char* second) {
  switch (action) {
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
      return std::string_view{first}.starts_with("sqlite_") ? nullptr : first;
    case SQLITE_CREATE_TABLE:
    case SQLITE_DROP_TABLE:
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_VTABLE:
    case SQLITE_CREATE_VIEW:
    case SQLITE_DROP_VIEW:
    case SQLITE_ANALYZE:
      return first;
    case SQLITE_ALTER_TABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_DROP_INDEX:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_DROP_TRIGGER:
      return second;
    default:
      return nullptr;
  }
}

bool is_of_application(const char* name) {
  return sqlite3_strnicmp(name, application_table_prefix.data(), static_cast<int>(application_table_prefix.size())) ==
         0;
}

bool is_table_of_engine(const char* name) {
  return std::ranges::any_of(tables_of_engine, [&](const char* own) { return sqlite3_stricmp(own, name) == 0; });
}

std::string may_manage(int action, const char* first, const char* /*second*/) {
  if (action != SQLITE_INSERT) return {};
  const bool is_of_log = sqlite3_stricmp(first, "events") == 0 || sqlite3_stricmp(first, "streams") == 0;
  return is_of_log ? "the event log is append-only" : std::string{};
}

std::string may_append(int /*action*/, const char* /*first*/, const char* /*second*/) {
  return {};
}

std::string may_project(int action, const char* first, const char* second) {
  if (auto refusal = refuse_control(action, first); !refusal.empty()) return refusal;
  const char* name = written_name(action, first, second);
  if (name == nullptr || !is_table_of_engine(name)) return {};
  return std::string("a projection writes to its read tables, and not to ") + name;
}

Permission may_project_beside(const std::string& suffix) {
  return [suffix](int action, const char* first, const char* second) -> std::string {
    if (auto refusal = may_project(action, first, second); !refusal.empty()) return refusal;
    const char* name = written_name(action, first, second);
    if (name == nullptr || std::string_view{name}.find(suffix) != std::string_view::npos) return {};
    return std::string(
               "tables are made again beside those in use, and this writes to one in use: put its name in "
               "braces, {") +
           name + "}";
  };
}

std::string may_write_own(int action, const char* first, const char* second) {
  if (auto refusal = refuse_control(action, first); !refusal.empty()) return refusal;
  const char* name = written_name(action, first, second);
  if (name == nullptr || is_of_application(name)) return {};
  return "an application writes to tables of its own, named " + std::string(application_table_prefix) +
         "..., and not to " + name;
}

std::string may_read(int action, const char* first, const char* /*second*/) {
  return refuse_control(action, first);
}

}  // namespace freshet::sqlite
