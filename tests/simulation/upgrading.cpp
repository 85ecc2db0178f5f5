// Files of the format before, and whoever is killed while carrying them over.
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "format_3.hpp"
#include "simulation/simulation.hpp"
#include "simulation/violation.hpp"

namespace freshet::simulation {
namespace {

using tests::TempDir;

// Near the end of an opening lies what only its last statements do.
constexpr std::uint64_t last_statements = 12;

// Told of each statement that SQLite runs, before it does, on connections that are opened while it lives.
class Watch {
 public:
  explicit Watch(std::function<void(std::uint64_t number)> statement) {
    told = std::move(statement);
    count = 0;
    expect_equal("SQLite is watched", SQLITE_OK, sqlite3_auto_extension(reinterpret_cast<void (*)()>(&attach)));
  }
  ~Watch() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&attach)); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  [[nodiscard]] static std::uint64_t statements() { return count; }

 private:
  static int attach(sqlite3* database, char** /*message*/, const void* /*routines*/) {
    return sqlite3_trace_v2(database, SQLITE_TRACE_STMT, &trace, nullptr);
  }
  static int trace(unsigned /*type*/, void* /*context*/, void* /*statement*/, void* /*text*/) {
    if (told) told(count);
    ++count;
    return 0;
  }

  // SQLite hands an extension nothing of the caller's.
  inline static std::function<void(std::uint64_t)> told;
  inline static std::uint64_t count = 0;
};

// As who writes does, and all of it.
void carry_over(const std::filesystem::path& file, Upgrade upgrade) {
  Store({.file = file, .mode = OpenMode::existing, .upgrade = upgrade, .engine = Engine::off}).close();
}

std::filesystem::path copy_beside(const TempDir& directory) {
  return directory.file().string() + ".format-3";
}

void copy_all(const TempDir& from, const TempDir& to) {
  copy_files(from, to);
  if (std::filesystem::exists(copy_beside(from))) std::filesystem::copy_file(copy_beside(from), copy_beside(to));
}

// How many statements it takes to carry the file over.
std::uint64_t statements_of(const TempDir& directory, Upgrade upgrade) {
  const TempDir rehearsal;
  copy_all(directory, rehearsal);
  const Watch watch({});
  carry_over(rehearsal.file(), upgrade);
  return Watch::statements();
}

void check_file(const std::filesystem::path& file, const ModelLog& model) {
  Store store({.file = file, .mode = OpenMode::read_only});
  expect_equal("the head of a log that is carried over", Position{model.head()}, store.log().head());
  for (const RecordedEvent& event : store.log().read_all(Position{}, all_events)) compare(model, event);
}

}  // namespace

// As its process was killed at any of its statements.
std::unique_ptr<TempDir> Simulation::killed_in_upgrade(const TempDir& directory, Upgrade upgrade) {
  const std::uint64_t statements = statements_of(directory, upgrade);
  const std::uint64_t last = dice_.chance(0.5) ? std::min(last_statements, statements) : statements;
  const std::uint64_t killed_at = statements - 1 - dice_.below(last);
  note("killed at statement " + text(killed_at) + " of " + text(statements));
  auto left = std::make_unique<TempDir>();
  {
    const Watch watch([&](std::uint64_t number) {
      if (number == killed_at) copy_all(directory, *left);
    });
    carry_over(directory.file(), upgrade);
  }
  check_file(left->file(), file_.model);
  if (std::filesystem::exists(copy_beside(*left))) check_file(copy_beside(*left), file_.model);
  counters_.count(Rare::killed_in_upgrade);
  return left;
}

// Whoever had the file open is dead, and the release before has written it.
void Simulation::fall_back_to_format_3() {
  note("the file is one of format 3");
  auto older = std::make_unique<TempDir>();
  copy_files(*directory_, *older);
  tests::turn_into_3(older->file());
  file_.model.forget_appends();
  for (auto& [key, command] : file_.model.commands) command.said.reset();
  file_.lineage = {{history(), 0}};
  const Upgrade upgrade = dice_.chance(0.5) ? Upgrade::copy : Upgrade::no_copy;
  for (auto kills = dice_.below(3); kills > 0; --kills) older = killed_in_upgrade(*older, upgrade);
  compared_ = 0;
  counters_.count(Rare::carried_over);
  go_on_in(std::move(older));
}

}  // namespace freshet::simulation
