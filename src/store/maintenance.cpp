// One transaction on a connection of its own.
#include "freshet/maintenance.hpp"

#include <utility>

#include "base/file_name.hpp"
#include "freshet/store.hpp"
#include "log/format.hpp"
#include "projection/removal.hpp"
#include "sqlite/connection.hpp"

namespace freshet {
namespace {

template <typename Body>
auto change(const std::filesystem::path& named, Duration busy_timeout, Body&& body) {
  const std::filesystem::path file = resolved(named);
  SystemClock clock;
  log::prepare_file(file, OpenMode::existing, busy_timeout, clock);
  sqlite::Connection connection({.file = file, .busy_timeout = busy_timeout});
  sqlite::Transaction transaction(connection, sqlite::Transaction::Kind::write);
  auto result = std::forward<Body>(body)(connection);
  transaction.commit();
  return result;
}

}  // namespace

std::optional<std::vector<std::string>> remove_projection(const std::filesystem::path& file, std::string_view name,
                                                          Duration busy_timeout) {
  return change(file, busy_timeout,
                [&](sqlite::Connection& connection) { return projection::remove(connection, name); });
}

bool rename_projection(const std::filesystem::path& file, std::string_view name, std::string_view new_name,
                       Duration busy_timeout) {
  return change(file, busy_timeout,
                [&](sqlite::Connection& connection) { return projection::rename(connection, name, new_name); });
}

}  // namespace freshet
