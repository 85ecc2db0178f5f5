// Reads numbers, choices and names from text.
#include "cli/values.hpp"

#include <charconv>
#include <utility>

#include "base/time_text.hpp"
#include "base/utf8.hpp"

namespace freshet::cli {
namespace {

// All of `text` as one number. from_chars takes no '+', no spaces and no locale.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [read_to, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{} || read_to != end) return std::nullopt;
  return number;
}

// The value that stands beside `text` in `choices`.
template <typename Choice>
std::optional<Choice> choose(std::string_view text,
                             std::initializer_list<std::pair<std::string_view, Choice>> choices) {
  for (const auto& [name, choice] : choices) {
    if (name == text) return choice;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_count(std::string_view text, std::int64_t min) {
  const auto count = parse_number<std::int64_t>(text);
  return count >= min ? count : std::nullopt;
}

std::optional<std::size_t> parse_size(std::string_view text, std::size_t min, std::size_t max) {
  const auto size = parse_number<std::size_t>(text);
  return size >= min && size <= max ? size : std::nullopt;
}

std::optional<Version> parse_version(std::string_view text) {
  const auto count = parse_count(text, 0);
  return count ? std::optional{Version{*count}} : std::nullopt;
}

std::optional<Position> parse_position(std::string_view text) {
  const auto count = parse_count(text, 1);
  return count ? std::optional{Position{*count}} : std::nullopt;
}

std::optional<std::uint64_t> parse_seed(std::string_view text) {
  return parse_number<std::uint64_t>(text);
}

std::optional<double> parse_probability(std::string_view text) {
  const auto probability = parse_number<double>(text);
  // Written so that not-a-number, which from_chars takes, is refused as well.
  if (!probability || !(*probability >= 0.0 && *probability <= 1.0)) return std::nullopt;
  return probability;
}

std::optional<Colour> parse_colour(std::string_view text) {
  return choose<Colour>(text, {{"auto", Colour::automatic}, {"always", Colour::always}, {"never", Colour::never}});
}

std::optional<LogLevel> parse_log_level(std::string_view text) {
  return choose<LogLevel>(text, {{"debug", LogLevel::debug},
                                 {"info", LogLevel::info},
                                 {"warn", LogLevel::warning},
                                 {"error", LogLevel::error},
                                 {"off", LogLevel::off}});
}

std::optional<Durability> parse_durability(std::string_view text) {
  return choose<Durability>(text, {{"full", Durability::power_loss}, {"normal", Durability::process_crash}});
}

std::optional<Upgrade> parse_upgrade(std::string_view text) {
  return choose<Upgrade>(text, {{"copy", Upgrade::copy}, {"no-copy", Upgrade::no_copy}, {"never", Upgrade::never}});
}

std::optional<orders::ImportOptions::OnError> parse_on_error(std::string_view text) {
  using OnError = orders::ImportOptions::OnError;
  return choose<OnError>(text, {{"skip", OnError::skip}, {"stop", OnError::stop}});
}

std::optional<std::variant<Version, Timestamp>> parse_as_of(std::string_view text) {
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    const auto version = parse_number<std::int64_t>(text);
    if (!version) return std::nullopt;
    return Version{*version};
  }
  const auto time = parse_timestamp(text);
  if (!time) return std::nullopt;
  return *time;
}

std::optional<std::string> parse_some_text(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional<std::string>{text};
}

std::optional<StreamId> parse_stream(std::string_view text) {
  if (!is_utf8(text)) return std::nullopt;
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) {
    if (text.empty()) return std::nullopt;
    return orders::stream_of(text);
  }
  StreamId stream{.category = std::string{text.substr(0, slash)}, .id = std::string{text.substr(slash + 1)}};
  if (stream.category.empty() || stream.id.empty()) return std::nullopt;
  return stream;
}

bool is_money(std::string_view text) {
  const auto is_digits = [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const auto point = text.find('.');
  if (point == std::string_view::npos) return is_digits(text);
  return is_digits(text.substr(0, point)) && is_digits(text.substr(point + 1));
}

}  // namespace freshet::cli
