// Tests of the event log: appends, expected versions, command ids, bounds, transactions and groups.
#include "freshet/event_log.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <set>
#include <thread>

#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

const NewEvent one = event(1);

Append to(const std::string& id, ExpectedVersion expected = ExpectedVersion::any(),
          std::span<const NewEvent> events = {&one, 1}) {
  return {.stream = stream(id), .expected = expected, .events = events};
}

Append keyed(Append request, const std::string& command_id, const std::string& outcome = {}) {
  request.command_id = command_id;
  request.outcome = outcome;
  return request;
}

Appended appended(const AppendResult& result) {
  REQUIRE(std::holds_alternative<Appended>(result));
  return std::get<Appended>(result);
}

Version conflict(const AppendResult& result) {
  REQUIRE(std::holds_alternative<Conflict>(result));
  return std::get<Conflict>(result).actual;
}

// What the first one with its id was answered.
template <typename Log>
std::optional<AppendResult> find(Log& log, const Append& request) {
  return log.find_command(*request.command_id, request.stream, identity_of(request));
}

KeyReused reused(const AppendResult& result) {
  REQUIRE(std::holds_alternative<KeyReused>(result));
  return std::get<KeyReused>(result);
}

ErrorCode refusal(EventLog& log, const Append& request) {
  return error_of([&] { static_cast<void>(log.append(request)); });
}

// Time as an operator sets it.
class SetClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return {}; }
  [[nodiscard]] Timestamp wall_time() const override { return wall; }
  void sleep_until(Instant) override {}
  void wait_until(std::condition_variable&, std::unique_lock<std::mutex>&, Instant) override {}

  Timestamp wall{100s};
};

}  // namespace

