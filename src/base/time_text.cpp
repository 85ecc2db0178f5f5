// Reading and writing times and spans of time as text, in whole numbers: nothing passes through floating
// point, so what is read is exactly what was written.
#include "base/time_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace freshet {
namespace {

using namespace std::chrono_literals;

struct Unit {
  std::string_view name;
  Duration length;
};

constexpr std::array<Unit, 5> units{{{"us", 1us}, {"ms", 1ms}, {"s", 1s}, {"m", 1min}, {"h", 1h}}};

constexpr Duration duration_max = 24h;

// So many decimals times the microseconds of the longest unit still fit 64 bits.
constexpr std::size_t duration_decimals_max = 9;

// Who writes more means more than can be kept, even where they are zeros.
constexpr std::size_t timestamp_decimals_max = 6;

// Takes the digits off the front of `text`; there may be none.
std::string_view take_digits(std::string_view& text) {
  const auto count = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

// Takes one of `characters` off the front of `text`. Nothing if another stands there.
std::optional<char> take_any(std::string_view& text, std::string_view characters) {
  if (text.empty() || characters.find(text.front()) == std::string_view::npos) return std::nullopt;
  const char taken = text.front();
  text.remove_prefix(1);
  return taken;
}

// Nothing if these are no digits, or too many for 64 bits.
std::optional<std::int64_t> number(std::string_view digits) {
  std::int64_t value = 0;
  const char* const begin = digits.data();
  const char* const end = begin + digits.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

// Takes a number of exactly `width` digits off the front of `text`. Nothing if other than digits stand there.
std::optional<int> take_number(std::string_view& text, std::size_t width) {
  auto front = text.substr(0, width);
  const auto digits = take_digits(front);
  if (digits.size() != width) return std::nullopt;
  text.remove_prefix(width);
  return static_cast<int>(number(digits).value_or(0));
}

// Takes ".25" off the front of `text`, as a part of `whole`. Without a point that is nothing of it. No answer
// if decimals are missing behind the point, are more than `decimals_max`, or mean a part of a microsecond.
std::optional<Duration> take_fraction(std::string_view& text, Duration whole, std::size_t decimals_max) {
  if (!take_any(text, ".")) return 0us;
  const auto decimals = take_digits(text);
  if (decimals.empty() || decimals.size() > decimals_max) return std::nullopt;
  std::int64_t divisor = 1;
  for (std::size_t place = 0; place < decimals.size(); ++place) divisor *= 10;
  const std::int64_t product = number(decimals).value_or(0) * whole.count();
  if (product % divisor != 0) return std::nullopt;
  return Duration{product / divisor};
}

std::optional<std::chrono::sys_days> take_day(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take_any(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take_any(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date};
}

// "10:56" as the time since midnight, below 24 hours.
std::optional<Duration> take_hours_and_minutes(std::string_view& text) {
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 23 || !take_any(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
}

// "10:56:33.25" as the time since midnight. There is no leap second: no clock of this program shows one.
std::optional<Duration> take_time_of_day(std::string_view& text) {
  const auto minutes = take_hours_and_minutes(text);
  if (!minutes || !take_any(text, ":")) return std::nullopt;
  const auto seconds = take_number(text, 2);
  if (!seconds || *seconds > 59) return std::nullopt;
  const auto part = take_fraction(text, 1s, timestamp_decimals_max);
  if (!part) return std::nullopt;
  return *minutes + std::chrono::seconds{*seconds} + *part;
}

// "Z", "+02:00", or nothing at all, which is UTC too.
std::optional<Duration> take_offset(std::string_view& text) {
  if (text.empty() || take_any(text, "Zz")) return 0us;
  const auto sign = take_any(text, "+-");
  if (!sign) return std::nullopt;
  const auto offset = take_hours_and_minutes(text);
  if (!offset) return std::nullopt;
  return *sign == '+' ? *offset : -*offset;
}

std::string padded(std::int64_t value, std::size_t width) {
  const auto digits = std::to_string(value);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

// In this unit, with as many decimals as it takes; up to seconds, where that is always exact.
std::string format_in(const Unit& unit, Duration duration) {
  std::string text = std::to_string(duration / unit.length);
  const auto rest = (duration % unit.length).count();
  if (rest != 0) {
    const auto decimals = std::to_string(unit.length.count()).size() - 1;
    text += '.' + padded(rest, decimals);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text.append(unit.name);
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  const auto whole = number(take_digits(text));
  const auto letters = text.find_first_not_of(".0123456789");
  if (!whole || letters == std::string_view::npos) return std::nullopt;
  const auto unit = std::ranges::find(units, text.substr(letters), &Unit::name);
  if (unit == units.end() || *whole > duration_max / unit->length) return std::nullopt;
  const auto part = take_fraction(text, unit->length, duration_decimals_max);
  if (!part || text != unit->name) return std::nullopt;
  const Duration duration = *whole * unit->length + *part;
  if (duration > duration_max) return std::nullopt;
  return duration;
}

std::string format_duration(Duration duration) {
  if (duration < 0us) return '-' + format_duration(-duration);
  if (duration == 0us) return "0s";
  std::string shortest;
  for (const Unit& unit : units) {
    // A leading "0." is harder to read than a smaller unit, and a part of a minute or an hour than the whole
    // number that it is of a smaller one.
    if (duration < unit.length || (unit.length > 1s && duration % unit.length != 0us)) continue;
    auto candidate = format_in(unit, duration);
    // Of two that are equally short the larger unit has the smaller number.
    if (shortest.empty() || candidate.size() <= shortest.size()) shortest = std::move(candidate);
  }
  return shortest;
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  const auto day = take_day(text);
  if (!day) return std::nullopt;
  Timestamp time = *day;
  if (!text.empty()) {
    if (!take_any(text, "Tt")) return std::nullopt;
    const auto time_of_day = take_time_of_day(text);
    if (!time_of_day) return std::nullopt;
    const auto offset = take_offset(text);
    if (!offset || !text.empty()) return std::nullopt;
    time += *time_of_day - *offset;
  }
  if (time < timestamps_from || time >= timestamps_until) return std::nullopt;
  return time;
}

std::string format_timestamp(Timestamp time) {
  const std::chrono::hh_mm_ss clock{time - std::chrono::floor<std::chrono::days>(time)};
  return format_day(time) + 'T' + padded(clock.hours().count(), 2) + ':' + padded(clock.minutes().count(), 2) + ':' +
         padded(clock.seconds().count(), 2) + '.' + padded(clock.subseconds().count(), 6) + 'Z';
}

std::string format_day(Timestamp time) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
  return padded(static_cast<int>(date.year()), 4) + '-' + padded(static_cast<unsigned>(date.month()), 2) + '-' +
         padded(static_cast<unsigned>(date.day()), 2);
}

}  // namespace freshet
