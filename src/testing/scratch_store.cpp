// A store in a directory of its own, on a clock that stands still until it is moved.
#include <cstdlib>
#include <string>
#include <system_error>

#include "freshet/error.hpp"
#include "freshet/testing.hpp"

namespace freshet::testing {
namespace {

// Any time but the beginning of times, so that an age can be told from a time.
constexpr Timestamp start{std::chrono::days{20'000}};

}  // namespace

ScratchStore::Directory::Directory() {
  std::error_code unusable;
  std::string name = (std::filesystem::temp_directory_path(unusable) / "freshet-scratch-XXXXXX").string();
  if (unusable || mkdtemp(name.data()) == nullptr)
    throw Error(ErrorCode::io, "cannot make the directory '" + name + "'");
  path = name;
}

ScratchStore::Directory::~Directory() {
  std::error_code ignored;  // What is left of a directory does not fail a test.
  std::filesystem::remove_all(path, ignored);
}

ScratchStore::ScratchStore(StoreOptions options)
    : options_(std::move(options)), clock_(std::make_shared<VirtualClock>(start)) {
  options_.file = directory_.path / "store.db";
  options_.engine = Engine::stepped;
  options_.clock = clock_;
  // The directory does not outlive the test, let alone a loss of power.
  options_.durability = Durability::process_crash;
  store_.emplace(options_);
}

void ScratchStore::run_until_idle() {
  while (true) {
    if (store_->step()) continue;
    const auto next = store_->next_step();
    if (!next) return;
    clock_->sleep_until(*next);
  }
}

void ScratchStore::run_for(Duration duration) {
  const Instant end = clock_->now() + duration;
  while (true) {
    if (store_->step()) continue;
    const auto next = store_->next_step();
    if (!next || *next > end) break;
    clock_->sleep_until(*next);
  }
  clock_->sleep_until(end);
}

void ScratchStore::reopen() {
  store_.reset();
  store_.emplace(options_);
}

}  // namespace freshet::testing
