// A projection that sees events in their newest form, wherever they come from.
#pragma once

#include <memory>
#include <utility>

#include "freshet/projection.hpp"
#include "log/upcasting.hpp"

namespace freshet::projection {

class UpcastProjection final : public Projection {
 public:
  UpcastProjection(std::shared_ptr<const Projection> rules, std::shared_ptr<const log::Upcasting> upcasting)
      : rules_(std::move(rules)), upcasting_(std::move(upcasting)) {}

  [[nodiscard]] std::string_view name() const override { return rules_->name(); }
  [[nodiscard]] int schema_version() const override { return rules_->schema_version(); }
  [[nodiscard]] std::vector<std::string> tables() const override { return rules_->tables(); }
  void create(Tables& tables) const override { rules_->create(tables); }
  void apply(const RecordedEvent& event, Tables& tables) const override {
    if (upcasting_->is_newest(event)) {
      rules_->apply(event, tables);
      return;
    }
    RecordedEvent newest = event;
    upcasting_->upcast(newest);
    rules_->apply(newest, tables);
  }

 private:
  std::shared_ptr<const Projection> rules_;
  std::shared_ptr<const log::Upcasting> upcasting_;
};

}  // namespace freshet::projection
