// Helpers for the tests of deciders, for any test framework and for none: what is not as it should be is thrown as a
// Difference, whose what() shows it line by line.
//
//   given<Tasks>({"TaskAdded"}).when(Tasks::Command::finish).then({"TaskFinished"});
//
// Threads: one at a time. Failure: Difference.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "freshet/decider.hpp"
#include "freshet/upcaster.hpp"

namespace [[gnu::visibility("default")]] freshet {
namespace testing {

class Difference : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An event in one line: its type, the schema version where it is above 1, its data, and metadata and correlation if
// there are any.
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

  // These events, in this order; none at all; or this refusal.
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

// Folds the events, and once more with a snapshot after each of them. Throws a Difference unless the states, which have
// an ==, are equal all the way.
template <typename Decider>
void check_snapshots(const std::vector<typename Decider::Event>& history) {
  auto state = Decider::initial();
  auto kept = Decider::initial();
  Version version;
  for (const auto& event : history) {
    ++version.value;
    const RecordedEvent read = recorded(Decider::encode(event), {"stream", "1"}, version);
    Decider::evolve(state, Decider::decode(read));
    Decider::evolve(kept, Decider::decode(read));
    kept = Decider::decode_state(Decider::encode_state(kept));
    if (kept == state) continue;
    throw Difference("the snapshot of version " + std::to_string(version.value) + " is not the state:\n" +
                     "  the state:    " + Decider::encode_state(state) + "\n  the snapshot: " +
                     Decider::encode_state(kept) + "\n  (where both look alike, encode_state() leaves something out)");
  }
}

// An event as it was written once, kept so that it can be read for ever.
struct Sample {
  std::string type;
  int schema_version = 1;
  std::string data;
  std::string newest = {};  // What the event is today, as encode() writes it. Empty: reading it is enough.
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
    } catch (...) {
      throw Difference("cannot decode the sample of " + name + ": something was thrown that is no exception");
    }
    if (!sample.newest.empty()) compare("the sample of " + name, {sample.newest}, {read});
  }
}

}  // namespace testing
}  // namespace freshet
