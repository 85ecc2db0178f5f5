// Writes answers and failures as JSON.
#include "cli/json.hpp"

#include "base/time_text.hpp"
#include "bus/delay.hpp"
#include "cli/measure_output.hpp"
#include "cli/overloaded.hpp"
#include "scenario/json.hpp"

namespace freshet::cli {
namespace {

using Json = nlohmann::ordered_json;

// Milliseconds with three decimals, which is all that there is.
double milliseconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e3;
}

double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// JSON that was recorded as text. What is none is shown as the text that it is.
Json recorded_json(const std::string& text, const std::string& content_type) {
  if (content_type != "application/json") return text;
  Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() ? Json(text) : parsed;
}

const char* name(Source source) {
  return source == Source::read_model ? "read_model" : "event_log";
}

Json items_json(const std::vector<orders::Item>& items) {
  Json array = Json::array();
  for (const orders::Item& item : items) {
    array.push_back({{"sku", item.sku}, {"quantity", item.quantity}, {"unit_price_minor", item.unit_price_minor}});
  }
  return array;
}

// The fields of an order that a list shows as well.
Json order_json(const orders::OrderView& view) {
  const orders::Order& order = view.order;
  return {{"order_id", view.order_id},
          {"customer", order.customer},
          {"status", orders::name(order.status)},
          {"currency", order.currency},
          {"amount_minor", order.amount_minor},
          {"freight_minor", order.freight_minor},
          {"paid_minor", or_null(order.paid_minor)},
          {"version", view.version.value},
          {"placed_at", format_timestamp(order.placed_at)},
          {"updated_at", format_timestamp(order.updated_at)}};
}

Json to_json(const orders::Done& done) {
  return {{"order_id", done.order_id}, {"version", done.version.value},       {"position", done.position.value},
          {"event", done.event},       {"status", orders::name(done.status)}, {"duplicate", done.duplicate}};
}

Json to_json(const Imported& imported) {
  return import_json(imported);
}

Json to_json(const ShownOrder& shown) {
  Json document = order_json(shown.value);
  document["items"] = items_json(shown.value.order.items);
  document["freshness"] = stream_freshness_json(shown.freshness);
  document["warnings"] = shown.warnings;
  return document;
}

Json to_json(const ShownPage& page) {
  Json array = Json::array();
  for (const orders::OrderView& order : page.value.orders) array.push_back(order_json(order));
  return {{"orders", std::move(array)},
          {"next", or_null(page.value.next)},
          {"freshness", log_freshness_json(page.freshness)},
          {"warnings", page.warnings}};
}

Json to_json(const ShownStats& shown) {
  const orders::Stats& stats = shown.value;
  Json by_status = Json::object();
  for (const auto& [status, count] : stats.by_status) by_status[orders::name(status)] = count;
  Json revenue = Json::array();
  for (const auto& [currency, minor] : stats.revenue_minor) {
    revenue.push_back({{"currency", currency}, {"amount_minor", minor}});
  }
  Json by_day = Json::array();
  for (const auto& day : stats.by_day) {
    by_day.push_back(
        {{"day", day.day}, {"currency", day.currency}, {"orders", day.orders}, {"revenue_minor", day.revenue_minor}});
  }
  return {{"orders", stats.orders},
          {"by_status", std::move(by_status)},
          {"revenue", std::move(revenue)},
          {"by_day", std::move(by_day)},
          {"freshness", log_freshness_json(shown.freshness)},
          {"warnings", shown.warnings}};
}

// The fields of an event in every stream of events.
Json event_json(const RecordedEvent& event, const char* stream_field, const std::string& stream) {
  return {{"position", event.position.value},
          {stream_field, stream},
          {"version", event.version.value},
          {"event", event.type},
          {"at", format_timestamp(event.occurred_at)},
          {"recorded_at", format_timestamp(event.recorded_at)},
          {"data", recorded_json(event.data, event.content_type)}};
}

Json to_json(const HistoryEvent& shown) {
  return event_json(shown.event, "order_id", shown.event.stream.id);
}

Json to_json(const LogEvent& shown) {
  const RecordedEvent& event = shown.event;
  Json document = event_json(event, "stream", event.stream.category + "/" + event.stream.id);
  document["metadata"] = event.metadata.empty() ? Json(nullptr) : recorded_json(event.metadata, "application/json");
  document["correlation_id"] = event.correlation ? Json(event.correlation->correlation_id) : Json(nullptr);
  document["causation_id"] = event.correlation ? Json(event.correlation->causation_id) : Json(nullptr);
  return document;
}

Json to_json(const Verification& found) {
  return {{"events", found.events}, {"streams", found.streams}, {"problems", found.problems}};
}

Json to_json(const ExportedLine& exported) {
  return Json::parse(exported.line);
}

Json to_json(const ExportedLog& exported) {
  return {{"file", exported.file}, {"events", exported.events}, {"seconds", seconds(exported.elapsed)}};
}

Json to_json(const ImportedLog& imported) {
  return {{"lines", imported.lines},
          {"applied", imported.applied},
          {"duplicates", imported.lines - imported.applied},
          {"seconds", seconds(imported.elapsed)}};
}

Json to_json(const BackedUpLog& backed_up) {
  return {{"file", backed_up.file},
          {"events", backed_up.backup.head.value},
          {"bytes", backed_up.backup.bytes},
          {"seconds", seconds(backed_up.elapsed)}};
}

Json to_json(const ShownProjections& shown) {
  Json array = Json::array();
  for (const ProjectionStatus& projection : shown.projections) {
    array.push_back({{"name", projection.name},
                     {"schema_version", projection.schema_version},
                     {"mode", "async"},
                     {"position", projection.position.value},
                     {"head", projection.head.value},
                     {"behind_events", projection.behind_events},
                     {"behind_ms", milliseconds(projection.behind)},
                     {"duplicates_skipped", projection.duplicates_skipped},
                     {"dead_letters", projection.dead_letters},
                     {"projected_by", projection.projected_by ? Json(*projection.projected_by) : Json()}});
  }
  return {{"projections", std::move(array)}};
}

Json to_json(const RebuiltProjections& shown) {
  Json array = Json::array();
  for (const Rebuilt& rebuilt : shown.rebuilt) {
    array.push_back({{"name", rebuilt.name}, {"events", rebuilt.events}, {"seconds", seconds(rebuilt.elapsed)}});
  }
  return {{"rebuilt", std::move(array)}};
}

Json letters_json(const std::vector<DeadLetter>& letters) {
  Json array = Json::array();
  for (const DeadLetter& letter : letters) {
    array.push_back({{"projection", letter.projection},
                     {"position", letter.position.value},
                     {"stream", letter.stream.category + "/" + letter.stream.id},
                     {"version", letter.version.value},
                     {"event", letter.type},
                     {"attempts", letter.attempts},
                     {"reason", letter.reason},
                     {"at", format_timestamp(letter.at)}});
  }
  return array;
}

Json to_json(const RemovedProjection& removed) {
  return {{"projection", removed.name}, {"tables", removed.tables}};
}

Json to_json(const RenamedProjection& renamed) {
  return {{"projection", renamed.name}, {"was", renamed.was}};
}

Json to_json(const ShownDeadLetters& shown) {
  return {{"dead_letters", letters_json(shown.letters)}};
}

Json to_json(const RetriedDeadLetters& retried) {
  return {{"applied", retried.applied},
          {"remaining", retried.remaining.size()},
          {"dead_letters", letters_json(retried.remaining)}};
}

Json to_json(const DiscardedDeadLetters& discarded) {
  return {{"discarded", discarded.discarded}};
}

Json to_json(const measure::Visibility& measured) {
  return visibility_json(measured);
}

Json to_json(const measure::Throughput& measured) {
  return throughput_json(measured);
}

Json to_json(const ShownBus& shown) {
  const BusOptions& bus = shown.bus;
  return {{"delay", format_delay(bus.delay)},
          {"duplicate", bus.duplicate_probability},
          {"redeliver_after", format_duration(bus.redeliver_after)},
          {"seed", bus.seed}};
}

Json to_json(const ShownDemos& shown) {
  Json array = Json::array();
  for (const scenario::Demo& demo : shown.demos) {
    array.push_back({{"name", demo.name}, {"description", demo.description}});
  }
  return {{"demos", std::move(array)}};
}

Json to_json(const ShownScript& shown) {
  return {{"demo", shown.name}, {"script", shown.script}};
}

Json to_json(const PlayedScript& played) {
  return scenario::to_json(played.report);
}

Json to_json(const PlayedDemos& played) {
  return scenario::to_json(played.reports);
}

// What every freshness says, with the fields of its kind in the middle.
Json freshness_json(const Freshness& freshness, const char* shown_field, std::int64_t shown, const char* last_field,
                    std::int64_t last) {
  return {{"source", name(freshness.source)},
          {"stale", freshness.stale},
          {shown_field, shown},
          {last_field, last},
          {"behind_events", freshness.behind_events},
          {"behind_ms", milliseconds(freshness.behind)},
          {"waited_ms", milliseconds(freshness.waited)}};
}

}  // namespace

