// What the log has to hold, and what an append has to be answered: a vector and two maps.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freshet/event_log.hpp"

namespace freshet::simulation {

// The one stream of a category of its own, of which the log holds little. All others are of one category.
inline constexpr const char* rare_stream = "v";
[[nodiscard]] inline StreamId id_of(const std::string& stream) {
  return {stream == rare_stream ? "vault" : "account", stream};
}

// What comes under a key, beside its stream.
struct Said {
  std::string command = {};  // As its decider was given it; empty: the events themselves.
  bool stream_is_made_up = false;
};

struct ModelLog {
  struct Event {
    std::string stream;
    std::int64_t version;
    std::int64_t amount;
    Timestamp occurred_at;
    Timestamp recorded_at;
    std::int64_t append_end;
    std::optional<Correlation> correlation;
  };
  struct Command {
    Appended answer;
    std::optional<std::string> said;  // Nothing: format 3 has not kept it, and whatever comes is the same.
    int opening;                      // Of the file, when it was carried out.
  };

  std::vector<Event> events;                                 // That of position p at p - 1.
  std::map<std::string, std::vector<std::int64_t>> streams;  // The positions of its versions, from version 1 on.
  std::map<std::string, Command> commands;

  // Does what the log should do with the request, and returns what it should answer.
  AppendResult append(const Append& request, const Said& said, Timestamp now, int opening);
  // What it should answer by the request's key alone.
  [[nodiscard]] std::optional<AppendResult> find_command(const Append& request, const Said& said) const;

  // Which events were appended together, as format 3 does.
  void forget_appends();

  [[nodiscard]] std::int64_t head() const { return static_cast<std::int64_t>(events.size()); }
  [[nodiscard]] const Event& at(std::int64_t position) const { return events[static_cast<std::size_t>(position - 1)]; }
  [[nodiscard]] std::int64_t version(const std::string& stream) const;
  [[nodiscard]] std::int64_t position_of(const std::string& stream, std::int64_t version) const;
  // The stream's version at a position of the log.
  [[nodiscard]] std::int64_t version_at(const std::string& stream, std::int64_t position) const;
  // The newest event was recorded at a time that the clock does not show yet: it was set back.
  [[nodiscard]] bool is_ahead_of(Timestamp now) const;
  // Everything up to here is to be in an answer that may lack what is younger. Where ages cannot be told, that is all.
  [[nodiscard]] std::int64_t last_of_age(Duration age, Timestamp now) const;
};

// Throws a Violation unless the log answered as the model did.
void compare(const AppendResult& expected, const AppendResult& found);

// Likewise of one event.
void compare(const ModelLog& model, const RecordedEvent& found);

}  // namespace freshet::simulation
