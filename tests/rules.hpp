// Projections that a test writes where it uses them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine_fixture.hpp"

namespace freshet::tests {

class Rules final : public Projection {
 public:
  using Create = std::function<void(Tables&)>;
  using Apply = std::function<void(const RecordedEvent&, Tables&)>;

  Rules(std::string name, int schema_version, std::vector<std::string> tables, Create create, Apply apply)
      : name_(std::move(name)),
        schema_version_(schema_version),
        tables_(std::move(tables)),
        create_(std::move(create)),
        apply_(std::move(apply)) {}

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] int schema_version() const override { return schema_version_; }
  [[nodiscard]] std::vector<std::string> tables() const override { return tables_; }
  void create(Tables& tables) const override { create_(tables); }
  void apply(const RecordedEvent& event, Tables& tables) const override { apply_(event, tables); }

 private:
  std::string name_;
  int schema_version_;
  std::vector<std::string> tables_;
  Create create_;
  Apply apply_;
};

// `statements` make the tables.
inline std::shared_ptr<const Projection> rules(std::vector<std::string> tables, std::vector<std::string> statements,
                                               Rules::Apply apply, int schema_version = 1) {
  auto create = [statements = std::move(statements)](Tables& made) {
    for (const std::string& statement : statements) made.execute(statement);
  };
  return std::make_shared<Rules>("rules", schema_version, std::move(tables), std::move(create), std::move(apply));
}

inline StoreOptions with_rules(StoreOptions options, std::shared_ptr<const Projection> rules) {
  options.projections.push_back(std::move(rules));
  return options;
}

// The first column of the rows, parted by commas.
inline std::string texts(Reading& reading, std::string_view sql, Values values = {}) {
  std::string texts;
  for (Rows rows = reading.query(sql, values); rows.next();) {
    texts += (texts.empty() ? "" : ",") + std::string(rows.text(0));
  }
  return texts;
}
inline std::string texts(Store& store, std::string_view sql, Values values = {}) {
  Reading reading = store.read({.projections = {"totals"}});
  return texts(reading, sql, values);
}

}  // namespace freshet::tests
