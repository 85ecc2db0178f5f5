// Imports line by line, batched: what can be done alone is done first, and the rest in one transaction.
#include "orders/import.hpp"

#include <algorithm>
#include <array>
#include <istream>
#include <unordered_map>
#include <utility>

#include "base/ensure.hpp"
#include "base/line_reader.hpp"
#include "freshet/error.hpp"
#include "orders/orders.hpp"

namespace freshet::orders {
namespace {

// A line that is not blank, read and parsed.
struct NumberedLine {
  std::int64_t number = 0;  // In the file, from 1.
  std::variant<ImportLine, std::string> parsed;
  std::string key;  // Of a valid line.
};

// Takes lines from a stream, so many at a time.
class Lines {
 public:
  explicit Lines(std::istream& lines) : reader_(lines, import_line_bytes_max) {}

  // The lines of the next batch; none at the end of the input.
  std::vector<NumberedLine> next_batch() {
    std::vector<NumberedLine> batch;
    std::size_t bytes = 0;
    while (batch.size() < import_batch_lines_max && bytes < import_batch_bytes_max) {
      const auto text = reader_.next();
      if (!text) break;
      bytes += text->size();
      if (reader_.is_too_long()) {
        batch.push_back({reader_.number(), "longer than " + std::to_string(import_line_bytes_max) + " bytes", {}});
        break;  // There may be no end of it: what came before is not to wait for that.
      }
      if (text->find_first_not_of(" \t\r") != std::string_view::npos) {
        batch.push_back({reader_.number(), parse_import_line(*text), {}});
        const auto* line = std::get_if<ImportLine>(&batch.back().parsed);
        if (line != nullptr) batch.back().key = import_key(*line);
      }
    }
    return batch;
  }

  // A line that is the last one for want of an end.
  [[nodiscard]] std::optional<std::int64_t> endless() const {
    return reader_.is_endless() ? std::optional{reader_.number()} : std::nullopt;
  }

 private:
  LineReader reader_;
};

// What became of a batch. It counts only once the batch is committed.
struct BatchResult {
  struct Problem {
    std::int64_t line = 0;
    std::string_view verdict;
    std::string why;
  };
  ImportResult counts;
  std::vector<Problem> problems;
};

// Orders as the import has left them: many have several lines near each other, and need not be read for each. Nobody
// writes during a batch. Between two of them others may; then the append conflicts with the version that is named here,
// and a refusal is decided again.
struct LoadedOrder {
  Replayed<OrderDecider> replayed;
  std::int64_t batch = 0;  // In which it was last read or changed.
};
using Loaded = std::unordered_map<std::string, LoadedOrder>;

// Some megabytes.
constexpr std::size_t loaded_max = 10'000;

// The refusals of one run. That is what makes it repeatable: once a later line has changed the order, the rules may
// allow what they have refused, so from then on the refusal is remembered under its line's key. Until then it is not:
// the line that it wants may have been invalid, and comes with the next file.
class Refusals {
 public:
  struct Refused {
    std::string key;
    CommandIdentity identity;
    std::string outcome;
  };

  void add(const std::string& order_id, Refused refused) {
    if (++count_ > refusals_max) *this = {};
    refused_[order_id].push_back(std::move(refused));
  }

  // Those of an order that has been changed.
  std::vector<Refused> take(const std::string& order_id) {
    if (refused_.empty()) return {};
    auto taken = refused_.extract(order_id);
    return taken.empty() ? std::vector<Refused>{} : std::move(taken.mapped());
  }

 private:
  // Some 30 megabytes. A file of which so much is refused is mended rather than repeated, so they are let go.
  static constexpr std::size_t refusals_max = 100'000;

  std::unordered_map<std::string, std::vector<Refused>> refused_;
  std::size_t count_ = 0;
};

// What an import knows from one batch to the next.
struct Known {
  Loaded loaded;
  Refusals refusals;
  std::int64_t batch = 0;
};

// Carries out the commands of a batch inside its transaction.
class Batch {
 public:
  Batch(AppendTransaction& transaction, ImportOptions::OnError on_error, Known& known)
      : transaction_(transaction), on_error_(on_error), known_(known) {}

  BatchResult run(const std::vector<NumberedLine>& lines) {
    for (const NumberedLine& line : lines) {
      ++result_.counts.lines;
      add(line);
      result_.counts.stopped = on_error_ == ImportOptions::OnError::stop && !result_.problems.empty();
      if (result_.counts.stopped) break;
    }
    return std::move(result_);
  }

 private:
  void add(const NumberedLine& line) {
    if (const auto* why = std::get_if<std::string>(&line.parsed)) {
      ++result_.counts.invalid;
      result_.problems.push_back({line.number, "invalid", *why});
      return;
    }
    const auto& [order_id, command] = std::get<ImportLine>(line.parsed);
    const auto refusal = execute(order_id, command, line.key);
    if (!refusal) return;
    ++result_.counts.rejected;
    result_.problems.push_back({line.number, "rejected", "order '" + order_id + "': " + *refusal});
  }

