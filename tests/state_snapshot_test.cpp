// Tests of snapshots: replays cost by what is new, and a snapshot that is not right is as good as none.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "engine_fixture.hpp"
#include "freshet/decider.hpp"
#include "freshet/session.hpp"

using namespace freshet;
using namespace freshet::tests;

namespace {

// Sums deposits, and counts how many it had to decode.
struct Plain {
  struct State {
    std::int64_t sum = 0;
  };
  struct Command {
    std::vector<std::int64_t> amounts = {1};
    std::function<void()> meanwhile = [] {};
  };
  using Event = std::int64_t;
  using Rejection = std::string;
  static State initial() { return {}; }
  static void evolve(State& state, const Event& amount) { state.sum += amount; }
  static std::variant<std::vector<Event>, Rejection> decide(const Command& command, const State& /*state*/) {
    command.meanwhile();
    if (command.amounts == std::vector<std::int64_t>{0}) return "nothing is no deposit";
    return command.amounts;
  }
  static CommandIdentity identify(const Command& command) {
    return CommandIdentity("deposit").add_each(command.amounts);
  }
  static NewEvent encode(const Event& amount) { return event(amount); }
  static Event decode(const RecordedEvent& event) {
    ++decoded;
    return amount(event);
  }
  static std::string encode_rejection(const Rejection& rejection) { return rejection; }
  static Rejection decode_rejection(const std::string& text) { return text; }

  static inline std::atomic<int> decoded = 0;
};

struct Ledger : Plain {
  static constexpr SnapshotPolicy snapshots{.name = "ledger", .every = 10};
  static std::string encode_state(const State& state) { return std::to_string(state.sum); }
  static State decode_state(std::string_view text) { return {std::stoll(std::string(text))}; }
};

// A newer release keeps its sums in hundredths.
struct NewLedger : Ledger {
  static constexpr SnapshotPolicy snapshots{.name = "ledger", .schema = 2, .every = 10};
  static void evolve(State& state, const Event& amount) { state.sum += 100 * amount; }
};

// Another view of the same stream.
struct Doubled : Ledger {
  static constexpr SnapshotPolicy snapshots{.name = "doubled", .every = 10};
  static void evolve(State& state, const Event& amount) { state.sum += 2 * amount; }
};

struct Huge : Ledger {
  static std::string encode_state(const State& /*state*/) { return std::string(snapshot_bytes_max + 1, 'x'); }
};

struct Unreadable : Ledger {
  static State decode_state(std::string_view /*text*/) { throw std::runtime_error("not of this form"); }
};

static_assert(KeepsSnapshots<Ledger> && !KeepsSnapshots<Plain>);

template <typename Decider>
void deposit(EventLog& log, int count = 1, const ExecuteOptions& options = {}) {
  for (; count > 0; --count) REQUIRE(execute<Decider>(log, stream("a"), {}, options).index() == 0);
}

// Replays, and finds the sum to be right. Returns how many events had to be decoded.
template <typename Decider = Ledger>
int cost(Store& store, std::int64_t sum) {
  const int before = Plain::decoded;
  const auto replayed = replay<Decider>(store.log(), stream("a"));
  CHECK(replayed.state.sum == sum);
  CHECK(replayed.version == store.log().version(stream("a")));
  CHECK(replayed.position == store.log().read_stream(stream("a"), Version{}, all_events).back().position);
  return Plain::decoded - before;
}

std::int64_t snapshots_in(const std::filesystem::path& file) {
  sqlite::Connection connection = connect(file);
  if (connection.integer("SELECT count(*) FROM sqlite_master WHERE name = 'state_snapshots'") == 0) return 0;
  return connection.integer("SELECT count(*) FROM state_snapshots");
}

// A store with a stream of 25 deposits and a snapshot at its 20th.
struct Kept {
  Kept() { deposit<Ledger>(store.log(), 25); }

