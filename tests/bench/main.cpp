// The benchmark program: options, and the contests one after the other.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "bench/contests.hpp"
#include "bench/output.hpp"
#include "bench/scale.hpp"
#include "freshet/error.hpp"

namespace freshet::bench {
namespace {

constexpr const char* usage = R"(usage: bench [options]
  --data FILE        real order commands, as for `freshet order import`; made up where not given
  --filter TEXT      only contests with TEXT in their names
  --list             the names of the contests
  --rounds N         how often the sides take turns (9)
  --quick            less work, and 3 rounds: to see that all is well
  --scale [EVENTS]   what a large file costs (10000000 events) beside one of 100000, instead of the contests
  --json FILE        the results as JSON too
  --directory DIR    where the measured files are, on the disk that matters (.)
  --freshet PROGRAM  the executable, for the measurement of whole processes
)";

struct Options {
  std::filesystem::path data;
  std::string filter;
  std::filesystem::path json;
  std::filesystem::path directory = ".";
  std::filesystem::path freshet;
  std::optional<int> rounds;
  bool quick = false;
  bool list = false;
  std::optional<std::size_t> scale;
};

Options parse(int count, char** arguments) {
  Options options;
  for (int index = 1; index < count; ++index) {
    const std::string_view option = arguments[index];
    const auto value = [&]() -> std::string {
      if (++index == count) throw Error(ErrorCode::invalid, std::string(option) + " needs a value");
      return arguments[index];
    };
    if (option == "--data") {
      options.data = value();
    } else if (option == "--filter") {
      options.filter = value();
    } else if (option == "--rounds") {
      options.rounds = std::max(1, std::atoi(value().c_str()));
    } else if (option == "--json") {
      options.json = value();
    } else if (option == "--directory") {
      options.directory = value();
    } else if (option == "--freshet") {
      options.freshet = std::filesystem::absolute(value());
    } else if (option == "--scale") {
      const bool is_given = index + 1 < count && *arguments[index + 1] != '-';
      options.scale = is_given ? std::strtoull(arguments[++index], nullptr, 10) : scale_events;
    } else if (option == "--quick") {
      options.quick = true;
    } else if (option == "--list") {
      options.list = true;
    } else {
      throw Error(ErrorCode::invalid, "unknown option '" + std::string(option) + "'\n" + usage);
    }
  }
  return options;
}

std::vector<NamedContest> chosen(const Options& options) {
  std::vector<NamedContest> contests = append_contests();
  for (auto& contest : projection_contests()) contests.push_back(contest);
  for (auto& contest : read_contests()) contests.push_back(contest);
  if (!options.freshet.empty()) {
    for (auto& contest : process_contests()) contests.push_back(contest);
  }
  std::erase_if(contests,
                [&](const NamedContest& contest) { return contest.name.find(options.filter) == std::string::npos; });
  return contests;
}

// A directory that is gone at the end.
class Place {
 public:
  explicit Place(const std::filesystem::path& in) {
    std::string pattern = (std::filesystem::absolute(in) / "freshet-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      throw Error(ErrorCode::io, "cannot make a directory in '" + in.string() + "'");
    path_ = pattern;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void run_all(const Options& options) {
  const auto contests = chosen(options);
  if (options.list) {
    for (const NamedContest& contest : contests) std::printf("%s\n", contest.name.c_str());
    return;
  }
  const Workload workload =
      options.data.empty() ? make_workload(options.quick ? 5'000 : 20'000, 1) : read_workload(options.data);
  Report report{.workload = workload.description,
                .machine = describe_machine(),
                .rounds = options.rounds.value_or(options.quick ? 3 : 9),
                .outcomes = {}};
  std::printf("%s\n%s\n%s", report.machine.c_str(), report.workload.c_str(), heading().c_str());
  const Place place(options.directory);
  if (options.scale) {
    measure_scale(workload, place.path(), *options.scale);
    return;
  }
  for (const NamedContest& contest : contests) {
    const auto directory = place.path() / contest.name;
    std::filesystem::create_directory(directory);
    const Setup setup{.workload = workload,
                      .directory = directory,
                      .freshet = options.freshet,
                      .turn = std::chrono::milliseconds{options.quick ? 60 : 100},
                      .log_events = static_cast<std::size_t>(options.quick ? 4'000 : 12'000)};
    const Outcome outcome = run(contest.make(setup), report.rounds, directory);
    for (const Row& row : outcome.rows) std::fputs(line(row).c_str(), stdout);
    std::printf("  fsync meanwhile: p50 %.0f us, p99 %.0f us\n", outcome.fsync_p50_us, outcome.fsync_p99_us);
    std::fflush(stdout);
    report.outcomes.push_back({contest.name, outcome});
  }
  if (!options.json.empty()) std::ofstream(options.json) << json(report);
}

}  // namespace
}  // namespace freshet::bench

int main(int count, char** arguments) {
  try {
    freshet::bench::run_all(freshet::bench::parse(count, arguments));
    return 0;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "bench: %s\n", exception.what());
    return 2;
  }
}
