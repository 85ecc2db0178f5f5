// Tests of rows that were made by other rules than those of the store that reads them.
#include <doctest/doctest.h>

#include "engine_fixture.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::tests;

namespace {

// More than fit into one batch of a rebuild.
constexpr std::size_t many = 2'500;

StoreOptions with_rules(const std::filesystem::path& file, int schema_version) {
  StoreOptions options = stepped(file);
  options.projections.front() = std::make_shared<Totals>(schema_version);
  return options;
}

// A store with `many` events of the amount 1, all applied by rules of schema version 1.
void fill(const std::filesystem::path& file) {
  Store store(stepped(file));
  append_many(store, "a", many);
  run_until_idle(store);
}

}  // namespace

TEST_SUITE("rebuild_rules") {
  TEST_CASE("read: rows of older rules are stale, and say so, until they are made again") {
    const TempDir directory;
    fill(directory.file());
    Store store(with_rules(directory.file(), 2));
    ReadRequest request{.projections = {"totals"}};
    for (const Consistency& consistency : {Consistency{Eventual{}}, Consistency{Strong{}}}) {
      request.consistency = consistency;
      const Reading reading = store.read(request);
      CHECK(reading.freshness().stale);
      CHECK(reading.freshness().waited == 0ms);
      REQUIRE(reading.warnings().size() == 1);
      CHECK(reading.warnings().front() ==
            "stale: the rows of the projection 'totals' are of its schema version 1, which "
            "is to be replaced by version 2");
    }
    request.on_timeout = OnTimeout::error;
    CHECK(error_of([&] { static_cast<void>(store.read(request)); }) == ErrorCode::stale);
    request.on_timeout = OnTimeout::replay;
    CHECK(store.read(request).must_replay());
    CHECK_FALSE(store.read({.projections = {"latest"}}).freshness().stale);
    run_until_idle(store);
    const Reading reading = store.read(request);
    CHECK_FALSE(reading.freshness().stale);
    CHECK(reading.warnings().empty());
  }

  TEST_CASE("read: an old release says that it shows the rows of a newer one") {
    const TempDir directory;
    Store old(with_rules(directory.file(), 1));
    append(old, "a", 1);
    run_until_idle(old);
    StoreOptions options = with_rules(directory.file(), 2);
    options.engine = Engine::off;
    Store newer(options);
    CHECK(newer.rebuild("totals"));
    const Reading reading = old.read({.projections = {"totals"}, .consistency = Strong{}});
    CHECK_FALSE(reading.freshness().stale);
    REQUIRE(reading.warnings().size() == 1);
    CHECK(reading.warnings().front() ==
          "the rows of the projection 'totals' are of its schema version 2, which a newer "
          "release has made; this one has version 1");
    CHECK(newer.read({.projections = {"totals"}}).warnings().empty());
  }

  TEST_CASE("open: new tables that cannot be made yet are made from the beginning once they can") {
    const TempDir directory;
    fill(directory.file());
    class Waiting final : public Totals {
     public:
      explicit Waiting(int times) : Totals(2), times_(times) {}
      void create(Tables& tables) const override {
        if (times_-- > 0) throw Error(ErrorCode::busy, "not yet");
        Totals::create(tables);
      }

     private:
      mutable int times_;
    };
    StoreOptions options = stepped(directory.file());
    options.projections.front() = std::make_shared<Waiting>(2);
    Store store(std::move(options));
    CHECK(store.drain());
    CHECK(store.dead_letters().empty());
    CHECK(total(store) == 10 * std::int64_t{many});
  }
}
