// Scripts played on a virtual clock: what they show is exact, and the same each time.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <string>

#include "cli/script_commands.hpp"
#include "freshet/error.hpp"
#include "resources.hpp"
#include "scenario/demos.hpp"
#include "scenario/json.hpp"
#include "scenario/mermaid.hpp"
#include "scenario/player.hpp"
#include "scenario/text.hpp"
#include "temp_dir.hpp"

namespace freshet::scenario {
namespace {

using tests::TempDir;

// The process around a script, of which nothing is heard.
class Silent final : public cli::Session {
 public:
  Store& store(OpenMode /*mode*/, Engine /*engine*/) override {
    throw Error(ErrorCode::invalid, "a script has a store of its own");
  }
  [[nodiscard]] cli::FilesInUse files_in_use() const override { return {}; }
  std::filesystem::path closed_file() override { return {}; }
  Duration busy_timeout() override { return {}; }
  Upgrade upgrade() override { return {}; }
  bool answer(const cli::Answer& /*answer*/) override { return true; }
  bool wait_for(int /*descriptor*/) override { return false; }
  void note(const std::string& /*line*/) override {}
  void progress(std::string_view /*what*/, std::int64_t /*done*/, std::int64_t /*total*/) override {}
  int interrupted() override { return 0; }
};

// The command line's grammar, asked once for each command: that takes longer than to play it.
class Commands final : public CommandLine {
 public:
  [[nodiscard]] std::vector<std::string> groups() const override { return commands_.groups(); }
  [[nodiscard]] RunCommand command(const std::vector<std::string>& words) const override {
    auto& known = known_[words];
    if (!known) known = commands_.command(words);
    return known;
  }
  [[nodiscard]] BusOptions bus(const std::vector<std::string>& words, const BusOptions& current) const override {
    return commands_.bus(words, current);
  }

 private:
  Silent silent_;
  cli::ScriptCommands commands_{silent_};
  mutable std::map<std::vector<std::string>, RunCommand> known_;
};

std::vector<Step> steps_of(std::string_view script) {
  static const Commands commands;
  return understand(script, commands);
}

Report play_virtual(const std::vector<Step>& steps, std::uint64_t seed = 1) {
  const TempDir directory;
  StageOptions options{.file = directory.file(), .clock = ClockKind::virtual_};
  options.durability = Durability::process_crash;  // Nothing here loses power.
  options.bus.seed = seed;
  return play("test", steps, options);
}

Report play_virtual(std::string_view script) {
  return play_virtual(steps_of(script));
}

std::string everything(const Report& report) {
  return render_text(report, {}) + to_json(report).dump() + render_mermaid(report) + report.failure;
}

std::vector<Kind> kinds(const Report& report) {
  std::vector<Kind> kinds;
  for (const Occurrence& occurrence : report.timeline) kinds.push_back(occurrence.kind);
  return kinds;
}

constexpr const char* place = "order place 123 --customer c9 --item book:1:49.99\n";

// Lines that pass whatever came before; what they show depends on all of it.
class RandomScript {
 public:
  explicit RandomScript(std::uint64_t seed) : random_(seed) {}

  std::string text() {
    std::string script = "listen sums adds\nlisten sets upserts\nlisten guarded upserts-newer\n" + change(0);
    for (int line = 0; line < 25; ++line) script += any_line();
    return script;
  }

 private:
  std::uint64_t number(std::uint64_t count) { return random_() % count; }
  std::string digit() { return std::to_string(number(10)); }

  // The next command that the order's rules allow, at any time by any client.
  std::string change(std::uint64_t order) {
    const std::string id = std::to_string(order);
    const std::string client = number(3) == 0 ? "client bob: " : "";
    const std::string sync = number(4) == 0 ? " --sync\n" : "\n";
    switch (steps_[order]++) {
      case 0:
        return client + "order place " + id + " --customer c --item a:1:1" + digit() + sync;
      case 1:
        return client + "order pay " + id + sync;
      case 2:
        return client + "order ship " + id + sync;
      default:
        return "order history " + id + "\n";
    }
  }

