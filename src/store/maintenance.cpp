// One transaction on a connection of its own.
#include "freshet/maintenance.hpp"

#include <memory>
#include <utility>

#include "base/file_name.hpp"
#include "freshet/store.hpp"
#include "log/format.hpp"
#include "projection/removal.hpp"
#include "sqlite/connection.hpp"

namespace freshet {
namespace {

template <typename Body>
auto change(const std::filesystem::path& named, Duration busy_timeout, Upgrade upgrade, Body&& body) {
  const std::filesystem::path file = resolved(named);
  StoreOptions options;
  options.file = file;
  options.mode = OpenMode::existing;
  options.upgrade = upgrade;
  options.busy_timeout = busy_timeout;
  options.clock = std::make_shared<SystemClock>();
  log::prepare_file(options);
  sqlite::Connection connection({.file = file, .busy_timeout = busy_timeout});
  sqlite::Transaction transaction(connection, sqlite::Transaction::Kind::write);
  auto result = std::forward<Body>(body)(connection);
  transaction.commit();
  return result;
}

}  // namespace

std::optional<std::vector<std::string>> remove_projection(const std::filesystem::path& file, std::string_view name,
                                                          Duration busy_timeout, Upgrade upgrade) {
  return change(file, busy_timeout, upgrade,
                [&](sqlite::Connection& connection) { return projection::remove(connection, name); });
}

bool rename_projection(const std::filesystem::path& file, std::string_view name, std::string_view new_name,
                       Duration busy_timeout, Upgrade upgrade) {
  return change(file, busy_timeout, upgrade,
                [&](sqlite::Connection& connection) { return projection::rename(connection, name, new_name); });
}

}  // namespace freshet
