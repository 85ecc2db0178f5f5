// Freshet as a side of a contest: a store, and the work that it is given.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "base/ensure.hpp"
#include "bench/workload.hpp"
#include "freshet/store.hpp"
#include "orders/orders.hpp"

namespace freshet::bench {

[[nodiscard]] inline Append append_of(const Supplied& supplied) {
  return {.stream = supplied.stream,
          .expected = ExpectedVersion::exactly(Version{supplied.version - 1}),
          .events = std::span(&supplied.planned->event, 1)};
}

inline void require_appended(const AppendResult& result) {
  ensure(std::holds_alternative<Appended>(result), "the work holds no conflicts");
}

inline void append_next(EventLog& log, Supply& supply) {
  const Supplied supplied = supply.next();
  require_appended(log.append(append_of(supplied)));
}

// One transaction of this many appends.
inline void append_batch(EventLog& log, Supply& supply, std::size_t appends) {
  log.write([&](AppendTransaction& transaction) {
    for (std::size_t count = 0; count < appends; ++count) {
      const Supplied supplied = supply.next();
      require_appended(transaction.append(append_of(supplied)));
    }
  });
}

[[nodiscard]] inline StoreOptions store_options(const std::filesystem::path& file, Engine engine) {
  return {.file = file, .engine = engine, .projections = orders::projections()};
}

// Fills a log with the first events of the workload. Its projections are registered and have applied nothing.
inline void fill_log(const std::filesystem::path& file, const Workload& workload, std::size_t events) {
  constexpr std::size_t batch_events = 1'000;
  Store store(store_options(file, Engine::off));
  Supply supply(workload, "-");
  for (std::size_t done = 0; done < events; done += batch_events) {
    append_batch(store.log(), supply, std::min(batch_events, events - done));
  }
  store.close();
}

inline void project_all(const std::filesystem::path& file) {
  Store store(store_options(file, Engine::threads));
  ensure(store.drain(), "the projector catches up");
  store.close();
}

}  // namespace freshet::bench