  void change(const std::string& sql) const { connect(directory.file()).execute(sql); }

  TempDir directory;
  Store store{idle(directory.file())};
};

// As Kept, and a snapshot that some damage has spoilt is passed by and made again.
void check_passed_by(const std::string& damage) {
  Kept kept;
  kept.change(damage);
  CHECK(cost(kept.store, 25) == 25);
  deposit<Ledger>(kept.store.log());
  CHECK(cost(kept.store, 26) == 1);
}

}  // namespace

TEST_SUITE("state_snapshot") {
  TEST_CASE("execute: keeps a snapshot when it had to fold as many events as its decider says") {
    const TempDir directory;
    Store store(idle(directory.file()));
    deposit<Ledger>(store.log(), 10);
    CHECK(snapshots_in(directory.file()) == 0);
    CHECK(cost(store, 10) == 10);
    deposit<Ledger>(store.log());
    CHECK(snapshots_in(directory.file()) == 1);
    CHECK(replay<Ledger>(store.log(), stream("a")).snapshot == Version{10});
  }

  TEST_CASE("replay: costs by what is new since the snapshot") {
    Kept kept;
    CHECK(cost(kept.store, 25) == 5);
    CHECK(cost<Plain>(kept.store, 25) == 25);
    append(kept.store, "b", 1);
    append(kept.store, "a", 5);
    CHECK(cost(kept.store, 30) == 6);
  }

  TEST_CASE("replay: of a stream that ends with its snapshot decodes nothing") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_many(store, "a", 10);
    const auto refused = execute<Ledger>(store.log(), stream("a"), {.amounts = {0}}, {.idempotency_key = "key"});
    CHECK(std::holds_alternative<Rejected<std::string>>(refused));
    CHECK(cost(store, 10) == 0);
  }

  TEST_CASE("replay: writes nothing") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_many(store, "a", 100);
    CHECK(cost(store, 100) == 100);
    CHECK(cost(store, 100) == 100);
    CHECK(snapshots_in(directory.file()) == 0);
  }

  TEST_CASE("replay: a stream of 100,000 events costs as much as a short one") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_many(store, "a", 100'000);
    CHECK(cost(store, 100'000) == 100'000);
    deposit<Ledger>(store.log(), 3);
    CHECK(cost(store, 100'003) == 3);
    const int before = Plain::decoded;
    deposit<Ledger>(store.log());
    CHECK(Plain::decoded - before == 3);
  }

  TEST_CASE("replay: a snapshot of another schema is passed by, and replaced") {
    Kept kept;
    CHECK(cost<NewLedger>(kept.store, 2'500) == 25);
    deposit<NewLedger>(kept.store.log());
    CHECK(cost<NewLedger>(kept.store, 2'600) == 1);
    CHECK(cost(kept.store, 26) == 26);
    CHECK(snapshots_in(kept.directory.file()) == 1);
  }

  TEST_CASE("replay: two deciders of one stream have a snapshot each") {
    Kept kept;
    CHECK(cost<Doubled>(kept.store, 50) == 25);
    deposit<Doubled>(kept.store.log());
    CHECK(cost<Doubled>(kept.store, 52) == 1);
    CHECK(cost(kept.store, 26) == 6);
  }

  TEST_CASE("replay: a damaged snapshot is passed by, and replaced") {
    check_passed_by("UPDATE state_snapshots SET state = CAST('21' AS BLOB)");
    check_passed_by("UPDATE state_snapshots SET checksum = checksum + 1");
    check_passed_by("UPDATE state_snapshots SET version = 19, position = 19");
    check_passed_by("UPDATE state_snapshots SET version = 2000");
    check_passed_by("UPDATE state_snapshots SET position = 19");
  }

  TEST_CASE("replay: snapshots can be thrown away at any time") {
    check_passed_by("DELETE FROM state_snapshots");
    check_passed_by("DROP TABLE state_snapshots");
  }

  TEST_CASE("replay: a sound snapshot of a longer stream, or of another log, is passed by") {
    Kept kept;
    for (const bool shorter : {true, false}) {
      const TempDir directory;
      Store store(idle(directory.file()));
      if (!shorter) append(store, "a", 7);
      append_many(store, "b", 1);
      append_many(store, "a", shorter ? 15 : 24);
      deposit<Ledger>(store.log());
      sqlite::Connection connection = connect(directory.file());
      connection.execute("ATTACH '" + kept.directory.file().string() + "' AS other");
      connection.execute(
          "DELETE FROM state_snapshots; INSERT INTO state_snapshots SELECT * FROM other.state_snapshots;"
          "UPDATE state_snapshots SET stream = (SELECT number FROM streams WHERE id = 'a')");
      CHECK(cost(store, shorter ? 16 : 32) == (shorter ? 16 : 26));
    }
  }

  TEST_CASE("replay: a snapshot that its decider cannot read is passed by") {
    Kept kept;
    CHECK(cost<Unreadable>(kept.store, 25) == 25);
  }

  TEST_CASE("replay: a table of somebody else's with the name of the snapshots' is left alone") {
    Kept kept;
    kept.change("DROP TABLE state_snapshots; CREATE TABLE state_snapshots (shelf TEXT)");
    CHECK(cost(kept.store, 25) == 25);
    deposit<Ledger>(kept.store.log());
    CHECK(cost(kept.store, 26) == 26);
    CHECK(snapshots_in(kept.directory.file()) == 0);
  }

  TEST_CASE("replay: begins with the snapshot in a store that is opened for reading, and for reading alone") {
    Kept kept;
    StoreOptions options = idle(kept.directory.file());
    options.mode = OpenMode::read_only;
    Store reader(options);
    CHECK(cost(reader, 25) == 5);
    CHECK(cost<NewLedger>(reader, 2'500) == 25);
    CHECK(error_of([&] { static_cast<void>(execute<NewLedger>(reader.log(), stream("a"), {}, {})); }) ==
          ErrorCode::read_only);
    CHECK(cost(kept.store, 25) == 5);
  }

  TEST_CASE("replay: what a snapshot shows is seen by the session") {
    Kept kept;
    kept.change("DELETE FROM state_snapshots");
    const auto refused = execute<Ledger>(kept.store.log(), stream("a"), {.amounts = {0}}, {.idempotency_key = "key"});
    CHECK(std::holds_alternative<Rejected<std::string>>(refused));
    const Session session(kept.store);
    CHECK(replay<Ledger>(session.log(), stream("a")).snapshot == Version{25});
    CHECK(session.seen() == Position{25});
  }

  TEST_CASE("execute: decides again on what another writer added, and folds nothing twice") {
    Kept kept;
    int others = 3;
    const auto meanwhile = [&] {
      if (others-- > 0) append(kept.store, "a", 1);
    };
    const int before = Plain::decoded;
    const auto outcome = execute<Ledger>(kept.store.log(), stream("a"), {.meanwhile = meanwhile}, {});
    CHECK(std::get<Appended>(outcome).version == Version{29});
    CHECK(Plain::decoded - before == 5 + 3);
    CHECK(cost(kept.store, 29) == 9);
  }

  TEST_CASE("execute: on several threads and stores keeps snapshots that are right") {
    constexpr int each = 60;
    const TempDir directory;
    Store first(idle(directory.file()));
    Store second(idle(directory.file()));
    std::vector<std::thread> threads;
    for (Store* store : {&first, &first, &second}) {
      threads.emplace_back([store] {
        for (int count = 0; count < each; ++count) {
          static_cast<void>(execute<Ledger>(store->log(), stream("a"), {}, {}));
          static_cast<void>(replay<Ledger>(store->log(), stream("a")));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const auto written = first.log().version(stream("a")).value;
    CHECK(written == 3 * each);
    CHECK(cost(first, written) < 3 * each);
    CHECK(snapshots_in(directory.file()) == 1);
  }

  TEST_CASE("append: what is refused or undone keeps no snapshot") {
    const TempDir directory;
    Store store(with_fragile(idle(directory.file()), on_amount(13)));
    append_many(store, "a", 20);
    const auto conflict = execute<Ledger>(store.log(), stream("a"), {.meanwhile = [&] { append(store, "a", 1); }},
                                          {.expected = ExpectedVersion::exactly(Version{20})});
    CHECK(std::holds_alternative<Conflict>(conflict));
    CHECK(error_of([&] {
            static_cast<void>(
                execute<Ledger>(store.log(), stream("a"), {.amounts = {13}}, {.projecting = Projecting::synchronous}));
          }) == ErrorCode::projection_failed);
    CHECK(snapshots_in(directory.file()) == 0);
    CHECK(cost(store, 21) == 21);
  }

  TEST_CASE("append: a state beyond its limit is not kept") {
    const TempDir directory;
    Store store(idle(directory.file()));
    deposit<Huge>(store.log(), 12);
    CHECK(snapshots_in(directory.file()) == 0);
    CHECK(cost<Huge>(store, 12) == 12);
  }

  TEST_CASE("append: a snapshot out of bounds is refused") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_many(store, "a", 3);
    const auto refusal = [&](ExpectedVersion expected, const std::string& name) {
      const NewEvent one = event(1);
      return error_of([&] {
        static_cast<void>(store.log().append({.stream = stream("a"),
                                              .expected = expected,
                                              .events = {&one, 1},
                                              .snapshot = StateSnapshot{.name = name, .state = "3"}}));
      });
    };
    CHECK(refusal(ExpectedVersion::any(), "ledger") == ErrorCode::invalid);
    CHECK(refusal(ExpectedVersion::exactly(Version{0}), "ledger") == ErrorCode::invalid);
    CHECK(refusal(ExpectedVersion::exactly(Version{3}), "") == ErrorCode::invalid);
    CHECK(refusal(ExpectedVersion::exactly(Version{3}), "\xff") == ErrorCode::invalid);
    CHECK(refusal(ExpectedVersion::exactly(Version{3}), std::string(snapshot_name_bytes_max + 1, 'x')) ==
          ErrorCode::invalid);
    CHECK(store.log().head() == Position{3});
  }

  TEST_CASE("append: a promised append keeps its snapshot too") {
    const TempDir directory;
    Store store(threaded(directory.file()));
    append_many(store, "a", 3);
    const NewEvent one = event(1);
    static_cast<void>(store.log()
                          .append_async({.stream = stream("a"),
                                         .expected = ExpectedVersion::exactly(Version{3}),
                                         .events = {&one, 1},
                                         .snapshot = StateSnapshot{.name = "ledger", .state = "3"}})
                          .get());
    CHECK(cost(store, 4) == 1);
  }

  TEST_CASE("verify: says nothing of snapshots, sound or not") {
    Kept kept;
    kept.change("UPDATE state_snapshots SET stream = 77, checksum = 0");
    CHECK(kept.store.verify().problems.empty());
  }

  TEST_CASE("backup: takes snapshots along, and an import leaves them out") {
    Kept kept;
    const auto copy = kept.directory.path() / "copy.db";
    REQUIRE(kept.store.backup(copy).has_value());
    Store restored(idle(copy));
    CHECK(cost(restored, 25) == 5);
    const auto other = kept.directory.path() / "other.db";
    Store imported(idle(other));
    imported.log().write([&](AppendTransaction& transaction) {
      kept.store.log().export_events([&](const ExportedEvent& exported) { return transaction.import_event(exported); });
    });
    CHECK(snapshots_in(other) == 0);
    CHECK(cost(imported, 25) == 25);
  }
}
