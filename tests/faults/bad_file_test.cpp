// Tests of damaged files: bits, pages and lengths that are not what was written. Every answer is the
// undamaged one or an Error, and where it is not, verification says that the file is damaged.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <random>

#include "engine_fixture.hpp"
#include "faults/choice.hpp"
#include "faults/disk.hpp"
#include "orders/orders.hpp"

using namespace std::chrono_literals;
using namespace freshet;
using namespace freshet::faults;
using namespace freshet::tests;

namespace {

constexpr std::size_t page_bytes = 4'096;
constexpr int orders_max = 150;

struct Seen {
  int files = 0;
  int refused = 0;   // Not opened.
  int errors = 0;    // Opened, and some answer was an Error.
  int verified = 0;  // Every answer was right or missing, and verification named the damage.
  int shorter = 0;   // The last events were missing.
  int misnamed = 0;  // Some error was `invalid`: a name in a read table's schema is damaged.
  int harmless = 0;  // Every answer was right, and verification found nothing.
  std::map<std::string, int> codes;
};

// A file and its write-ahead log.
struct Image {
  std::string file;
  std::string log;
};

// What the store answers, in one text each.
std::string row_text(const orders::OrderView& view) {
  return view.order_id + ' ' + std::to_string(view.version.value) + ' ' + view.order.customer;
}

class BadFiles {
 public:
  BadFiles() {
    // Freshet looks whether a file is there before SQLite opens it; what is in it, the disk holds.
    std::ofstream(directory_.file()) << "in memory";
    Disk disk;
    {
      Store store(options(OpenMode::create));
      fill(store);
      // Part of it is in the file and the rest in the write-ahead log.
      with_log_ = {disk.bytes(name()), disk.bytes(name() + "-wal")};
      events_ = store.log().read_all(Position{}, all_events);
      rows_ = rows(store);
    }
    folded_ = {disk.bytes(name()), ""};
  }

  [[nodiscard]] const Image& folded() const { return folded_; }
  [[nodiscard]] const Image& with_log() const { return with_log_; }

  // Opens the image and asks everything. A lost log may take a suffix of the events with it.
  enum class Suffix { must_be_there, may_be_missing };
  void ask(const Image& image, Suffix suffix, Seen& seen) {
    Disk disk;
    disk.put(name(), image.file);
    if (!image.log.empty()) disk.put(name() + "-wal", image.log);
    ++seen.files;
    differs_ = failed_ = misnamed_ = false;
    std::optional<Store> store;
    attempt(seen, [&] { store.emplace(options(OpenMode::existing)); });
    if (!store) {
      ++seen.refused;
      return;
    }
    bool damage_is_named = false;
    attempt(seen, [&] { damage_is_named = !store->verify().problems.empty(); });
    damage_is_named = damage_is_named || failed_;
    ask_log(*store, seen);
    if (suffix == Suffix::may_be_missing) seen.shorter += std::exchange(differs_, false);
    ask_tables(*store, suffix, seen);
    use(*store, seen);
    if (differs_ || misnamed_) REQUIRE(damage_is_named);
    seen.misnamed += misnamed_;
    ++(failed_ ? seen.errors : damage_is_named ? seen.verified : seen.harmless);
  }

 private:
  [[nodiscard]] std::string name() const { return directory_.file().string(); }

  [[nodiscard]] StoreOptions options(OpenMode mode) const {
    StoreOptions options = stepped(directory_.file());
    options.mode = mode;
    options.projections = orders::projections();
    return options;
  }

