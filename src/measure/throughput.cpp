// Measures how many events a second can be appended, and what one append costs its caller.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <latch>
#include <mutex>
#include <thread>

#include "base/thread.hpp"
#include "freshet/error.hpp"
#include "measure/distribution.hpp"
#include "measure/measure.hpp"

namespace freshet::measure {
namespace {

constexpr std::array<int, 3> default_writers = {1, 8, 64};

// Enough for a steady median, and still below seconds on a disk that needs 10 ms.
constexpr std::int64_t reference_writes = 200;

// A page of the database.
constexpr std::size_t block_bytes = 4'096;

// About the size of an order's event.
const char* const payload =
    R"({"customer":"c9","currency":"EUR","items":[{"sku":"book","quantity":1,"unit_price_minor":4999}],)"
    R"("freight_minor":350,"amount_minor":5349})";

// Runs that add up to one progress.
class Work {
 public:
  Work(std::int64_t total, const OnProgress& on_progress) : total_(total), on_progress_(on_progress) {}

  // One more is done. False: enough.
  bool advance() {
    const std::int64_t done = ++done_;
    const std::lock_guard lock(mutex_);
    if (on_progress_ && !on_progress_(done, total_)) is_ended_ = true;
    return !is_ended_;
  }

  [[nodiscard]] bool is_ended() const { return is_ended_; }

 private:
  const std::int64_t total_;
  const OnProgress& on_progress_;
  std::mutex mutex_;  // One call of on_progress_ at a time.
  std::atomic<std::int64_t> done_ = 0;
  std::atomic<bool> is_ended_ = false;
};

Duration since(Instant start) {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start);
}

double per_second(std::int64_t count, Duration elapsed) {
  return static_cast<double>(count) * 1e6 / static_cast<double>(std::max(elapsed, Duration{1}).count());
}

// One of several threads that append as fast as they can until the events are used up.
class Writers {
 public:
  Writers(EventLog& log, Work& work, std::int64_t events) : log_(log), work_(work), left_(events) {}

  // Returns how long each append took; the elapsed time is that of all of them together.
  std::vector<Duration> run(int writers, Duration& elapsed) {
    std::latch start{writers + 1};
    std::vector<std::jthread> threads;
    try {
      for (int number = 1; number <= writers; ++number) {
        threads.push_back(start_thread<std::jthread>([this, &start, number] {
          start.arrive_and_wait();
          append_all({"measure", std::to_string(number)});
        }));
      }
    } catch (...) {
      // Those that wait for the others to begin are let go.
      left_ = 0;
      start.count_down(writers + 1 - static_cast<std::ptrdiff_t>(threads.size()));
      throw;
    }
    start.arrive_and_wait();
    const Instant began = std::chrono::steady_clock::now();
    threads.clear();
    elapsed = since(began);
    if (failure_) std::rethrow_exception(failure_);
    return std::move(waits_);
  }

 private:
  void append_all(const StreamId& stream) {
    std::vector<Duration> waits;
    try {
      const std::vector<NewEvent> events = {{.type = "Measured", .data = payload}};
      while (!work_.is_ended() && left_-- > 0) {
        const Instant began = std::chrono::steady_clock::now();
        static_cast<void>(log_.append({.stream = stream, .expected = ExpectedVersion::any(), .events = events}));
        waits.push_back(since(began));
        work_.advance();
      }
    } catch (...) {
      left_ = 0;
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    waits_.insert(waits_.end(), waits.begin(), waits.end());
  }

  EventLog& log_;
  Work& work_;
  std::atomic<std::int64_t> left_;
  std::mutex mutex_;  // Guards the rest.
  std::vector<Duration> waits_;
  std::exception_ptr failure_;
};

Throughput::Row measure_row(Store& store, Durability durability, int writers, std::int64_t events, Work& work) {
  Duration elapsed{};
  std::vector<Duration> waits = Writers{store.log(), work, events}.run(writers, elapsed);
  if (work.is_ended()) return {};
  const Measured measured{std::move(waits)};
  return {.durability = durability,
          .writers = writers,
          .events = events,
          .events_per_second = per_second(events, elapsed),
          .p50 = measured.quantile(0.5),
          .p99 = measured.quantile(0.99)};
}

// A file that is gone when it is closed.
class ReferenceFile {
 public:
  explicit ReferenceFile(const std::filesystem::path& file)
      : file_(file), descriptor_(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) fail("cannot create");
  }
  ReferenceFile(const ReferenceFile&) = delete;
  ReferenceFile& operator=(const ReferenceFile&) = delete;
  ~ReferenceFile() {
    ::close(descriptor_);
    ::unlink(file_.c_str());
  }

  void append_durably() {
    static constexpr std::array<char, block_bytes> block{};
    const ssize_t written = ::write(descriptor_, block.data(), block.size());
    if (written < static_cast<ssize_t>(block.size())) {
      if (written >= 0) errno = ENOSPC;  // There was room for a part, which is no error yet.
      fail("cannot write");
    }
    if (::fdatasync(descriptor_) != 0) fail("cannot force to the disk:");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    const ErrorCode code = errno == ENOSPC ? ErrorCode::disk_full : ErrorCode::io;
    throw Error(code, what + " '" + file_.string() + "': " + std::strerror(errno));
  }

  std::filesystem::path file_;
  int descriptor_;
};

Throughput::Reference measure_reference(const std::filesystem::path& beside, Work& work) {
  ReferenceFile file{beside.string() + "-reference"};
  std::vector<Duration> waits;
  const Instant start = std::chrono::steady_clock::now();
  for (std::int64_t count = 0; count < reference_writes; ++count) {
    const Instant began = std::chrono::steady_clock::now();
    file.append_durably();
    waits.push_back(since(began));
    if (!work.advance()) return {};
  }
  const Duration elapsed = since(start);
  const Measured measured{std::move(waits)};
  return {.writes = reference_writes,
          .writes_per_second = per_second(reference_writes, elapsed),
          .p50 = measured.quantile(0.5),
          .p99 = measured.quantile(0.99)};
}

void check(const ThroughputOptions& options) {
  if (options.writers < 0 || options.writers > writers_max) {
    throw Error(ErrorCode::invalid, "writers must be at most " + std::to_string(writers_max));
  }
  if (options.events < 1 || options.events > events_max) {
    throw Error(ErrorCode::invalid, "events must be from 1 to " + std::to_string(events_max));
  }
}

}  // namespace

std::optional<Throughput> throughput(const std::filesystem::path& file, const ThroughputOptions& options,
                                     const OnProgress& on_progress) {
  check(options);
  std::vector<int> writers(default_writers.begin(), default_writers.end());
  if (options.writers > 0) writers = {options.writers};
  const auto rows = static_cast<std::int64_t>(writers.size() * options.durabilities.size());
  Work work{rows * options.events + reference_writes, on_progress};

  Throughput throughput;
  for (const Durability durability : options.durabilities) {
    Store store{{.file = file, .engine = Engine::off, .durability = durability}};
    for (const int count : writers) {
      throughput.rows.push_back(measure_row(store, durability, count, options.events, work));
      if (work.is_ended()) return std::nullopt;
    }
    store.close();
  }
  throughput.reference = measure_reference(file, work);
  if (work.is_ended()) return std::nullopt;
  return throughput;
}

}  // namespace freshet::measure