  std::string any_line() {
    const std::string choices[] = {
        "order list\n",
        "order list --strong --timeout 3" + digit() + "ms\n",
        "client carol: order get 0 --read-your-writes\n",
        "bus --delay 'uniform(1ms,1" + digit() + "ms)' --duplicate 0." + digit() + "\n",
        "bus --delay 'exponential(2" + digit() + "ms)' --redeliver-after 40ms\n",
        "sleep " + digit() + digit() + "ms\n",
        "crash projector\n",
        "crash projector before-commit\n",
        "restart\n",
        "ask sums 0 --deliveries 2\n",
        "ask guarded 1\n",
    };
    const std::uint64_t choice = number(std::size(choices) + 6);
    return choice < std::size(choices) ? choices[choice] : change(number(3));
  }

  std::mt19937_64 random_;
  std::array<int, 3> steps_{};
};

}  // namespace

TEST_SUITE("scenario") {
  TEST_CASE("play: the window of a write is as long as its event was on its way") {
    const Report report = play_virtual(std::string{"bus --delay 50ms\n"} + place + "sleep 80ms\n");
    CHECK(report.passed);
    REQUIRE(report.windows.size() == 1);
    CHECK(report.windows[0].order_id == "123");
    CHECK(report.windows[0].version == Version{1});
    CHECK(report.windows[0].opened == Duration{0});
    CHECK(report.windows[0].closed == std::chrono::milliseconds{50});
    CHECK(kinds(report) == std::vector{Kind::appended, Kind::succeeded, Kind::delivered, Kind::applied});
  }

  TEST_CASE("play: what is on its way when the script ends still arrives") {
    const Report report = play_virtual(std::string{"bus --delay 50ms\n"} + place);
    REQUIRE(report.windows.size() == 1);
    CHECK(report.windows[0].gap() == std::chrono::milliseconds{50});
  }

  TEST_CASE("play: a window stays open if nobody projects") {
    const Report report = play_virtual(std::string{"crash projector\n"} + place);
    REQUIRE(report.windows.size() == 1);
    CHECK_FALSE(report.windows[0].closed);
    CHECK(render_text(report, {}).find("gap: 0.00 ms -> open") != std::string::npos);
  }

  TEST_CASE("play: a synchronous write opens no window, and closes those of its order") {
    const Report report =
        play_virtual(std::string{"bus --delay 50ms\n"} + place + "sleep 20ms\norder pay 123 --sync\n");
    REQUIRE(report.windows.size() == 1);
    CHECK(report.windows[0].version == Version{1});
    CHECK(report.windows[0].gap() == std::chrono::milliseconds{20});
  }

  TEST_CASE("play: begin forgets what was before, and times count from the next write") {
    const Report report =
        play_virtual(std::string{place} + "sleep 70ms\nbegin\norder get 123\nsleep 5ms\norder pay 123\n");
    REQUIRE(report.timeline.size() >= 2);
    CHECK(report.timeline[0].kind == Kind::read);
    CHECK(report.timeline[0].at == Duration{0});
    CHECK(report.timeline[1].kind == Kind::appended);
    CHECK(report.timeline[1].at == Duration{0});
    CHECK(report.windows.size() == 1);
  }

  TEST_CASE("play: a read inside the window is stale, and knows who read") {
    const Report report = play_virtual(std::string{"bus --delay 50ms\n"} + place +
                                       "sleep 60ms\norder pay 123\nclient alice: order get 123\n"
                                       "expect status=created freshness.stale=true\n");
    CHECK(report.failure == "");
    const Occurrence& read = *std::ranges::find(report.timeline, Kind::read, &Occurrence::kind);
    CHECK(read.stale);
    CHECK(read.client == "alice");
    CHECK(read.what == "get 123 -> created, version 1");
    CHECK(render_text(report, {}).find("client alice   get 123 -> created, version 1   STALE") != std::string::npos);
  }

  TEST_CASE("play: an expectation that does not hold ends the script with its line") {
    const Report report = play_virtual(std::string{place} + "\nexpect status=paid\norder pay 123\n");
    CHECK_FALSE(report.passed);
    CHECK(report.failure == "line 3: expected status=paid, found status=created");
    CHECK(report.failed_line == 3);
    REQUIRE(report.miss);
    CHECK(report.miss->field == "status");
    CHECK(report.miss->wanted == "paid");
    CHECK(report.miss->found == "created");
    CHECK(report.timeline.back().version == Version{1});
  }

  TEST_CASE("play: a command that fails ends the script unless the next line expects an error") {
    const Report failed = play_virtual("order pay 1\n");
    CHECK(failed.failure.find("line 1: ") == 0);
    const Report expected = play_virtual("order pay 1\n# as it should\nexpect error.code=not_found\n");
    CHECK(expected.failure == "");
  }

  TEST_CASE("play: a crash before the offsets are committed brings each event once more") {
    const Report report = play_virtual(std::string{"listen sums adds\ncrash projector before-commit\n"} + place +
                                       "restart\nask sums 123 --deliveries 2\nexpect amount_minor=9998\n"
                                       "order get 123\nexpect amount_minor=4999\n");
    CHECK(report.failure == "");
    CHECK(std::ranges::count(kinds(report), Kind::crashed) == 2);
    CHECK(std::ranges::count(kinds(report), Kind::skipped) == 1);
  }

  TEST_CASE("play: a restart without a crash commits the offsets, so nothing comes twice") {
    const Report report = play_virtual(std::string{"listen sums adds\n"} + place +
                                       "restart\nsleep 1s\nask sums 123\nexpect deliveries=1 amount_minor=4999\n");
    CHECK(report.failure == "");
    CHECK(std::ranges::count(kinds(report), Kind::committed) == 1);
  }

  TEST_CASE("demos: each passes on a virtual clock, is short, and makes its point") {
    CHECK(demos().size() == 7);
    for (const Demo& demo : demos()) {
      const Report report = play_virtual(demo.script);
      CHECK_MESSAGE(report.passed, demo.name << ": " << report.failure);
      CHECK(report.point.size() > 40);
      CHECK(std::ranges::count(demo.script, '\n') <= 25);
    }
  }

  TEST_CASE("demos: the windows of a virtual run are as long as the delay, to the microsecond") {
    const Report report = play_virtual(find_demo("staleness")->script);
    REQUIRE(report.windows.size() == 1);
    CHECK(report.windows[0].gap() == std::chrono::milliseconds{50});
    CHECK(play_virtual(find_demo("sync")->script).windows.empty());
  }

  TEST_CASE("demos: two runs of each are the same to the byte") {
    for (const Demo& demo : demos()) {
      const auto steps = steps_of(demo.script);
      CHECK(everything(play_virtual(steps, 7)) == everything(play_virtual(steps, 7)));
    }
  }

  TEST_CASE("play: two runs of a random script are the same to the byte") {
    const auto scripts = static_cast<std::uint64_t>(tests::asked_for("FRESHET_SCRIPTS", 200));
    for (std::uint64_t seed = 1; seed <= scripts; ++seed) {
      CAPTURE(seed);
      const auto steps = steps_of(RandomScript{seed}.text());
      const Report report = play_virtual(steps, seed);
      REQUIRE(report.failure == "");
      REQUIRE(everything(report) == everything(play_virtual(steps, seed)));
    }
  }

  TEST_CASE("render_mermaid: what Mermaid would take for its own is escaped") {
    Report report;
    report.timeline.push_back({.kind = Kind::read, .client = "a;b", .what = "one; #two"});
    const std::string text = render_mermaid(report);
    CHECK(text.find("participant C0 as Client a#59;b\n") != std::string::npos);
    CHECK(text.find("one#59; #35;two") != std::string::npos);
  }
}

}  // namespace freshet::scenario
