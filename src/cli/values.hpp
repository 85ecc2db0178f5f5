// The values of options and arguments, from text. Nothing is returned for a text that is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "cli/request.hpp"

namespace freshet::cli {

// A whole number from `min`, in digits alone.
[[nodiscard]] std::optional<std::int64_t> parse_count(std::string_view text, std::int64_t min);
[[nodiscard]] std::optional<std::size_t> parse_size(std::string_view text, std::size_t min, std::size_t max);

// 0 is the version of what does not exist.
[[nodiscard]] std::optional<Version> parse_version(std::string_view text);

// From 1.
[[nodiscard]] std::optional<Position> parse_position(std::string_view text);

[[nodiscard]] std::optional<std::uint64_t> parse_seed(std::string_view text);

// A decimal fraction from 0 to 1.
[[nodiscard]] std::optional<double> parse_probability(std::string_view text);

[[nodiscard]] std::optional<Colour> parse_colour(std::string_view text);
[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view text);
[[nodiscard]] std::optional<Durability> parse_durability(std::string_view text);
[[nodiscard]] std::optional<Upgrade> parse_upgrade(std::string_view text);
[[nodiscard]] std::optional<orders::ImportOptions::OnError> parse_on_error(std::string_view text);

// Digits alone are a version, anything else a time.
[[nodiscard]] std::optional<std::variant<Version, Timestamp>> parse_as_of(std::string_view text);

// Not empty, as the name of a file.
[[nodiscard]] std::optional<std::string> parse_some_text(std::string_view text);

// UTF-8: "category/id", which may be an order's as well, as streams_meant() says; without a '/', the id of an order.
[[nodiscard]] std::optional<StreamId> parse_stream(std::string_view text);

// Digits, with a decimal point between them or none: money of some currency.
[[nodiscard]] bool is_money(std::string_view text);

}  // namespace freshet::cli
