// One step after the other.
#include "scenario/player.hpp"

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>

#include "freshet/error.hpp"
#include "orders/money.hpp"

namespace freshet::scenario {
namespace {

using Json = nlohmann::ordered_json;

// The script ends here.
class Stopped : public std::runtime_error {
 public:
  explicit Stopped(const std::string& message) : std::runtime_error(message) {}
  explicit Stopped(Miss missed) : std::runtime_error(missed.message), miss(std::move(missed)) {}

  std::optional<Miss> miss;
};

class Player {
 public:
  Player(const std::vector<Step>& steps, Stage& stage) : steps_(steps), stage_(stage) {}

  void play_all() {
    for (index_ = 0; index_ < steps_.size(); ++index_) {
      std::visit([this](const auto& action) { play(action); }, steps_[index_].action);
      stage_.settle();
      if (stage_.is_interrupted()) throw Stopped("interrupted");
    }
  }

  // Of the step that is being played.
  [[nodiscard]] int line() const { return index_ < steps_.size() ? steps_[index_].line : 0; }

 private:
  void play(const Invoke& invoke) {
    const Instant start = stage_.clock().now();
    Reply reply = invoke.run(stage_);
    const Instant end = stage_.clock().now();
    reply.occurrence.client = invoke.client;
    if (shows_costs_ && reply.occurrence.kind == Kind::read && !stage_.is_virtual()) {
      const auto cost = std::chrono::duration<double, std::milli>(end - start);
      reply.occurrence.what += fmt::format(" ({:.2f} ms)", cost.count());
    }
    stage_.recorder().record(end, std::move(reply.occurrence));
    answer_ = std::move(reply.document);
    if (!reply.failure.empty() && !is_expected_to_fail()) throw Stopped(reply.failure);
  }

  [[nodiscard]] bool is_expected_to_fail() const {
    const auto* expect = index_ + 1 < steps_.size() ? std::get_if<Expect>(&steps_[index_ + 1].action) : nullptr;
    return expect != nullptr && expect->conditions.front().field.starts_with("error");
  }

  void play(const SetBus& set) { stage_.set_bus(set.change(stage_.bus())); }
  void play(const Sleep& sleep) { stage_.sleep(sleep.duration); }

  void play(const Say& say) {
    // The last word is the run's point.
    if (index_ + 1 == steps_.size()) return;
    stage_.recorder().record(stage_.clock().now(), {.kind = Kind::said, .what = say.text});
  }

  void play(const Restart& /*restart*/) { stage_.restart(); }
  void play(const Crash& crash) { stage_.crash(crash.point); }

  void play(const Expect& expect) {
    for (const Condition& condition : expect.conditions) {
      if (auto miss = check(condition, answer_)) throw Stopped(*std::move(miss));
    }
  }

  void play(const Begin& /*begin*/) { stage_.recorder().begin(stage_.clock().now()); }
  void play(const ShowCosts& /*costs*/) { shows_costs_ = true; }
  void play(const Listen& listen) { stage_.listen(listen.name, listen.rule); }

  void play(const Ask& ask) {
    const auto [row, at] = stage_.ask(ask.name, ask.order_id, ask.deliveries);
    const std::string amount = orders::format_money(row.amount_minor, row.currency);
    stage_.recorder().record(at, {.kind = Kind::read,
                                  .what = fmt::format("ask {} {} -> {}, {}, version {}", ask.name, ask.order_id,
                                                      row.status, amount, row.version.value),
                                  .order_id = ask.order_id,
                                  .version = row.version,
                                  .model = ask.name});
    answer_ = Json{{"listener", ask.name},         {"order_id", ask.order_id},
                   {"status", row.status},         {"amount_minor", row.amount_minor},
                   {"version", row.version.value}, {"deliveries", row.deliveries}};
  }

  const std::vector<Step>& steps_;
  Stage& stage_;
  std::size_t index_ = 0;
  Json answer_ = Json::object();
  bool shows_costs_ = false;
};

std::string point_of(const std::vector<Step>& steps) {
  const auto* last = steps.empty() ? nullptr : std::get_if<Say>(&steps.back().action);
  return last == nullptr ? "" : last->text;
}

}  // namespace

Report play(const std::string& name, const std::vector<Step>& steps, const StageOptions& options) {
  Report report{.name = name, .clock = options.clock};
  Recorder recorder;
  Stage stage{options, recorder};
  Player player{steps, stage};
  const auto fail = [&](const std::string& why) {
    report.passed = false;
    report.failed_line = player.line();
    report.failure = report.failed_line > 0 ? fmt::format("line {}: {}", report.failed_line, why) : why;
  };
  try {
    player.play_all();
    stage.drain();
    report.point = point_of(steps);
  } catch (const Stopped& stopped) {
    fail(stopped.what());
    report.miss = stopped.miss;
  } catch (const Error& error) {
    fail(error.what());
  }
  report.seed = stage.bus().seed;
  recorder.fill_in(report);
  return report;
}

}  // namespace freshet::scenario
