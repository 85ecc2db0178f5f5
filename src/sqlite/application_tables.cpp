// Which statements the application may run on its own tables.
#include "sqlite/application_tables.hpp"

#include <sqlite3.h>

#include "freshet/error.hpp"
#include "freshet/event_log.hpp"

namespace freshet::sqlite {
namespace {

constexpr const char* something_else = "what is not a table";

// What the action writes to; null if it only reads. SQLite keeps books of its own while it makes tables.
const char* written_name(int action, const char* first, const char* second) {
  switch (action) {
    case SQLITE_READ:
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
    case SQLITE_REINDEX:
      return nullptr;
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
      return first;
    case SQLITE_ALTER_TABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_DROP_INDEX:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_DROP_TRIGGER:
      return second;
    default:
      return something_else;
  }
}

}  // namespace

ApplicationTables::ApplicationTables(Connection& connection) : connection_(connection), tables_(connection, "") {
  sqlite3_set_authorizer(connection.handle(), &ApplicationTables::authorize, this);
}

ApplicationTables::~ApplicationTables() {
  sqlite3_set_authorizer(connection_.handle(), nullptr, nullptr);
}

int ApplicationTables::authorize(void* self, int action, const char* first, const char* second,
                                 const char* /*database*/, const char* /*trigger*/) {
  auto& tables = *static_cast<ApplicationTables*>(self);
  if (!tables.guarding_) return SQLITE_OK;
  const char* name = written_name(action, first, second);
  if (name == nullptr || std::string_view{name}.starts_with(application_table_prefix)) return SQLITE_OK;
  tables.refused_ = name;
  return SQLITE_DENY;
}

template <typename Body>
auto ApplicationTables::guarded(const Body& body) {
  const struct Guarding {
    explicit Guarding(bool& of) : guarding(of) { guarding = true; }
    ~Guarding() { guarding = false; }
    bool& guarding;
  } guard(guarding_);
  refused_.clear();
  try {
    return body();
  } catch (const Error&) {
    if (refused_.empty()) throw;
    throw Error(ErrorCode::invalid, "an application writes to tables of its own, named " +
                                        std::string(application_table_prefix) + "..., and not to " + refused_);
  }
}

void ApplicationTables::execute(std::string_view sql, Values values) {
  guarded([&] { tables_.execute(sql, values); });
}

Rows ApplicationTables::query(std::string_view sql, Values values) {
  return guarded([&] { return tables_.query(sql, values); });
}

}  // namespace freshet::sqlite
