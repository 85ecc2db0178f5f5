// Helpers for the tests of applications, for any test framework and for none: what is not as it should be is thrown as
// a Difference, whose what() shows it line by line.
//
//   given<Tasks>({"TaskAdded"}).when(Tasks::Command::finish).then({"TaskFinished"});
//
// Threads: one at a time. Failure: Difference; and Error, as the store says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "freshet/decider.hpp"
#include "freshet/store.hpp"
#include "freshet/upcaster.hpp"

namespace [[gnu::visibility("default")]] freshet {
namespace testing {

class Difference : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An event in one line: its type, the schema version where it is above 1, its data, and metadata if there are any.
[[nodiscard]] std::string text_of(const NewEvent& event);

// Throws a Difference unless the lines are equal; it shows both sides, and marks the lines that only one has.
void compare(const std::string& what, const std::vector<std::string>& expected, const std::vector<std::string>& found);

// As the log would give the event back.
[[nodiscard]] RecordedEvent recorded(const NewEvent& event, const StreamId& stream = {"stream", "1"},
                                     Version version = Version{1});

// What was decided. Events and rejections are compared as they are encoded.
template <typename Decider>
class Decided {
 public:
  using Events = std::vector<typename Decider::Event>;
  using Decision = std::variant<Events, typename Decider::Rejection>;

  // By Given::when().
  explicit Decided(Decision decision) : decision_(std::move(decision)) {}

  // These events, in this order.
  void then(const Events& expected) const { compare("then", texts({expected}), texts(decision_)); }
  void then_nothing() const { then({}); }
  void then_rejected(const typename Decider::Rejection& expected) const {
    compare("then_rejected", texts({expected}), texts(decision_));
  }
  // For tests that ask more of it.
  [[nodiscard]] const Decision& decision() const { return decision_; }

 private:
  static std::vector<std::string> texts(const Decision& decision) {
    if (const auto* rejection = std::get_if<typename Decider::Rejection>(&decision)) {
      return {"rejected: " + Decider::encode_rejection(*rejection)};
    }
    std::vector<std::string> texts;
    for (const auto& event : std::get<0>(decision)) texts.push_back(text_of(Decider::encode(event)));
    return texts;
  }

  Decision decision_;
};

// A stream's past. Its events pass through encode() and decode(), as they would through the log.
template <typename Decider>
class Given {
 public:
  explicit Given(const std::vector<typename Decider::Event>& history) {
    for (const auto& event : history) {
      ++version_.value;
      const RecordedEvent read = recorded(Decider::encode(event), {"stream", "1"}, version_);
      Decider::evolve(state_, Decider::decode(read));
    }
  }

  // What the past comes to, and what is decided on it.
  [[nodiscard]] const typename Decider::State& state() const { return state_; }
  [[nodiscard]] Decided<Decider> when(const typename Decider::Command& command) const {
    return Decided<Decider>(Decider::decide(command, state_));
  }

 private:
  typename Decider::State state_ = Decider::initial();
  Version version_;
};

// What is to be tested begins here: `given<Tasks>({...}).when(...).then({...})`.
template <typename Decider>
[[nodiscard]] Given<Decider> given(const std::vector<typename Decider::Event>& history = {}) {
  return Given<Decider>(history);
}

// An event as it was written once, kept so that it can be read for ever.
struct Sample {
  std::string type;
  int schema_version = 1;
  std::string data;
  std::string newest;  // What the event is today, as encode() writes it. Empty: reading it is enough.
};

// Throws a Difference unless there is a sample of every version that an upcaster leads from.
void check_samples_are_complete(std::span<const Upcaster> upcasters, std::span<const Sample> samples);

// The sample in its newest form. What upcasters throw is a Difference that names the sample.
[[nodiscard]] RecordedEvent upcast_sample(std::span<const Upcaster> upcasters, const Sample& sample);

// Reads every sample as the application would: upcast, then decode(). There is one of every old version.
template <typename Decider>
void check_samples(std::span<const Upcaster> upcasters, std::span<const Sample> samples) {
  check_samples_are_complete(upcasters, samples);
  for (const Sample& sample : samples) {
    const RecordedEvent event = upcast_sample(upcasters, sample);
    const std::string name = sample.type + " of schema version " + std::to_string(sample.schema_version);
    std::string read;
    try {
      read = Decider::encode(Decider::decode(event)).data;
    } catch (const std::exception& exception) {
      throw Difference("cannot decode the sample of " + name + ": " + exception.what());
    }
    if (!sample.newest.empty()) compare("the sample of " + name, {sample.newest}, {read});
  }
}

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
