// Three tiny projections on which the engine is tested, by what each of them would show to be wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "freshet/projection.hpp"

namespace freshet::tests {

// The number that an event of these tests carries.
inline std::int64_t amount(const RecordedEvent& event) {
  return std::stoll(event.data);
}

// One sum over all streams: wrong as soon as an event is applied twice or not at all.
class Totals : public Projection {
 public:
  explicit Totals(int schema_version = 1) : schema_version_(schema_version) {}

  [[nodiscard]] std::string_view name() const override { return "totals"; }
  [[nodiscard]] int schema_version() const override { return schema_version_; }
  [[nodiscard]] std::vector<std::string> tables() const override { return {"totals"}; }
  void create(Tables& tables) const override {
    tables.execute("CREATE TABLE {totals} (category TEXT PRIMARY KEY, sum INTEGER NOT NULL, events INTEGER NOT NULL)");
  }
  void apply(const RecordedEvent& event, Tables& tables) const override {
    tables.execute(
        "INSERT INTO {totals} VALUES (?, ?, 1) "
        "ON CONFLICT DO UPDATE SET sum = sum + excluded.sum, events = events + 1",
        {std::string_view{event.stream.category}, amount(event) * factor(schema_version_)});
  }

  // Each version of the rules counts ten times what the one before it did.
  [[nodiscard]] static std::int64_t factor(std::int64_t schema_version) {
    return schema_version <= 1 ? 1 : 10 * factor(schema_version - 1);
  }

 private:
  int schema_version_;
};

// The latest event of each stream, guarded by its version.
class Latest : public Projection {
 public:
  [[nodiscard]] std::string_view name() const override { return "latest"; }
  [[nodiscard]] int schema_version() const override { return 1; }
  [[nodiscard]] std::vector<std::string> tables() const override { return {"latest"}; }
  void create(Tables& tables) const override {
    tables.execute(
        "CREATE TABLE {latest} (stream INTEGER PRIMARY KEY, version INTEGER NOT NULL, amount INTEGER NOT NULL)");
    tables.execute("CREATE INDEX {latest}_by_amount ON {latest} (amount)");
  }
  void apply(const RecordedEvent& event, Tables& tables) const override {
    tables.execute(
        "INSERT INTO {latest} VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version, "
        "amount = excluded.amount WHERE excluded.version > version",
        {event.stream_number, event.version.value, amount(event)});
  }
};

// One row an event, in the order of arrival, with no key that would hide a second one; throws where it is
// told to.
class Fragile : public Projection {
 public:
  using Throws = std::function<bool(const RecordedEvent&)>;
  explicit Fragile(Throws throws) : throws_(std::move(throws)) {}

  [[nodiscard]] std::string_view name() const override { return "fragile"; }
  [[nodiscard]] int schema_version() const override { return 1; }
  [[nodiscard]] std::vector<std::string> tables() const override { return {"fragile"}; }
  void create(Tables& tables) const override {
    tables.execute("CREATE TABLE {fragile} (stream INTEGER NOT NULL, version INTEGER NOT NULL, position INTEGER)");
  }
  void apply(const RecordedEvent& event, Tables& tables) const override {
    tables.execute("INSERT INTO {fragile} VALUES (?, ?, ?)",
                   {event.stream_number, event.version.value, event.position.value});
    if (throws_(event)) throw std::runtime_error("no " + event.data);
  }

 private:
  Throws throws_;
};

}  // namespace freshet::tests
