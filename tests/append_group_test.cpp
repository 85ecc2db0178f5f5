// Tests of appends that share a transaction: those of write(), and those of threads that meet.
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

const NewEvent one = event(1);
const NewEvent thirteen = event(13);

Append to(const std::string& id, const NewEvent& event = one, Projecting projecting = Projecting::asynchronous) {
  return {.stream = stream(id), .expected = ExpectedVersion::any(), .events = {&event, 1}, .projecting = projecting};
}

// Runs `body(number)` on eight threads at once.
template <typename Body>
void on_eight_threads(const Body& body) {
  std::atomic<int> ready = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < 8; ++number) {
    threads.emplace_back([&, number] {
      ++ready;
      while (ready < 8) std::this_thread::yield();
      body(number);
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace

TEST_SUITE("append_group") {
  TEST_CASE("write: several appends are one transaction, and see each other") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    store.log().write([&](AppendTransaction& transaction) {
      static_cast<void>(transaction.append(to("a")));
      static_cast<void>(transaction.append(to("b")));
      CHECK(transaction.read_stream(stream("a")).size() == 1);
      CHECK(store.log().head() == Position{0});
      CHECK(std::get<Appended>(transaction.append(to("a"))).version == Version{2});
    });
    CHECK(store.log().head() == Position{3});
    run_until_idle(store);
    CHECK(total(store) == 3);
  }

  TEST_CASE("write: an exception undoes all of it and is passed on") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    CHECK_THROWS_AS(store.log().write([](AppendTransaction& transaction) {
      static_cast<void>(transaction.append(to("a", one, Projecting::synchronous)));
      throw std::out_of_range("enough");
    }),
                    std::out_of_range);
    CHECK(store.log().head() == Position{0});
    CHECK(total(store) == 0);
    append(store, "a", 4, Projecting::synchronous);
    run_until_idle(store);
    CHECK(total(store) == 4);
  }

  TEST_CASE("write: a conflict leaves the rest as it is") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    store.log().write([](AppendTransaction& transaction) {
      static_cast<void>(transaction.append(to("a")));
      Append stale = to("a");
      stale.expected = ExpectedVersion::none();
      CHECK(std::get<Conflict>(transaction.append(stale)).actual == Version{1});
      static_cast<void>(transaction.append(to("b")));
    });
    CHECK(store.log().head() == Position{2});
  }

  TEST_CASE("write: a request outside its bounds is invalid there, too, and leaves the rest as it is") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    store.log().write([](AppendTransaction& transaction) {
      static_cast<void>(transaction.append(to("a")));
      CHECK(error_of([&] { static_cast<void>(transaction.append(to(""))); }) == ErrorCode::invalid);
    });
    CHECK(store.log().head() == Position{1});
  }

  TEST_CASE("write: a failed append that the body swallows is not committed by halves") {
    const TempDir directory;
    Store store(with_fragile(stepped(directory.file()), on_amount(13)));
    CHECK_THROWS_AS(store.log().write([](AppendTransaction& transaction) {
      try {
        static_cast<void>(transaction.append(to("a", thirteen, Projecting::synchronous)));
      } catch (const Error&) {
        static_cast<void>(transaction.append(to("b")));
      }
    }),
                    Error);
    CHECK(store.log().head() == Position{0});
    CHECK(total(store) == 0);
  }

  TEST_CASE("append_async: each is answered, and recorded in the order in which it was asked for") {
    const TempDir directory;
    Store store(idle(directory.file()));
    std::vector<std::future<AppendResult>> answers;
    for (std::size_t count = 0; count < 2 * appends_in_flight_max; ++count) {
      answers.push_back(store.log().append_async(to(std::to_string(count % 7))));
    }
    std::int64_t position = 0;
    for (auto& answer : answers) CHECK(std::get<Appended>(answer.get()).first.value == ++position);
    CHECK(store.log().head().value == position);
  }

  TEST_CASE("append_async: the request is copied, and a conflict fails only its own append") {
    const TempDir directory;
    Store store(idle(directory.file()));
    std::future<AppendResult> first;
    std::future<AppendResult> second;
    {
      const NewEvent gone = event(5);
      Append request = to("a", gone);
      request.expected = ExpectedVersion::none();
      first = store.log().append_async(request);
      second = store.log().append_async(request);
    }
    CHECK(std::get<Appended>(first.get()).version == Version{1});
    CHECK(std::get<Conflict>(second.get()).actual == Version{1});
    CHECK(store.log().read_all({}, all_events).front().data == event(5).data);
  }

  TEST_CASE("append_async: of the same key in one group the first is recorded, and each is answered by what it says") {
    const TempDir directory;
    Store store(idle(directory.file()));
    std::vector<std::future<AppendResult>> answers;
    for (int count = 0; count < 300; ++count) {
      Append request = to(count % 3 == 2 ? "b" : "a");
      request.command_id = "k";
      request.expected = count % 2 == 0 ? ExpectedVersion::any() : ExpectedVersion::none();
      answers.push_back(store.log().append_async(request));
    }
    for (std::size_t count = 0; count < answers.size(); ++count) {
      const AppendResult answer = answers[count].get();
      if (count % 3 == 2) {
        CHECK(std::get<KeyReused>(answer).stream == stream("a"));
      } else {
        CHECK(std::get<Appended>(answer).duplicate == (count > 0));
      }
    }
    CHECK(store.log().head() == Position{1});
  }

  TEST_CASE("append_async: a request outside its bounds is refused at once, and a closed log answers all") {
    const TempDir directory;
    Store store(idle(directory.file()));
    CHECK(error_of([&] { static_cast<void>(store.log().append_async(to(""))); }) == ErrorCode::invalid);
    std::vector<std::future<AppendResult>> answers;
    for (int count = 0; count < 100; ++count) answers.push_back(store.log().append_async(to("a")));
    store.close();
    for (auto& answer : answers) CHECK(answer.wait_for(0s) == std::future_status::ready);
    CHECK(error_of([&] { static_cast<void>(store.log().append_async(to("a"))); }) == ErrorCode::closed);
  }

  TEST_CASE("append_async: a stepped store commits on the caller's thread") {
    const TempDir directory;
    Store store(stepped(directory.file()));
    auto answer = store.log().append_async(to("a"));
    CHECK(answer.wait_for(0s) == std::future_status::ready);
    CHECK(std::get<Appended>(answer.get()).version == Version{1});
  }

  TEST_CASE("append: threads that wait and threads that do not share the log") {
    const TempDir directory;
    Store store(idle(directory.file()));
    on_eight_threads([&](int number) {
      std::vector<std::future<AppendResult>> answers;
      for (int nth = 0; nth < 40; ++nth) {
        if (number % 2 == 0) {
          static_cast<void>(store.log().append(to(std::to_string(nth % 5))));
        } else {
          answers.push_back(store.log().append_async(to(std::to_string(nth % 5))));
        }
      }
      for (auto& answer : answers) static_cast<void>(answer.get());
    });
    CHECK(store.log().head() == Position{320});
  }

  TEST_CASE("append: of threads that meet each is answered once, and positions have no gaps") {
    const TempDir directory;
    Store store(idle(directory.file()));
    std::vector<std::vector<std::int64_t>> positions(8);
    on_eight_threads([&](int number) {
      for (int nth = 0; nth < 40; ++nth) {
        const auto result = store.log().append(to(std::to_string(nth % 5)));
        positions[static_cast<std::size_t>(number)].push_back(std::get<Appended>(result).first.value);
      }
    });
    std::set<std::int64_t> all;
    for (const auto& own : positions) {
      CHECK(std::is_sorted(own.begin(), own.end()));
      all.insert(own.begin(), own.end());
    }
    CHECK(all.size() == 320);
    CHECK(*all.rbegin() == 320);
    CHECK(store.log().head() == Position{320});
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("append: of threads that decided on the same version exactly one wins") {
    const TempDir directory;
    Store store(idle(directory.file()));
    std::atomic<int> won = 0;
    on_eight_threads([&](int) {
      for (std::int64_t version = 0; version < 20; ++version) {
        Append request = to("a");
        request.expected = ExpectedVersion::exactly(Version{version});
        const auto result = store.log().append(request);
        if (std::holds_alternative<Appended>(result)) {
          ++won;
        } else {
          CHECK(std::get<Conflict>(result).actual > Version{version});
        }
        // Whoever lost goes on where the winner is.
        while (store.log().version(stream("a")) <= Version{version}) std::this_thread::yield();
      }
    });
    CHECK(won == 20);
    CHECK(store.log().version(stream("a")) == Version{20});
  }

  TEST_CASE("append: one that a projection fails on fails alone") {
    const TempDir directory;
    Store store(with_fragile(idle(directory.file()), on_amount(13)));
    std::atomic<int> failed = 0;
    on_eight_threads([&](int number) {
      for (int nth = 0; nth < 20; ++nth) {
        const bool poisonous = number == 0;
        try {
          static_cast<void>(
              store.log().append(to(std::to_string(number), poisonous ? thirteen : one, Projecting::synchronous)));
        } catch (const Error& error) {
          if (poisonous && error.code() == ErrorCode::projection_failed) ++failed;
        }
      }
    });
    CHECK(failed == 20);
    CHECK(store.log().head() == Position{140});
    CHECK(total(store) == 140);
    CHECK(number(store, "SELECT count(*) FROM fragile") == 140);
    CHECK(store.verify().problems.empty());
  }

  TEST_CASE("append: whoever is told of it and throws does not have it recorded twice, and is told of") {
    const TempDir directory;
    std::vector<std::string> notices;
    StoreOptions options = idle(directory.file());
    options.on_trace = [](const Trace&) { throw std::runtime_error("no paper"); };
    options.on_notice = [&](const Notice& notice) { notices.push_back(notice.message); };
    Store store(options);
    append(store, "a", 1);
    store.log().write([](AppendTransaction& transaction) {
      const NewEvent one = event(2);
      static_cast<void>(
          transaction.append({.stream = stream("a"), .expected = ExpectedVersion::any(), .events = {&one, 1}}));
    });
    CHECK(store.log().head() == Position{2});
    REQUIRE(notices.size() == 2);
    CHECK(holds(notices.front(), "no paper"));
  }

  TEST_CASE("write: what the body throws by itself does not close the log") {
    const TempDir directory;
    Store store(idle(directory.file()));
    const auto throws = [](AppendTransaction&) { throw Error(ErrorCode::corrupt, "another file"); };
    CHECK(error_of([&] { store.log().write(throws); }) == ErrorCode::corrupt);
    append(store, "a", 1);
  }

  TEST_CASE("append: two stores on one file take their turns") {
    const TempDir directory;
    Store first(idle(directory.file()));
    Store second(idle(directory.file()));
    on_eight_threads([&](int number) {
      Store& store = number % 2 == 0 ? first : second;
      for (int nth = 0; nth < 10; ++nth) static_cast<void>(store.log().append(to("a")));
    });
    CHECK(first.log().version(stream("a")) == Version{80});
    CHECK(second.log().head() == Position{80});
  }

  TEST_CASE("append: while another process writes for long it is busy, and nothing was recorded") {
    const TempDir directory;
    StoreOptions options = idle(directory.file());
    options.busy_timeout = 1ms;
    Store store(options);
    Store other(options);
    std::atomic<int> busy = 0;
    other.log().write([&](AppendTransaction&) {
      on_eight_threads([&](int) {
        if (error_of([&] { static_cast<void>(store.log().append(to("a"))); }) == ErrorCode::busy) ++busy;
      });
    });
    CHECK(busy == 8);
    CHECK(store.log().head() == Position{0});
    append(store, "a", 1);
  }

  TEST_CASE("append: durability decides what a commit waits for") {
    const TempDir directory;
    sqlite::Connection full({.file = directory.file(), .access = sqlite::Access::create, .sync = sqlite::Sync::full});
    sqlite::Connection normal({.file = directory.file(), .sync = sqlite::Sync::normal});
    CHECK(full.integer("PRAGMA synchronous") == 2);
    CHECK(normal.integer("PRAGMA synchronous") == 1);
  }
}