  // As freshet::execute, in the batch's transaction. Returns why it is refused.
  std::optional<std::string> execute(const std::string& order_id, const Command& command, const std::string& key) {
    const CommandIdentity identity = OrderDecider::identify(command);
    if (const auto again = transaction_.find_command(key, stream_of(order_id), identity)) return answer_again(*again);
    while (true) {
      LoadedOrder& order = load(order_id);
      auto decision = OrderDecider::decide(command, order.replayed.state);
      const auto* refusal = std::get_if<Rejection>(&decision);
      if (refusal != nullptr && order.batch == known_.batch) {
        known_.refusals.add(order_id, {key, identity, OrderDecider::encode_rejection(*refusal)});
        return refusal->message;
      }
      if (refusal == nullptr && append(order_id, order, std::get<0>(decision), key, identity)) {
        ++result_.counts.applied;
        remember_refusals(order_id);
        return std::nullopt;
      }
      known_.loaded.erase(order_id);
    }
  }

  std::optional<std::string> answer_again(const AppendResult& again) {
    if (const auto* reused = std::get_if<KeyReused>(&again)) {
      return "its key was used for " + (reused->command.empty() ? "another command" : "'" + reused->command + "'") +
             " of " + reused->stream.category + '/' + reused->stream.id;
    }
    const auto& first = std::get<Appended>(again);
    if (first.first == Position{}) {
      return OrderDecider::decode_rejection(first.outcome).message + " (as answered before)";
    }
    ++result_.counts.duplicates;
    return std::nullopt;
  }

  LoadedOrder& load(const std::string& order_id) {
    const auto [entry, is_new] = known_.loaded.try_emplace(order_id);
    LoadedOrder& order = entry->second;
    if (is_new) {
      for (const RecordedEvent& event : transaction_.read_stream(stream_of(order_id))) fold(order.replayed, event);
      order.batch = known_.batch;
    }
    return order;
  }

  // False: the order is not what it was when it was loaded.
  bool append(const std::string& order_id, LoadedOrder& order, const std::vector<Event>& events, const std::string& key,
              const CommandIdentity& identity) {
    std::vector<NewEvent> encoded;
    for (const Event& event : events) encoded.push_back(OrderDecider::encode(event));
    const auto answer = transaction_.append({.stream = stream_of(order_id),
                                             .expected = ExpectedVersion::exactly(order.replayed.version),
                                             .events = encoded,
                                             .command_id = key,
                                             .identity = identity});
    const auto* appended = std::get_if<Appended>(&answer);
    if (appended == nullptr) return false;
    ensure(!appended->duplicate, "the key was looked for in the same transaction");
    for (const Event& event : events) OrderDecider::evolve(order.replayed.state, event);
    order.replayed.version = appended->version;
    order.batch = known_.batch;
    return true;
  }

  // One under whose key something is remembered by now, as its own line was applied, stays as that.
  void remember_refusals(const std::string& order_id) {
    for (auto& refused : known_.refusals.take(order_id)) {
      static_cast<void>(transaction_.append({.stream = stream_of(order_id),
                                             .expected = ExpectedVersion::any(),
                                             .events = {},
                                             .command_id = std::move(refused.key),
                                             .identity = std::move(refused.identity),
                                             .outcome = std::move(refused.outcome)}));
    }
  }

  AppendTransaction& transaction_;
  ImportOptions::OnError on_error_;
  Known& known_;
  BatchResult result_;
};

void add(ImportResult& total, const ImportResult& batch) {
  total.lines += batch.lines;
  total.applied += batch.applied;
  total.duplicates += batch.duplicates;
  total.rejected += batch.rejected;
  total.invalid += batch.invalid;
  total.stopped = batch.stopped;
}

}  // namespace

ImportResult Orders::import(std::istream& lines, const ImportOptions& options) {
  ImportResult total;
  Lines reader(lines);
  Known known;
  while (!total.stopped) {
    const auto batch = reader.next_batch();
    if (batch.empty()) break;
    if (known.loaded.size() > loaded_max) known.loaded.clear();
    ++known.batch;
    BatchResult result;
    log().write(
        [&](AppendTransaction& transaction) { result = Batch(transaction, options.on_error, known).run(batch); });
    add(total, result.counts);
    if (options.on_problem) {
      for (const auto& [line, verdict, why] : result.problems) options.on_problem(line, verdict, why);
    }
    if (options.on_progress && !options.on_progress(total.lines)) total.stopped = true;
  }
  if (const auto line = reader.endless()) {
    total.stopped = true;  // The line is counted already.
    if (options.on_problem) {
      options.on_problem(*line, "invalid", "no end within " + std::to_string(line_bytes_skipped_max) + " bytes");
    }
  }
  ensure(total.lines == total.applied + total.duplicates + total.rejected + total.invalid, "every line counts once");
  return total;
}

}  // namespace freshet::orders