  void fill(Store& store) {
    orders::Orders orders(store);
    for (int number = 0; number < orders_max; ++number) {
      const std::string id = "order-" + std::to_string(number);
      const ExecuteOptions keyed{.idempotency_key = "key-" + id};
      static_cast<void>(orders.execute(
          id, {orders::Place{"customer-" + std::to_string(number % 7), "EUR", {{"book", 2, 4'999}}, 350}, {}}, keyed));
      if (number % 2 == 0) static_cast<void>(orders.execute(id, {orders::Pay{}, {}}, {}));
      if (number % 4 == 0) static_cast<void>(orders.execute(id, {orders::Ship{}, {}}, {}));
      if (number == 100) {
        run_until_idle(store);
        connect(directory_.file()).execute("PRAGMA wal_checkpoint(RESTART)");
      }
    }
    run_until_idle(store);
  }

  static std::vector<std::string> rows(Store& store) {
    std::vector<std::string> texts;
    for (const auto& view : orders::Orders(store).list({.limit = orders::list_limit_max}).value.orders) {
      texts.push_back(row_text(view));
    }
    return texts;
  }

  // An Error is an answer, if it says the right thing.
  template <typename Body>
  void attempt(Seen& seen, const Body& body) {
    try {
      body();
    } catch (const Error& error) {
      failed_ = true;
      ++seen.codes[name_of(error)];
      const std::string what = name_of(error) + ": " + error.what();
      INFO("the error: " << what);
      const ErrorCode code = error.code();
      const bool fits = code == ErrorCode::corrupt || code == ErrorCode::not_a_database ||
                        code == ErrorCode::unsupported_format || code == ErrorCode::closed ||
                        code == ErrorCode::projection_failed || code == ErrorCode::invalid;
      misnamed_ = misnamed_ || code == ErrorCode::invalid;
      REQUIRE(fits);
    }
  }

  static std::string name_of(const Error& error) { return freshet::name(error.code()); }

  void compare(const RecordedEvent& event, std::int64_t position) {
    REQUIRE(event.position.value == position);
    REQUIRE(position <= static_cast<std::int64_t>(events_.size()));
    const RecordedEvent& truth = events_[static_cast<std::size_t>(position - 1)];
    REQUIRE(event.stream == truth.stream);
    REQUIRE(event.version == truth.version);
    REQUIRE(event.type == truth.type);
    REQUIRE(event.data == truth.data);
    REQUIRE(event.recorded_at == truth.recorded_at);
  }

  void ask_log(Store& store, Seen& seen) {
    attempt(seen, [&] {
      std::int64_t position = 0;
      for (const RecordedEvent& event : store.log().read_all(Position{}, all_events)) compare(event, ++position);
      if (position != static_cast<std::int64_t>(events_.size())) differs_ = true;
    });
    for (int number = 0; number < orders_max; number += 10) {
      const StreamId stream = orders::stream_of("order-" + std::to_string(number));
      attempt(seen, [&] {
        const auto events = store.log().read_stream(stream, Version{}, all_events);
        for (const RecordedEvent& event : events) compare(event, event.position.value);
        const auto truth =
            std::count_if(events_.begin(), events_.end(), [&](const auto& event) { return event.stream == stream; });
        if (truth != static_cast<std::ptrdiff_t>(events.size())) differs_ = true;
      });
    }
  }

  void ask_tables(Store& store, Suffix suffix, Seen& seen) {
    attempt(seen, [&] {
      if (rows(store) != rows_ && suffix == Suffix::must_be_there) differs_ = true;
    });
    attempt(seen, [&] { static_cast<void>(orders::Orders(store).stats()); });
    attempt(seen, [&] { static_cast<void>(store.projections()); });
  }

  // Goes on with it as if nothing had happened.
  void use(Store& store, Seen& seen) {
    attempt(seen, [&] { static_cast<void>(orders::Orders(store).execute("order-7", {orders::Pay{}, {}}, {})); });
    attempt(seen, [&] {
      static_cast<void>(orders::Orders(store).execute("order-new", {orders::Place{"c", "EUR", {{"book", 1, 1}}, 0}, {}},
                                                      {.projecting = Projecting::synchronous}));
    });
    attempt(seen, [&] { run_until_idle(store); });
    attempt(seen, [&] { static_cast<void>(store.rebuild("orders")); });
  }

  TempDir directory_;
  Image folded_;
  Image with_log_;
  std::vector<RecordedEvent> events_;
  std::vector<std::string> rows_;
  bool differs_ = false;
  bool failed_ = false;
  bool misnamed_ = false;
};

using Random = std::mt19937_64;

void flip_bits(std::string& bytes, std::size_t count, Random& random) {
  for (; count > 0; --count) {
    bytes[random() % bytes.size()] ^= static_cast<char>(1U << (random() % 8));
  }
}

// Copies as much as is there of one part over another.
void copy_part(std::string& bytes, std::size_t from, std::size_t to, std::size_t size) {
  const std::string part = bytes.substr(from, size);
  bytes.replace(to, std::min(part.size(), bytes.size() - to), part.substr(0, bytes.size() - to));
}

void damage(std::string& bytes, Random& random) {
  const std::size_t pages = bytes.size() / page_bytes;
  const std::size_t page = random() % pages * page_bytes;
  switch (random() % 7) {
    case 0:
      flip_bits(bytes, 1, random);
      break;
    case 1:
      flip_bits(bytes, 1 + random() % 50, random);
      break;
    case 2:
      bytes.resize(1 + random() % (bytes.size() - 1));
      break;
    case 3:
      bytes.replace(page, page_bytes, std::string(page_bytes, '\0'));
      break;
    case 4:
      copy_part(bytes, random() % pages * page_bytes, page, page_bytes);
      break;
    case 5:
      for (std::size_t index = 0; index < 512; ++index) bytes[page + index] = static_cast<char>(random());
      break;
    default:
      // The first bytes of pages and of the file decide most.
      bytes[(random() % 2 == 0 ? page : 0) + random() % 100] = static_cast<char>(random());
  }
}

void report(const std::string& what, const Seen& seen) {
  std::string codes;
  for (const auto& [code, count] : seen.codes) codes += ", " + code + ' ' + std::to_string(count);
  MESSAGE(what << ": " << seen.files << " files, " << seen.refused << " refused, " << seen.errors << " with errors, "
               << seen.verified << " found by verification, " << seen.harmless << " harmless; " << seen.shorter
               << " lost a suffix, " << seen.misnamed << " misnamed" << codes);
}

}  // namespace

TEST_SUITE("bad_file") {
  TEST_CASE("file: of damaged pages every answer is right, an error, or found by verification") {
    BadFiles files;
    Seen seen;
    for (const std::uint64_t seed : seeds(250, 20'000)) {
      INFO("repeat it with: FRESHET_SEED=" << seed << " fault_tests --test-case='file: of damaged pages*'");
      Random random(seed);
      Image image = files.folded();
      damage(image.file, random);
      files.ask(image, BadFiles::Suffix::must_be_there, seen);
    }
    report("damaged files", seen);
    CHECK(seen.refused > 0);
    CHECK(seen.errors > 0);
  }

  TEST_CASE("file: of a damaged write-ahead log every answer is right but for a missing suffix") {
    BadFiles files;
    Seen seen;
    for (const std::uint64_t seed : seeds(100, 10'000)) {
      INFO("repeat it with: FRESHET_SEED=" << seed << " fault_tests --test-case='file: of a damaged write*'");
      Random random(seed);
      Image image = files.with_log();
      damage(image.log, random);
      if (seed % 20 == 0) image.log.clear();
      files.ask(image, BadFiles::Suffix::may_be_missing, seen);
    }
    report("damaged logs", seen);
    CHECK(seen.shorter > 0);
  }
}
