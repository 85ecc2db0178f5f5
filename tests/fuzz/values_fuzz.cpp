// Fuzz target: the values of options and of a script's words. What one of them means is said by a text that
// means the same.
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "base/time_text.hpp"
#include "bus/delay.hpp"
#include "cli/values.hpp"
#include "fuzz/fuzz.hpp"
#include "orders/money.hpp"
#include "scenario/expect.hpp"

namespace freshet::fuzz {
namespace {

void check_times(std::string_view text) {
  if (const auto duration = parse_duration(text)) {
    ensure(parse_duration(format_duration(*duration)) == duration, "a duration is read as it was written");
  }
  if (const auto time = parse_timestamp(text)) {
    ensure(parse_timestamp(format_timestamp(*time)) == time, "a time is read as it was written");
    ensure(parse_timestamp(format_day(*time)) <= time, "a time is not before its day");
  }
}

// The log holds whatever time in these bounds an application gave an event.
void check_any_time(std::string_view text) {
  std::int64_t microseconds = 0;
  for (const char byte : text.substr(0, sizeof microseconds)) {
    microseconds =
        static_cast<std::int64_t>((static_cast<std::uint64_t>(microseconds) << 8U) | static_cast<unsigned char>(byte));
  }
  const Timestamp time{Duration{microseconds}};
  if (time < timestamps_from || time >= timestamps_until) return;
  ensure(parse_timestamp(format_timestamp(time)) == time, "every time is read as it was written");
}

void check_delay(std::string_view text) {
  const auto delay = parse_delay(text);
  if (!delay) return;
  const auto again = parse_delay(format_delay(*delay));
  ensure(again.has_value(), "a delay can be read as it was written");
  ensure(format_delay(*again) == format_delay(*delay), "a delay is read as it was written");
  Random random{text.size()};
  for (int draws = 0; draws < 8; ++draws) {
    const Duration drawn = draw(*delay, random);
    ensure(drawn >= Duration{0} && drawn <= delay_max, "what is drawn is a delay");
  }
}

void check_money(std::string_view text) {
  for (const char* currency : {"EUR", "JPY", "KWD", "CLF"}) {
    if (const auto minor = orders::parse_money(text, currency)) {
      ensure(cli::is_money(text), "what is money of a currency is money");
      ensure(orders::parse_money(orders::format_money(*minor, currency), currency) == minor,
             "money is read as it was written");
    }
    if (const auto item = orders::parse_item(text, currency)) {
      const std::string written = item->sku + ':' + std::to_string(item->quantity) + ':' +
                                  orders::format_money(item->unit_price_minor, currency);
      ensure(orders::parse_item(written, currency) == item, "an item is read as it was written");
    }
  }
}

void check_numbers(std::string_view text) {
  if (const auto count = cli::parse_count(text, 0)) {
    ensure(cli::parse_count(std::to_string(*count), 0) == count, "a count is read as it was written");
  }
  if (const auto size = cli::parse_size(text, 1, 1'000)) {
    ensure(*size >= 1 && *size <= 1'000, "a size is within its bounds");
  }
  if (const auto seed = cli::parse_seed(text)) {
    ensure(cli::parse_seed(std::to_string(*seed)) == seed, "a seed is read as it was written");
  }
  if (const auto probability = cli::parse_probability(text)) {
    ensure(*probability >= 0.0 && *probability <= 1.0, "a probability is from 0 to 1");
  }
  if (const auto version = cli::parse_version(text)) {
    const auto as_of = cli::parse_as_of(text);
    ensure(text.starts_with('-') || (as_of && std::get<Version>(*as_of) == *version), "a version is a place in time");
  }
}

void check_names(std::string_view text) {
  if (const auto status = orders::parse_status(text)) {
    ensure(orders::name(*status) == text, "a status is read by its name");
  }
  if (const auto stream = cli::parse_stream(text)) {
    const std::string written = stream->category + '/' + stream->id;
    ensure(cli::parse_stream(written) == stream, "a stream is read as it was written");
  }
}

void check_condition(const std::string& text) {
  const auto condition = scenario::parse_condition(text);
  if (!condition) return;
  ensure(text.starts_with(condition->field) && text.ends_with(condition->value), "a condition is all of its text");
  static const auto answer = nlohmann::ordered_json::parse(
      R"({"status": "paid", "version": 2, "amount": 1e300, "orders": [{"id": "1"}], "freshness": {"stale": true}})");
  // A script's text is checked before its words are looked at.
  if (!is_utf8(text) || has_control_character(text)) return;
  if (const auto miss = check(*condition, answer)) ensure_shown(miss->message);
}

}  // namespace

void check(std::string_view text) {
  check_times(text);
  check_any_time(text);
  check_delay(text);
  check_money(text);
  check_numbers(text);
  check_names(text);
  check_condition(std::string{text});
}

}  // namespace freshet::fuzz
