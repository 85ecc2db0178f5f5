// Helpers for the tests of applications: those for deciders, and whole stores.
//
// Threads: one at a time. Failure: Difference; and Error, as the store says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/decider_testing.hpp"
#include "freshet/store.hpp"
#include "freshet/upcaster.hpp"

namespace [[gnu::visibility("default")]] freshet {
namespace testing {

// A store of one test: in a new directory that is removed at the end, on a virtual clock, driven by the test's thread.
// Its bus makes the same choices for the same `options.bus.seed`. What the options say of file, engine and clock is
// replaced.
class ScratchStore {
 public:
  explicit ScratchStore(StoreOptions options = {});
  ScratchStore(const ScratchStore&) = delete;
  ScratchStore& operator=(const ScratchStore&) = delete;

  // The open store, another one after reopen(); its clock; and its file.
  [[nodiscard]] Store& store() { return *store_; }
  [[nodiscard]] VirtualClock& clock() { return *clock_; }
  [[nodiscard]] const std::filesystem::path& file() const { return options_.file; }

  // Steps, and moves the clock to whatever comes next, until nothing is on its way.
  void run_until_idle();
  // Moves the clock by so much, and does what is due by then.
  void run_for(Duration duration);
  // Closes the store and opens it again: what the bus held is lost, as after a crash.
  void reopen();

 private:
  struct Directory {
    Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory();
    std::filesystem::path path;
  };

  Directory directory_;
  StoreOptions options_;
  std::shared_ptr<VirtualClock> clock_;
  std::optional<Store> store_;
};

// The rows of a query, a line each: columns parted by " | ", and NULL as "null".
[[nodiscard]] std::vector<std::string> rows_of(Reading& reading, std::string_view sql);

// What a projection makes of events, whichever way they come.
struct ProjectionCheck {
  // An event, and where it is recorded.
  struct Given {
    StreamId stream;
    NewEvent event;
  };

  std::shared_ptr<const Projection> projection;  // The one that is checked.
  std::vector<Given> given;                      // In the order of recording.
  std::string query;                     // With an ORDER BY, such as "SELECT name FROM {shelves} ORDER BY name".
  std::vector<std::string> expected;     // Its rows, as rows_of() gives them.
  std::vector<Upcaster> upcasters = {};  // Those of the store.
  // So often everything is delivered again, in another order between streams and with duplicates.
  int rounds = 10;
  std::uint64_t seed = 1;  // Of the first round; the next has the next.
};

// Applies the events in order and expects the rows; then shuffled and repeated, round by round, and made again by a
// rebuild, and expects every table to be the same. A Difference names the round's seed. An event that the projection
// throws on is a Difference too.
void check(const ProjectionCheck& projection_check);

}  // namespace testing
}  // namespace freshet
