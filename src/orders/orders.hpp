// The order service: what the command line and a desktop application call. It uses Freshet's public
// interface only.
//
// Threads: as the store. Failure: Error, as the store says.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "freshet/decider.hpp"
#include "freshet/session.hpp"
#include "freshet/store.hpp"
#include "orders/codec.hpp"
#include "orders/order.hpp"

namespace freshet::orders {

// The projections of the order domain, for StoreOptions::projections:
// "orders" keeps a row for each order (tables orders and order_items), and "revenue" the orders placed and
// the money taken on each day in each currency (table revenue).
[[nodiscard]] std::vector<std::shared_ptr<const Projection>> projections();

// For StoreOptions::forms: whatever is in the log can be looked at. An event of an order whose type or form this
// release does not know is refused where it is decoded (`unsupported_format`): a command on that order fails, and to
// the projections it is a dead letter, so that answers over it are stale.
[[nodiscard]] inline KnownForms forms() {
  return {.of_others = any_form};
}

// A command that was carried out.
struct Done {
  std::string order_id;
  Version version;
  Position position;
  std::string event;  // "OrderPaid"
  Status status = Status::none;
  bool duplicate = false;  // The answer to an earlier command with the same idempotency key.
};

using CommandResult = std::variant<Done, Rejection, Conflict, KeyReused>;

// An order as a query shows it.
struct OrderView {
  std::string order_id;
  Order order;
  Version version;
};

template <typename T>
struct Answer {
  T value;
  Freshness freshness;
  std::vector<std::string> warnings;
};

struct Page {
  std::vector<OrderView> orders;    // Without items.
  std::optional<std::string> next;  // Where the next page goes on.
};

struct ListRequest {
  std::optional<Status> status = std::nullopt;
  std::optional<std::string> customer = std::nullopt;
  std::size_t limit = 50;                           // 1 to list_limit_max.
  std::optional<std::string> after = std::nullopt;  // A Page::next. One not made by list() is Error `invalid`.
};
inline constexpr std::size_t list_limit_max = 10'000;

struct Stats {
  struct Day {
    std::string day;  // "2017-10-02", UTC.
    std::string currency;
    std::int64_t orders = 0;         // Placed on that day.
    std::int64_t revenue_minor = 0;  // Paid less refunded on that day.
  };
  std::int64_t orders = 0;
  std::map<Status, std::int64_t> by_status;           // Only statuses that occur.
  std::map<std::string, std::int64_t> revenue_minor;  // By currency.
  std::vector<Day> by_day;                            // By day, then currency.
};

// How fresh a query's answer must be.
struct ReadOptions {
  Consistency consistency = Eventual{};
  Duration timeout = read_timeout_default;
  OnTimeout on_timeout = OnTimeout::stale;
};

struct ImportOptions {
  enum class OnError { skip, stop };
  OnError on_error = OnError::skip;
  // Told of each line that was not applied: its number from 1, "invalid" or "rejected", and why.
  std::function<void(std::int64_t line, std::string_view verdict, const std::string& why)> on_problem = {};
  // Told after each batch. Return false to end the import there; what was applied stays.
  std::function<bool(std::int64_t lines)> on_progress = {};
};

struct ImportResult {
  std::int64_t lines = 0;
  std::int64_t applied = 0;
  std::int64_t duplicates = 0;  // Applied by an earlier run, or said before in this one.
  std::int64_t rejected = 0;
  std::int64_t invalid = 0;
  bool stopped = false;  // By on_error or on_progress.
};

class Orders {
 public:
  // `store` was opened with projections(), and outlives this.
  explicit Orders(Store& store) : store_(store) {}

  // Every command and every read is one of the session's. `session` outlives this.
  explicit Orders(Session& session) : store_(session.store()), session_(&session) {}

  // `order_id` not given: for Place one is made up. It is no argument of the command's, so a retry finds the order that
  // the first one has placed; the same with an id is another command, whatever the id.
  [[nodiscard]] CommandResult execute(const std::optional<std::string>& order_id, const Command& command,
                                      const ExecuteOptions& options);

  // The order's row. No value: the read tables hold no such order (freshness says whether the log does).
  [[nodiscard]] Answer<std::optional<OrderView>> get(const std::string& order_id, const ReadOptions& options = {});

  // The order by replay of its events: read your own writes. No value: there is no such order.
  [[nodiscard]] Answer<std::optional<OrderView>> replay(const std::string& order_id);

  // The order as it was at a version, or at a time: its events up to the first that happened later, by occurred_at. One
  // behind that which had happened by then all the same is left out, with a warning: events count in their order.
  [[nodiscard]] Answer<std::optional<OrderView>> as_of(const std::string& order_id, Version version);
  [[nodiscard]] Answer<std::optional<OrderView>> as_of(const std::string& order_id, Timestamp time);

  [[nodiscard]] Answer<Page> list(const ListRequest& request, const ReadOptions& options = {});
  // For completing an id that is being typed: ids in the read tables that begin with `start`, in their order.
  [[nodiscard]] std::vector<std::string> ids_starting_with(const std::string& start, std::size_t ids_max);

  [[nodiscard]] Answer<Stats> stats(const ReadOptions& options = {});

  // JSON Lines of commands; see import.hpp for the grammar. Batched: a batch is one transaction.
  [[nodiscard]] ImportResult import(std::istream& lines, const ImportOptions& options);

 private:
  [[nodiscard]] EventLog& log() { return session_ == nullptr ? store_.log() : session_->log(); }
  [[nodiscard]] Reading read(const ReadRequest& request) {
    return session_ == nullptr ? store_.read(request) : session_->read(request);
  }

  Store& store_;
  Session* session_ = nullptr;
};

}  // namespace freshet::orders