Json stream_freshness_json(const Freshness& freshness) {
  return freshness_json(freshness, "version", freshness.version.value, "latest_version",
                        freshness.latest_version.value);
}

Json log_freshness_json(const Freshness& freshness) {
  return freshness_json(freshness, "position", freshness.position.value, "head", freshness.head.value);
}

Json import_json(const Imported& imported) {
  const orders::ImportResult& result = imported.result;
  return {{"lines", result.lines},       {"applied", result.applied}, {"duplicates", result.duplicates},
          {"rejected", result.rejected}, {"invalid", result.invalid}, {"seconds", seconds(imported.elapsed)}};
}

std::string render_json(const nlohmann::ordered_json& document) {
  // Bytes from outside that are no UTF-8, such as a misspelt argument, must not make the error unreadable.
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json document_of(const Answer& answer) {
  return std::visit([](const auto& value) { return to_json(value); }, answer);
}

Json document_of(const Failure& failure) {
  Json error{{"code", failure.code}, {"message", failure.message}};
  for (const auto& [field, value] : failure.details.items()) error[field] = value;
  return {{"error", std::move(error)}};
}

std::string render_json(const Answer& answer) {
  // It is JSON already, and what was exported is not to be written anew.
  if (const auto* exported = std::get_if<ExportedLine>(&answer)) return exported->line + "\n";
  return render_json(document_of(answer));
}

std::string render_json(const Failure& failure) {
  return render_json(document_of(failure));
}

}  // namespace freshet::cli
