// Times and spans of time as text.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "freshet/types.hpp"

namespace freshet {

// "250us", "50ms", "1.5s", "2m", "1h"; 0 to 24 hours. Nothing if the text is anything else.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

// The shortest of the same: "50ms", "1.5s", "250us".
[[nodiscard]] std::string format_duration(Duration duration);

// What can be written as four digits of a year, and counted in nanoseconds: the years 1678 to 2261.
inline constexpr Timestamp timestamps_from = std::chrono::sys_days{std::chrono::year{1678} / 1 / 1};
inline constexpr Timestamp timestamps_until = std::chrono::sys_days{std::chrono::year{2262} / 1 / 1};

// ISO 8601: "2017-10-02T10:56:33Z", with up to six decimals of a second, and an offset as +02:00 in
// place of Z; a date alone ("2017-10-02") is its first moment in UTC. Years 1678 to 2261. Nothing if the
// text is anything else, or if there is no such day.
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text);

// "2017-10-02T10:56:33.000000Z". For these two a time is within the bounds above.
[[nodiscard]] std::string format_timestamp(Timestamp time);

// "2017-10-02"
[[nodiscard]] std::string format_day(Timestamp time);

}  // namespace freshet
