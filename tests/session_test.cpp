// Tests of sessions: read your writes, monotonic reads, and the token that carries them on.
#include "freshet/session.hpp"

#include <optional>
#include <thread>

#include "engine_fixture.hpp"
#include "freshet/decider.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

const NewEvent one = event(1);

Append to(const std::string& id) {
  return {.stream = stream(id), .expected = ExpectedVersion::any(), .events = {&one, 1}};
}

Freshness freshness(Session& session, ReadRequest request) {
  return session.read(std::move(request)).freshness();
}

// Of the whole log, at once.
ReadRequest any_list(Duration timeout = 0ms) {
  return {.projections = {"totals"}, .timeout = timeout};
}

ReadRequest any_of(const std::string& id, Duration timeout = 0ms) {
  return {.projections = {"latest"}, .stream = stream(id), .timeout = timeout};
}

}  // namespace

TEST_SUITE("session") {
  TEST_CASE("read: a session that has seen nothing takes whatever there is") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(1h)));
    append(store, "a", 1);
    Session session(store);
    Reading reading = session.read(any_list(1min));
    CHECK(reading.freshness().waited == 0ms);
    CHECK(session.seen() == Position{});
  }

  TEST_CASE("read: it waits for what the session has written, in lists and of one stream") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    Session session(store);
    static_cast<void>(session.log().append(to("a")));
    CHECK(session.seen() == Position{1});
    const Freshness list = freshness(session, any_list(1min));
    CHECK(list.position == Position{1});
    CHECK(list.waited == 50ms);
    static_cast<void>(session.log().append(to("a")));
    const Freshness row = freshness(session, any_of("a", 1min));
    CHECK(row.version == Version{2});
    CHECK_FALSE(row.stale);
  }

  TEST_CASE("read: what others write is not waited for") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    Session session(store);
    static_cast<void>(session.log().append(to("a")));
    CHECK(freshness(session, any_list(1min)).position == Position{1});
    append(store, "b", 1);
    const Freshness list = freshness(session, any_list(1min));
    CHECK(list.position == Position{1});
    CHECK(list.waited == 0ms);
    CHECK_FALSE(list.stale);
  }

  TEST_CASE("read: what was written and is not there in time makes the answer stale, with the reason") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(1h)));
    Session session(store);
    static_cast<void>(session.log().append(to("a")));
    const Reading list = session.read(any_list(10ms));
    CHECK(list.freshness().stale);
    REQUIRE(list.warnings().size() == 1);
    CHECK(list.warnings().front() ==
          "stale: waited 10ms for position 1, which was seen before; the read tables show everything up to position 0");
    ReadRequest request = any_list(10ms);
    request.on_timeout = OnTimeout::error;
    CHECK(error_of([&] { static_cast<void>(session.read(request)); }) == ErrorCode::stale);
  }

  TEST_CASE("read: a later read shows what an earlier one has shown, whichever projection it was of") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    append(store, "a", 5);
    run_until_idle(store);
    Session session(store);
    append(store, "b", 13);
    while (status(store, "totals").position < Position{2} && store.step()) {
    }
    run_until_idle(store);
    static_cast<void>(session.read(any_list()));
    CHECK(session.seen() == Position{2});
  }

  TEST_CASE("newest: an event that has overtaken others counts as shown") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(1h)));
    append(store, "a", 1);
    append(store, "b", 1, Projecting::synchronous);
    Reading list = store.read({.projections = {"totals", "latest"}});
    CHECK(list.freshness().position == Position{0});
    CHECK(list.newest() == Position{2});
    CHECK(store.read(any_of("a")).newest() == Position{0});
    CHECK(store.read(any_of("b")).newest() == Position{2});
    CHECK(store.read(any_of("nobody")).newest() == Position{0});
  }

  TEST_CASE("read: after a row that has overtaken others, a list waits until it has that row") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    append(store, "a", 1);
    append(store, "b", 1, Projecting::synchronous);
    Session session(store);
    static_cast<void>(session.read(any_of("b")));
    CHECK(session.seen() == Position{2});
    CHECK(freshness(session, any_list(1min)).position == Position{2});
  }

  TEST_CASE("read: what the request asks for by itself is waited for as well") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    Session session(store);
    static_cast<void>(session.log().append(to("a")));
    for (int more = 0; more < 3; ++more) append(store, "a", 1);
    ReadRequest request = any_of("a", 1min);
    request.consistency = AtLeastVersion{Version{3}};
    CHECK(freshness(session, request).version >= Version{3});
    append(store, "a", 1);
    ReadRequest strong = any_list(1min);
    strong.consistency = Strong{};
    CHECK(freshness(session, strong).position == Position{5});
  }

  TEST_CASE("read: what was seen is waited for where the request asks for less") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(1h)));
    Session session(store);
    for (int more = 0; more < 3; ++more) static_cast<void>(session.log().append(to("a")));
    for (const Consistency& less : {Consistency{AtLeastVersion{Version{1}}}, Consistency{AtLeastPosition{Position{1}}},
                                    Consistency{MaxStaleness{1h}}}) {
      ReadRequest request = any_of("a", 10ms);
      request.consistency = less;
      const Reading reading = session.read(request);
      CHECK(reading.freshness().stale);
      CHECK(holds(reading.warnings().front(), "which was seen before"));
    }
  }

  TEST_CASE("log: what is read or replayed counts as seen, and so does a repeated command") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(1h)));
    for (const char* id : {"a", "b", "a"}) append(store, id, 1);
    Session replaying(store);
    CHECK(replaying.log().read_stream(stream("b"), Version{}, all_events).size() == 1);
    CHECK(replaying.seen() == Position{2});
    Append keyed = to("c");
    keyed.command_id = "key";
    static_cast<void>(store.log().append(keyed));
    Session retrying(store);
    static_cast<void>(retrying.log().append(keyed));
    CHECK(retrying.seen() == Position{4});
    Session importing(store);
    importing.log().write([](AppendTransaction& transaction) { static_cast<void>(transaction.append(to("d"))); });
    CHECK(importing.seen() == Position{5});
  }

  TEST_CASE("token: another store object on the file goes on where the session was") {
    const TempDir directory;
    std::string token;
    {
      Store store(stepped(directory.file(), delayed(1h)));
      Session session(store);
      static_cast<void>(session.log().append(to("a")));
      token = session.token();
    }
    Store store(stepped(directory.file(), delayed(50ms)));
    Session session(store, token);
    CHECK(session.seen() == Position{1});
    CHECK(session.token() == token);
    CHECK(freshness(session, any_list(1h)).position == Position{1});
  }

  TEST_CASE("token: it is short and good in a URL") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    Session session(store);
    session.note(Position{1'234'567});
    const std::string token = session.token();
    CHECK(token.size() < 40);
    CHECK(token.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz-") == std::string::npos);
    CHECK(is_session_token(token));
  }

  TEST_CASE("token: one that was mistyped anywhere is refused") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    Session session(store);
    session.note(Position{42});
    const std::string token = session.token();
    for (std::size_t index = 0; index < token.size(); ++index) {
      std::string mistyped = token;
      mistyped[index] = token[index] == '7' ? '1' : '7';
      CHECK_FALSE(is_session_token(mistyped));
      CHECK_FALSE(is_session_token(token.substr(0, index)));
    }
    CHECK_FALSE(is_session_token(" " + token));
    CHECK_FALSE(is_session_token(token + "0"));
    CHECK(message_of([&] { const Session refused(store, "abc"); }) ==
          "'abc' is no session token: it has to be copied to the letter");
  }

  TEST_CASE("log: what a conflict, a version and a head tell of is seen") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(50ms)));
    for (const char* id : {"a", "a", "b"}) append(store, id, 1);
    Session told_by_conflict(store);
    Append request = to("a");
    request.expected = ExpectedVersion::exactly(Version{1});
    CHECK(std::holds_alternative<Conflict>(told_by_conflict.log().append(request)));
    CHECK(freshness(told_by_conflict, any_of("a", 1min)).version == Version{2});
    append(store, "a", 1);
    Session told_by_version(store);
    CHECK(told_by_version.log().version(stream("a")) == Version{3});
    CHECK(freshness(told_by_version, any_of("a", 1min)).version == Version{3});
    append(store, "b", 1);
    Session told_by_head(store);
    CHECK(told_by_head.log().head() == Position{5});
    CHECK(freshness(told_by_head, any_list(1min)).position == Position{5});
  }

  TEST_CASE("log: what is not there yet is nothing that was seen") {
    const TempDir directory;
    Store store(stepped(directory.file(), delayed(1h)));
    append(store, "a", 1);
    Session session(store);
    CHECK(session.log().version(stream("none")) == Version{});
    Append request = to("none");
    request.expected = ExpectedVersion::exactly(Version{1});
    CHECK(std::holds_alternative<Conflict>(session.log().append(request)));
    CHECK(session.seen() == Position{});
  }

  TEST_CASE("read: a rebuild does not take a session back") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    Session session(store);
    static_cast<void>(session.log().append(to("a")));
    run_until_idle(store);
    CHECK(freshness(session, any_list()).position == Position{1});
    CHECK(store.rebuild("totals", [&](std::int64_t, std::int64_t) {
      CHECK_FALSE(freshness(session, any_list()).stale);
      CHECK(session.seen() == Position{1});
      return true;
    }));
    CHECK(freshness(session, any_list()).position == Position{1});
  }

  TEST_CASE("token: one of another store is refused at once") {
    const TempDir directory;
    const TempDir elsewhere;
    Store store(stepped(directory.file()));
    Store other(stepped(elsewhere.file()));
    const std::string token = Session(other).token();
    CHECK(error_of([&] { const Session refused(store, token); }) == ErrorCode::foreign_session);
  }

  TEST_CASE("token: one from before the epoch changed is refused") {
    const TempDir directory;
    std::string token;
    {
      Store store(stepped(directory.file()));
      token = Session(store).token();
    }
    connect(directory.file()).execute("UPDATE store SET epoch = '0123456789abcdef'");
    Store store(stepped(directory.file()));
    CHECK(store.identity().epoch == "0123456789abcdef");
    CHECK(holds(message_of([&] { const Session refused(store, token); }), "before a backup was restored"));
  }

  TEST_CASE("token: a position that the log does not hold yet is waited for, and the warning says so") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    Session ahead(store);
    ahead.note(Position{9});
    Session session(store, ahead.token());
    Reading reading = session.read(any_list(10ms));
    CHECK(reading.freshness().stale);
    CHECK(holds(reading.warnings().front(), "the log itself holds no position 9 yet (its last is 0)"));
  }

  TEST_CASE("note: the highest position of all threads stays") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    Session session(store);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&session, thread] {
        for (int position = 0; position < 1'000; ++position) session.note(Position{position * 4 + thread});
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(session.seen() == Position{3'999});
  }
}