TEST_SUITE("event_log") {
  TEST_CASE("append: gives positions in the log and versions in the stream, from 1") {
    const TempDir directory;
    Store store(idle(directory.file()));
    const Appended first = appended(store.log().append(to("a")));
    CHECK(first.stream == stream("a"));
    CHECK(first.first == Position{1});
    CHECK(first.last == Position{1});
    CHECK(first.version == Version{1});
    CHECK_FALSE(first.duplicate);
    static_cast<void>(store.log().append(to("b")));
    const auto three = events(3);
    const Appended more = appended(store.log().append(to("a", ExpectedVersion::any(), three)));
    CHECK(more.first == Position{3});
    CHECK(more.last == Position{5});
    CHECK(more.version == Version{4});
    CHECK(store.log().head() == Position{5});
    CHECK(store.log().version(stream("a")) == Version{4});
    CHECK(store.log().version(stream("c")) == Version{0});
  }

  TEST_CASE("append: any admits whatever is there") {
    const TempDir directory;
    Store store(idle(directory.file()));
    CHECK(appended(store.log().append(to("a"))).version == Version{1});
    CHECK(appended(store.log().append(to("a"))).version == Version{2});
  }

  TEST_CASE("append: none admits only a stream that does not exist") {
    const TempDir directory;
    Store store(idle(directory.file()));
    CHECK(appended(store.log().append(to("a", ExpectedVersion::none()))).version == Version{1});
    CHECK(conflict(store.log().append(to("a", ExpectedVersion::none()))) == Version{1});
  }

  TEST_CASE("append: exists admits only a stream that has events") {
    const TempDir directory;
    Store store(idle(directory.file()));
    CHECK(conflict(store.log().append(to("a", ExpectedVersion::exists()))) == Version{0});
    static_cast<void>(store.log().append(to("a")));
    CHECK(appended(store.log().append(to("a", ExpectedVersion::exists()))).version == Version{2});
  }

  TEST_CASE("append: a stale expected version is a conflict that tells the actual one, and records nothing") {
    const TempDir directory;
    Store store(idle(directory.file()));
    static_cast<void>(store.log().append(to("a")));
    static_cast<void>(store.log().append(to("a", ExpectedVersion::exactly(Version{1}))));
    CHECK(conflict(store.log().append(to("a", ExpectedVersion::exactly(Version{1})))) == Version{2});
    CHECK(conflict(store.log().append(to("a", ExpectedVersion::exactly(Version{3})))) == Version{2});
    CHECK(conflict(store.log().append(to("b", ExpectedVersion::exactly(Version{1})))) == Version{0});
    CHECK(store.log().head() == Position{2});
    CHECK(appended(store.log().append(to("b", ExpectedVersion::exactly(Version{0})))).first == Position{3});
  }

  TEST_CASE("append: a conflict leaves its command id free for the next try") {
    const TempDir directory;
    Store store(idle(directory.file()));
    static_cast<void>(conflict(store.log().append(keyed(to("a", ExpectedVersion::exists()), "k"))));
    CHECK_FALSE(find(store.log(), keyed(to("a"), "k")));
    CHECK_FALSE(appended(store.log().append(keyed(to("a"), "k"))).duplicate);
  }

  TEST_CASE("append: a command id makes a retry the first answer, whatever it expects and notes") {
    const TempDir directory;
    Store store(idle(directory.file()));
    const auto two = events(2);
    static_cast<void>(store.log().append(keyed(to("a", ExpectedVersion::any(), two), "k", "done")));
    static_cast<void>(store.log().append(to("a")));
    Append request = keyed(to("a", ExpectedVersion::none(), two), "k", "other");
    request.projecting = Projecting::synchronous;
    const Appended retry = appended(store.log().append(request));
    CHECK(retry.duplicate);
    CHECK(retry.stream == stream("a"));
    CHECK(retry.first == Position{1});
    CHECK(retry.last == Position{2});
    CHECK(retry.version == Version{2});
    CHECK(retry.outcome == "done");
    CHECK(store.log().head() == Position{3});
  }

  TEST_CASE("append: whatever an event says otherwise makes another command of a command id") {
    const TempDir directory;
    StoreOptions options = idle(directory.file());
    options.forms.of_others = any_form;
    Store store(std::move(options));
    const NewEvent first{.type = "Noted", .data = "1", .metadata = "{}"};
    const auto append = [&](const NewEvent& event, const std::string& id = "a") {
      return store.log().append(keyed(to(id, ExpectedVersion::any(), {&event, 1}), "k"));
    };
    static_cast<void>(appended(append(first)));
    const std::vector<std::function<void(NewEvent&)>> differences = {
        [](NewEvent& event) { event.type = "Told"; },
        [](NewEvent& event) { event.schema_version = 2; },
        [](NewEvent& event) { event.data = "2"; },
        [](NewEvent& event) { event.content_type = "text/plain"; },
        [](NewEvent& event) { event.metadata = "{ }"; },
        [](NewEvent& event) { event.metadata = ""; },
        [](NewEvent& event) { event.occurred_at = Timestamp{5s}; }};
    for (const auto& differ : differences) {
      NewEvent other = first;
      differ(other);
      const KeyReused answer = reused(append(other));
      CHECK(answer.stream == stream("a"));
      CHECK(answer.command.empty());
    }
    CHECK(reused(append(first, "b")).stream == stream("a"));
    CHECK(appended(append(first)).duplicate);
    CHECK(store.log().head() == Position{1});
    CHECK(store.log().version(stream("b")) == Version{0});
  }

  TEST_CASE("append: more events, fewer, in another order or of another correlation are another command") {
    const TempDir directory;
    Store store(idle(directory.file()));
    const std::vector<NewEvent> given = {event(1), event(2), event(3)};
    const std::vector<NewEvent> turned = {event(2), event(1)};
    const std::span<const NewEvent> all(given);
    const auto append = [&](std::span<const NewEvent> some) {
      return store.log().append(keyed(to("a", ExpectedVersion::any(), some), "k"));
    };
    static_cast<void>(appended(append(all.first(2))));
    for (const auto& other : {all, all.first(1), all.first(0), std::span<const NewEvent>(turned)}) {
      CHECK(reused(append(other)).stream == stream("a"));
    }
    Append correlated = keyed(to("a", ExpectedVersion::any(), all.first(2)), "k");
    correlated.correlation = Correlation{"click", "7"};
    static_cast<void>(reused(store.log().append(correlated)));
    CHECK(appended(append(all.first(2))).duplicate);
    CHECK(store.log().head() == Position{2});
  }

  TEST_CASE("append: a command that names itself is known by that and its arguments, whatever the events") {
    const TempDir directory;
    const auto two = events(2);
    const auto named = [](Append request, const std::string& name, int argument) {
      request.identity = CommandIdentity(name).add(argument);
      return keyed(request, "k", "done");
    };
    {
      Store store(idle(directory.file()));
      static_cast<void>(appended(store.log().append(named(to("a"), "open", 7))));
    }
    Store store(idle(directory.file()));
    const Appended retry = appended(store.log().append(named(to("a", ExpectedVersion::any(), two), "open", 7)));
    CHECK(retry.duplicate);
    CHECK(retry.outcome == "done");
    CHECK(appended(store.log().append(named(to("a", ExpectedVersion::any(), {}), "open", 7))).duplicate);
    CHECK(reused(store.log().append(named(to("a"), "open", 8))).command == "open");
    CHECK(reused(store.log().append(named(to("a"), "close", 7))).command == "open");
    CHECK(reused(store.log().append(named(to("b"), "open", 7))).stream == stream("a"));
    CHECK(reused(store.log().append(keyed(to("a"), "k"))).command == "open");
    CHECK(store.log().head() == Position{1});
  }

  TEST_CASE("append: a key that is used again is told before a stream is compared with what is expected of it") {
    const TempDir directory;
    Store store(idle(directory.file()));
    static_cast<void>(store.log().append(keyed(to("a"), "k")));
    CHECK(reused(store.log().append(keyed(to("b", ExpectedVersion::exists()), "k"))).stream == stream("a"));
    CHECK(reused(store.log().append(keyed(to("a", ExpectedVersion::none(), {}), "k"))).stream == stream("a"));
  }

  TEST_CASE("append: a stream whose name is made up is no argument, and one that is given is") {
    const TempDir directory;
    Store store(idle(directory.file()));
    const auto made_up = [](const std::string& id, int argument) {
      Append request = keyed(to(id, ExpectedVersion::none()), "k");
      request.identity = CommandIdentity("open").add(argument).make_up_stream();
      return request;
    };
    Append given = made_up("a", 7);
    given.identity = CommandIdentity("open").add(7);
    static_cast<void>(appended(store.log().append(made_up("a", 7))));
    const Appended retry = appended(store.log().append(made_up("b", 7)));
    CHECK(retry.duplicate);
    CHECK(retry.stream == stream("a"));
    static_cast<void>(reused(store.log().append(made_up("b", 8))));
    static_cast<void>(reused(store.log().append(given)));
    CHECK(store.log().head() == Position{1});
  }

  TEST_CASE("append: a command id is known after a restart") {
    const TempDir directory;
    {
      Store store(idle(directory.file()));
      static_cast<void>(store.log().append(keyed(to("a"), "k", "done")));
    }
    Store store(idle(directory.file()));
    CHECK(appended(store.log().append(keyed(to("a"), "k"))).outcome == "done");
    CHECK(appended(find(store.log(), keyed(to("a"), "k")).value()).last == Position{1});
    CHECK(reused(find(store.log(), keyed(to("b"), "k")).value()).stream == stream("a"));
    CHECK(store.log().head() == Position{1});
  }

  TEST_CASE("append: a refusal without events is remembered, before there is a stream and after") {
    const TempDir directory;
    {
      Store store(idle(directory.file()));
      static_cast<void>(store.log().append(keyed(to("x/y", ExpectedVersion::none(), {}), "k", "no")));
      CHECK(store.log().head() == Position{0});
      static_cast<void>(store.log().append(to("a")));
      static_cast<void>(store.log().append(keyed(to("a", ExpectedVersion::any(), {}), "l", "never")));
    }
    Store store(idle(directory.file()));
    const Appended first = appended(store.log().append(keyed(to("x/y", ExpectedVersion::none(), {}), "k")));
    CHECK(first.duplicate);
    CHECK(first.stream == stream("x/y"));
    CHECK(first.first == Position{0});
    CHECK(first.version == Version{0});
    CHECK(first.outcome == "no");
    const Append refused = keyed(to("a", ExpectedVersion::any(), {}), "l");
    const Appended second = appended(find(store.log(), refused).value());
    CHECK(second.stream == stream("a"));
    CHECK(second.version == Version{1});
    CHECK(store.log().version(stream("x/y")) == Version{0});
  }

  TEST_CASE("append: two of the same command id in one transaction are one") {
    const TempDir directory;
    Store store(idle(directory.file()));
    store.log().write([](AppendTransaction& transaction) {
      CHECK_FALSE(appended(transaction.append(keyed(to("a"), "k"))).duplicate);
      CHECK(appended(transaction.append(keyed(to("a"), "k"))).duplicate);
      CHECK(reused(transaction.append(keyed(to("b"), "k"))).stream == stream("a"));
      CHECK(appended(find(transaction, keyed(to("a"), "k")).value()).duplicate);
      CHECK(reused(find(transaction, keyed(to("b"), "k")).value()).stream == stream("a"));
    });
    CHECK(store.log().head() == Position{1});
  }

  TEST_CASE("append: what an event says comes back as it was given") {
    const TempDir directory;
    const StoreOptions options = idle(directory.file());
    Store store(options);
    const std::string bytes("\0\xff\x01", 3);
    const std::vector<NewEvent> given = {
        {.type = "Ä", .data = R"({"a": "\u0000 ß"})", .metadata = R"({"by": "me"})", .occurred_at = Timestamp{-5us}},
        {.type = "Bytes", .data = bytes, .content_type = "application/octet-stream"},
        {.type = "Empty", .data = ""}};
    static_cast<void>(store.log().append(to("a", ExpectedVersion::any(), given)));
    const auto read = store.log().read_stream(stream("a"), Version{}, all_events);
    REQUIRE(read.size() == 3);
    CHECK(read[0].type == given[0].type);
    CHECK(read[0].data == given[0].data);
    CHECK(read[0].metadata == given[0].metadata);
    CHECK(read[0].content_type == "application/json");
    CHECK(read[0].occurred_at == Timestamp{-5us});
    CHECK(read[1].data == bytes);
    CHECK(read[1].content_type == "application/octet-stream");
    CHECK(read[1].occurred_at == options.clock->wall_time());
    CHECK(read[1].recorded_at == options.clock->wall_time());
    CHECK(read[2].data.empty());
  }

  TEST_CASE("append: a limit can be reached") {
    const TempDir directory;
    Store store(idle(directory.file()));
    const auto most = events(append_events_max);
    const std::string longest(stream_part_bytes_max, 'x');
    CHECK(appended(store.log().append(to("a", ExpectedVersion::any(), most))).version.value == 1'000);
    CHECK(appended(store.log().append(keyed(to(longest), std::string(command_id_bytes_max, 'k')))).version.value == 1);
    const NewEvent large{.type = std::string(event_type_bytes_max, 't'),
                         .data = std::string(event_data_bytes_max, 'd')};
    CHECK(appended(store.log().append(to("b", ExpectedVersion::any(), {&large, 1}))).version.value == 1);
  }

  TEST_CASE("append: beyond a limit it is invalid, and nothing is recorded") {
    const TempDir directory;
    Store store(idle(directory.file()));
    EventLog& log = store.log();
    const auto too_many = events(append_events_max + 1);
    CHECK(refusal(log, to("a", ExpectedVersion::any(), too_many)) == ErrorCode::invalid);
    CHECK(refusal(log, to("a", ExpectedVersion::any(), {})) == ErrorCode::invalid);
    CHECK(refusal(log, to("")) == ErrorCode::invalid);
    CHECK(refusal(log, to(std::string(stream_part_bytes_max + 1, 'x'))) == ErrorCode::invalid);
    CHECK(refusal(log, to("\xff")) == ErrorCode::invalid);
    CHECK(refusal(log, keyed(to("a"), "")) == ErrorCode::invalid);
    CHECK(refusal(log, keyed(to("a"), std::string(command_id_bytes_max + 1, 'k'))) == ErrorCode::invalid);
    Append slash = to("a");
    slash.stream.category = "a/b";
    CHECK(refusal(log, slash) == ErrorCode::invalid);
    slash.stream.category = "";
    CHECK(refusal(log, slash) == ErrorCode::invalid);
    CHECK(log.head() == Position{0});
  }

  TEST_CASE("append: an event outside its bounds is invalid, and none of its append is recorded") {
    const TempDir directory;
    Store store(idle(directory.file()));
    for (const NewEvent& wrong :
         {NewEvent{.type = "", .data = "1"}, NewEvent{.type = std::string(event_type_bytes_max + 1, 't'), .data = "1"},
          NewEvent{.type = "T", .data = "\xff"},
          NewEvent{.type = "T", .data = std::string(event_data_bytes_max + 1, 'd')},
          NewEvent{.type = "T", .data = "1", .metadata = "\xff"},
          NewEvent{.type = "T", .data = "1", .content_type = ""},
          NewEvent{.type = "T", .data = "1", .occurred_at = Timestamp::min()},
          NewEvent{.type = "T", .data = "1", .occurred_at = Timestamp::max()}}) {
      const std::vector<NewEvent> pair = {one, wrong};
      CHECK(refusal(store.log(), to("a", ExpectedVersion::any(), pair)) == ErrorCode::invalid);
    }
    CHECK(store.log().head() == Position{0});
  }

  TEST_CASE("append: the times of recording do not go back when the system's clock does") {
    const TempDir directory;
    const auto clock = std::make_shared<SetClock>();
    StoreOptions options = idle(directory.file());
    options.clock = clock;
    std::vector<Timestamp> recorded;
    for (const auto wall : {100s, 200s, 50s, 300s}) {
      Store store(options);
      clock->wall = Timestamp{wall};
      append(store, "a", 1);
      recorded.push_back(store.log().read_all(Position{}, all_events).back().recorded_at);
    }
    CHECK(recorded == std::vector<Timestamp>{Timestamp{100s}, Timestamp{200s}, Timestamp{200s}, Timestamp{300s}});
  }

  TEST_CASE("read_all: up to so many above a position, in order") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append_many(store, "a", 3);
    append_many(store, "b", 2);
    const auto middle = store.log().read_all(Position{1}, 3);
    REQUIRE(middle.size() == 3);
    CHECK(middle.front().position == Position{2});
    CHECK(middle.back().position == Position{4});
    CHECK(middle.back().stream == stream("b"));
    CHECK(store.log().read_all(Position{5}, all_events).empty());
    CHECK(store.log().read_all(Position{9}, all_events).empty());
    CHECK(store.log().read_all(Position{}, 0).empty());
    CHECK(store.log().read_all(Position{}, all_events).size() == 5);
  }

  TEST_CASE("read_stream: up to so many above a version, in order") {
    const TempDir directory;
    Store store(idle(directory.file()));
    for (int value = 1; value <= 6; ++value) append(store, value % 2 == 0 ? "even" : "odd", value);
    const auto some = store.log().read_stream(stream("even"), Version{1}, 1);
    REQUIRE(some.size() == 1);
    CHECK(some.front().version == Version{2});
    CHECK(some.front().data == "4");
    CHECK(store.log().read_stream(stream("odd"), Version{}, all_events).size() == 3);
    CHECK(store.log().read_stream(stream("odd"), Version{3}, all_events).empty());
    CHECK(store.log().read_stream(stream("nobody"), Version{}, all_events).empty());
  }

  TEST_CASE("close: every later append throws closed") {
    const TempDir directory;
    Store store(idle(directory.file()));
    append(store, "a", 1);
    store.close();
    CHECK(refusal(store.log(), to("a")) == ErrorCode::closed);
    CHECK(error_of([&] { store.log().write([](AppendTransaction&) {}); }) == ErrorCode::closed);
  }

  TEST_CASE("append: after one that the disk refused, every append throws closed until the store is opened again") {
    const TempDir directory;
    {
      Store store(idle(directory.file()));
      append(store, "a", 1);
      rlimit before{};
      getrlimit(RLIMIT_FSIZE, &before);
      const auto handler = std::signal(SIGXFSZ, SIG_IGN);
      const rlimit small{std::filesystem::file_size(directory.file().string() + "-wal"), before.rlim_max};
      setrlimit(RLIMIT_FSIZE, &small);
      const ErrorCode refused = refusal(store.log(), to("a"));
      setrlimit(RLIMIT_FSIZE, &before);
      std::signal(SIGXFSZ, handler);
      CHECK((refused == ErrorCode::disk_full || refused == ErrorCode::io));
      CHECK(refusal(store.log(), to("a")) == ErrorCode::closed);
    }
    Store store(idle(directory.file()));
    CHECK(store.log().head() == Position{1});
    CHECK(append(store, "a", 1).version == Version{2});
  }
}
