// Reads orders: rows from the read tables with their freshness, and replays from the log.
#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

#include "freshet/error.hpp"
#include "orders/codec.hpp"
#include "orders/orders.hpp"

namespace freshet::orders {
namespace {

// The columns that an OrderView is made of.
constexpr std::string_view order_columns =
    "order_id, customer, status, currency, amount_minor, freight_minor, paid_minor, version, placed_at, updated_at";
constexpr int order_columns_count = 10;

Timestamp timestamp(std::int64_t microseconds) {
  return Timestamp{Duration{microseconds}};
}

Status read_status(std::string_view text) {
  if (const auto status = parse_status(text)) return *status;
  throw Error(ErrorCode::corrupt, "a read table holds an order with the status '" + std::string{text} + "'");
}

OrderView read_row(const Rows& row) {
  OrderView view{.order_id = std::string{row.text(0)}, .order = {}, .version = Version{row.integer(7)}};
  view.order.customer = row.text(1);
  view.order.status = read_status(row.text(2));
  view.order.currency = row.text(3);
  view.order.amount_minor = row.integer(4);
  view.order.freight_minor = row.integer(5);
  if (!row.is_null(6)) view.order.paid_minor = row.integer(6);
  view.order.placed_at = timestamp(row.integer(8));
  view.order.updated_at = timestamp(row.integer(9));
  return view;
}

ReadRequest request_for(std::vector<std::string> projections, const ReadOptions& options) {
  return {.projections = std::move(projections),
          .consistency = options.consistency,
          .timeout = options.timeout,
          .on_timeout = options.on_timeout};
}

// Where a page ends: lists are ordered by the time of placing, and by stream where that is the same.
struct Cursor {
  std::int64_t placed_at = std::numeric_limits<std::int64_t>::max();
  std::int64_t stream = std::numeric_limits<std::int64_t>::max();
};

std::string format_cursor(const Cursor& cursor) {
  return std::to_string(cursor.placed_at) + "." + std::to_string(cursor.stream);
}

Cursor parse_cursor(std::string_view text) {
  Cursor cursor;
  const char* const end = text.data() + text.size();
  const auto placed_at = std::from_chars(text.data(), end, cursor.placed_at);
  if (placed_at.ec == std::errc{} && placed_at.ptr != end && *placed_at.ptr == '.') {
    const auto stream = std::from_chars(placed_at.ptr + 1, end, cursor.stream);
    if (stream.ec == std::errc{} && stream.ptr == end) return cursor;
  }
  throw Error(ErrorCode::invalid, "'" + std::string{text} + "' is not where a page of this list ended");
}

// Parameters are numbered, so that the four kinds of list share one set of values.
std::string list_sql(const ListRequest& request) {
  std::string sql =
      "SELECT " + std::string{order_columns} + ", stream FROM {orders} WHERE (placed_at, stream) < (?1, ?2)";
  // A customer has fewer orders than a status: with both, the plus keeps the status from choosing the index.
  if (request.status) sql += request.customer ? " AND +status = ?3" : " AND status = ?3";
  if (request.customer) sql += " AND customer = ?4";
  return sql + " ORDER BY placed_at DESC, stream DESC LIMIT ?5";
}

// Folds an order's events up to the first that `ends_before` names. A later one that it does not name is warned of.
template <typename EndsBefore>
Answer<std::optional<OrderView>> replay_until(const EventLog& log, const Clock& clock, const std::string& order_id,
                                              EndsBefore ends_before) {
  Answer<std::optional<OrderView>> answer;
  Freshness& freshness = answer.freshness;
  freshness.source = Source::event_log;
  const auto events = log.read_stream(stream_of(order_id), Version{}, all_events);
  if (events.empty()) return answer;

  Replayed<OrderDecider> shown;
  auto next = events.begin();
  for (; next != events.end() && !ends_before(*next); ++next) fold(shown, *next);
  freshness.version = shown.version;
  freshness.latest_version = events.back().version;
  freshness.behind_events = events.end() - next;
  if (next != events.end()) freshness.behind = std::max(clock.wall_time() - next->recorded_at, Duration{});
  const auto left_out = std::find_if_not(next, events.end(), ends_before);
  if (left_out != events.end()) {
    answer.warnings.push_back("version " + std::to_string(left_out->version.value) +
                              " had happened by then as well, and "
                              "is left out: it follows version " +
                              std::to_string(next->version.value) + ", which happened later");
  }
  if (next != events.begin()) answer.value = OrderView{order_id, std::move(shown.state), shown.version};
  return answer;
}

}  // namespace

Answer<std::optional<OrderView>> Orders::get(const std::string& order_id, const ReadOptions& options) {
  auto request = request_for({"orders"}, options);
  request.stream = stream_of(order_id);
  Reading reading = read(request);
  if (reading.must_replay()) {
    auto answer = replay(order_id);
    answer.freshness.waited = reading.freshness().waited;
    return answer;
  }
  static const std::string sql = "SELECT " + std::string{order_columns} +
                                 ", items FROM {orders} JOIN {order_items} USING (stream) WHERE stream = ?";
  Answer<std::optional<OrderView>> answer{std::nullopt, reading.freshness(), reading.warnings()};
  auto row = reading.query(sql, {reading.stream_number()});
  if (row.next()) {
    answer.value = read_row(row);
    answer.value->order.items = read_items(row.text(order_columns_count));
  }
  return answer;
}

Answer<std::optional<OrderView>> Orders::replay(const std::string& order_id) {
  return replay_until(log(), store_.clock(), order_id, [](const RecordedEvent& /*event*/) { return false; });
}

Answer<std::optional<OrderView>> Orders::as_of(const std::string& order_id, Version version) {
  auto answer = replay_until(log(), store_.clock(), order_id,
                             [&](const RecordedEvent& event) { return event.version > version; });
  const Version latest = answer.freshness.latest_version;
  if (version > latest && latest > Version{}) {
    answer.freshness.stale = true;
    answer.warnings.push_back("order '" + order_id + "' has no version " + std::to_string(version.value) +
                              " yet; its last is " + std::to_string(latest.value));
  }
  return answer;
}

Answer<std::optional<OrderView>> Orders::as_of(const std::string& order_id, Timestamp time) {
  return replay_until(log(), store_.clock(), order_id,
                      [&](const RecordedEvent& event) { return event.occurred_at > time; });
}

Answer<Page> Orders::list(const ListRequest& request, const ReadOptions& options) {
  if (request.limit < 1 || request.limit > list_limit_max) {
    throw Error(ErrorCode::invalid, "the limit of a list is from 1 to " + std::to_string(list_limit_max));
  }
  Cursor last = request.after ? parse_cursor(*request.after) : Cursor{};
  const char* const status = name(request.status.value_or(Status::none));
  const std::string customer = request.customer.value_or("");
  // One row more than the page holds tells whether there is a next page.
  const auto rows_max = static_cast<std::int64_t>(request.limit) + 1;

  Reading reading = read(request_for({"orders"}, options));
  Answer<Page> answer{{}, reading.freshness(), reading.warnings()};
  const std::string sql = list_sql(request);
  auto rows = reading.query(sql, {last.placed_at, last.stream, status, customer, rows_max});
  while (rows.next()) {
    if (answer.value.orders.size() == request.limit) {
      answer.value.next = format_cursor(last);
      break;
    }
    answer.value.orders.push_back(read_row(rows));
    last = {rows.integer(8), rows.integer(order_columns_count)};
  }
  return answer;
}

std::vector<std::string> Orders::ids_starting_with(const std::string& start, std::size_t ids_max) {
  Reading reading = read(request_for({"orders"}, {}));
  auto rows =
      reading.query("SELECT order_id FROM {orders} WHERE substr(order_id, 1, length(?)) = ? ORDER BY order_id LIMIT ?",
                    {start, start, static_cast<std::int64_t>(ids_max)});
  std::vector<std::string> ids;
  while (rows.next()) ids.emplace_back(rows.text(0));
  return ids;
}

Answer<Stats> Orders::stats(const ReadOptions& options) {
  Reading reading = read(request_for({"orders", "revenue"}, options));
  Answer<Stats> answer{{}, reading.freshness(), reading.warnings()};
  Stats& stats = answer.value;
  auto statuses = reading.query("SELECT status, count(*) FROM {orders} GROUP BY status");
  while (statuses.next()) {
    stats.by_status[read_status(statuses.text(0))] = statuses.integer(1);
    stats.orders += statuses.integer(1);
  }
  // Summed here and not from the days: SQLite reports a sum above 64 bits as an error.
  auto currencies = reading.query("SELECT currency, sum(revenue_minor) FROM {revenue} GROUP BY currency");
  while (currencies.next()) stats.revenue_minor[std::string{currencies.text(0)}] = currencies.integer(1);
  auto days = reading.query("SELECT day, currency, orders, revenue_minor FROM {revenue} ORDER BY day, currency");
  while (days.next()) {
    stats.by_day.push_back({std::string{days.text(0)}, std::string{days.text(1)}, days.integer(2), days.integer(3)});
  }
  return answer;
}

}  // namespace freshet::orders
