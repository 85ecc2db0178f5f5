// What a user asked for, as plain values: the parser makes them, run() carries them out. Nothing here
// has been looked up, opened or decided.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>

#include "exchange/event_line.hpp"
#include "freshet/store.hpp"
#include "measure/measure.hpp"
#include "orders/orders.hpp"
#include "scenario/timeline.hpp"

namespace freshet::cli {

enum class Format { text, json };
enum class Colour { automatic, always, never };
enum class LogLevel { debug, info, warning, error, off };

// In the working directory.
inline constexpr const char* default_file = "freshet.db";

// What words say of the bus. Where they are silent, what held before goes on.
struct BusChange {
  std::optional<Delay> delay = std::nullopt;
  std::optional<double> duplicate_probability = std::nullopt;
  std::optional<Duration> redeliver_after = std::nullopt;
  std::optional<std::uint64_t> seed = std::nullopt;
};

[[nodiscard]] BusOptions changed(BusOptions bus, const BusChange& change);

// Where a setting comes from; the words are the command line's or a file's.
enum class SettingSource { words, environment };

// What holds for a whole process rather than for one request.
struct Settings {
  std::optional<std::filesystem::path> file = std::nullopt;  // Not given: default_file.
  SettingSource file_source = SettingSource::words;
  Format format = Format::text;
  Colour colour = Colour::automatic;
  LogLevel log_level = LogLevel::warning;
  std::optional<Durability> durability = std::nullopt;  // Not given: power_loss.
  Duration busy_timeout = std::chrono::seconds{5};
  Upgrade upgrade = Upgrade::copy;
  BusOptions bus = {};
  BusChange bus_change = {};  // What of it was given; `bus` has it already.
  // The token of the user's session, or new_session. Not given: none. What the environment says is looked at where it
  // is used: it may be there for other commands.
  std::optional<std::string> session = std::nullopt;
  SettingSource session_source = SettingSource::words;
};

inline constexpr const char* new_session = "new";

// What a process does with deliveries that are still due when its request is done.
enum class Afterwards { drain, leave };

struct ChangeOrder {
  std::optional<std::string> order_id;  // Only `place` goes without.
  orders::Action action;
  // `pay --amount` as it was typed: how many decimals it may have depends on the order's currency.
  std::optional<std::string> amount = std::nullopt;
  ExecuteOptions options = {};
  std::optional<Timestamp> at = std::nullopt;
  Afterwards afterwards = Afterwards::drain;
};

struct ImportOrders {
  std::string file;  // "-" is standard input.
  orders::ImportOptions::OnError on_error = orders::ImportOptions::OnError::skip;
  Afterwards afterwards = Afterwards::drain;
};

// What to do about an answer that is not as fresh as was asked for.
enum class Stale { warn, refuse };

struct ReadYourWrites {};

// How an order is to be read: from the read tables, by replay, or as it was.
using OrderRead = std::variant<orders::ReadOptions, ReadYourWrites, Version, Timestamp>;

struct GetOrder {
  std::string order_id;
  OrderRead read = orders::ReadOptions{};
  Stale stale = Stale::warn;
};

struct ListOrders {
  orders::ListRequest request = {};
  orders::ReadOptions read = {};
  Stale stale = Stale::warn;
};

struct ShowStats {
  orders::ReadOptions read = {};
  Stale stale = Stale::warn;
};

struct ShowHistory {
  std::string order_id;
};

enum class Follow { no, yes };

struct ShowLog {
  // At most one of these.
  std::optional<StreamId> stream = std::nullopt;
  std::optional<std::string> category = std::nullopt;
  // Either the last ones, or some from a position on.
  std::optional<std::size_t> last = std::nullopt;
  Position from{1};
  std::optional<std::size_t> limit = std::nullopt;
  Follow follow = Follow::no;
};

struct VerifyLog {};

struct ExportLog {
  exchange::Format format = exchange::Format::json_lines;
  std::string source = exchange::default_source;
  std::optional<std::filesystem::path> output = std::nullopt;  // Not given: standard output.
  ExistingFile existing = ExistingFile::refuse;
};

struct ImportLog {
  std::string file;  // "-" is standard input.
  Afterwards afterwards = Afterwards::drain;
};

struct BackUpLog {
  std::filesystem::path file;
  ExistingFile existing = ExistingFile::refuse;
};

struct ListProjections {};

struct RebuildProjections {
  std::optional<std::string> name = std::nullopt;  // Not given: all of them.
};

struct RemoveProjection {
  std::string name;
};

struct RenameProjection {
  std::string name;
  std::string new_name;
};

struct ListDeadLetters {
  DeadLetterChoice choice = {};
};

struct RetryDeadLetters {
  DeadLetterChoice choice = {};
};

struct DiscardDeadLetters {
  DeadLetterChoice choice = {};
};

// Both measure on a new database, which is kept only in a file that is named.
struct MeasureVisibility {
  measure::VisibilityOptions options = {};
  std::optional<std::filesystem::path> keep = std::nullopt;
  std::optional<std::filesystem::path> html = std::nullopt;  // The report as a page.
  ExistingFile existing = ExistingFile::refuse;
};

struct MeasureThroughput {
  measure::ThroughputOptions options = {};
  std::optional<std::filesystem::path> keep = std::nullopt;
  std::optional<std::filesystem::path> html = std::nullopt;  // The report as a page.
  ExistingFile existing = ExistingFile::refuse;
};

// Only a process's own request: it carries out the others, line by line.
struct RunShell {};

// Only a line's request: from here on the bus is another one.
struct ChangeBus {
  BusOptions bus;
};

struct ListDemos {};

// The script of a demonstration.
struct PrintDemo {
  std::string name;
};

// How a script is played.
struct PlayOptions {
  std::optional<std::filesystem::path> file = std::nullopt;  // Not given: a temporary one.
  scenario::ClockKind clock = scenario::ClockKind::real;
  std::optional<double> speed = std::nullopt;  // Of the real clock.
  Durability durability = Durability::power_loss;
  Duration busy_timeout = std::chrono::seconds{5};
  Upgrade upgrade = Upgrade::copy;
  BusOptions bus = {};
  BusChange bus_change = {};  // What holds whatever the script says.
  // Where to draw the run.
  std::optional<std::filesystem::path> mermaid = std::nullopt;
  std::optional<std::filesystem::path> html = std::nullopt;
  ExistingFile existing = ExistingFile::refuse;
};

struct PlayDemo {
  std::string name;  // "all" is all of them.
  PlayOptions options = {};
};

struct PlayScript {
  std::string script;  // A file; "-" is standard input.
  PlayOptions options = {};
};

using Request =
    std::variant<ChangeOrder, ImportOrders, GetOrder, ListOrders, ShowStats, ShowHistory, ShowLog, VerifyLog, ExportLog,
                 ImportLog, BackUpLog, ListProjections, RebuildProjections, RemoveProjection, RenameProjection,
                 ListDeadLetters, RetryDeadLetters, DiscardDeadLetters, MeasureVisibility, MeasureThroughput, RunShell,
                 ChangeBus, ListDemos, PrintDemo, PlayDemo, PlayScript>;

// What a request that succeeded asks its process to do before it ends.
[[nodiscard]] Afterwards afterwards_of(const Request& request);

// The file that an import reads; null for what is no import.
[[nodiscard]] const std::string* imported_file(const Request& request);

// Reads that are asked to end do so at once, as any program does; the others end well.
[[nodiscard]] bool ends_well(const Request& request);

}  // namespace freshet::cli
